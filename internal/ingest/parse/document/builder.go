package document

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"footnote/internal/rag"
	"footnote/internal/text"
)

// Builder collects the blocks of one document into one text, a blank line between them. Title, Metadata and Warnings are the parser's to fill. The zero Builder has
// no limits.
type Builder struct {
	Title    string
	Metadata rag.Metadata
	Warnings []string
	Limits   Limits

	// Name is the file's, where it has one.
	Name string
	// Nested reads a file that is inside this one, such as an attachment, into a builder of its own. It knows every format, and how deep files may be in files.
	Nested func(ctx context.Context, name, declared string, content []byte) (*Builder, error)

	// Transcribe reads the text that an image shows (image/png, image/jpeg, image/webp), blank lines between paragraphs; nil where nothing can.
	Transcribe func(ctx context.Context, mediaType string, image []byte) (string, error)

	text   strings.Builder
	length int // code points
	blocks []rag.Block
	page   int
	full   bool // a limit was met: nothing is added any more
}

// maxWarnings bounds what a broken file can say of itself.
const maxWarnings = 50

// Add appends a block unless its text is blank. level is a heading's, 1 to 6, or a list's depth; else 0.
func (b *Builder) Add(kind rag.BlockKind, level int, s string) { b.AddOver(kind, level, s, nil) }

// AddOver is Add for a block that goes on over the ends of pages: at each turn, a byte of s, another page begins.
func (b *Builder) AddOver(kind rag.BlockKind, level int, s string, turns []rag.PageTurn) {
	if b.full {
		return
	}
	given := s
	s = strings.Trim(text.Normalise(s), "\n")
	if strings.TrimSpace(s) == "" {
		return
	}
	if kind != rag.BlockCode {
		s = strings.TrimSpace(s)
	}
	if b.Limits.TextBytes > 0 && int64(b.text.Len()+len(s)) > b.Limits.TextBytes {
		b.full = true
		b.Warn("the text is longer than %d bytes; what follows was left out", b.Limits.TextBytes)
		return
	}
	if b.length > 0 {
		b.text.WriteString("\n\n")
		b.length += 2
	}
	start := b.length
	b.text.WriteString(s)
	b.length += utf8.RuneCountInString(s)
	block := rag.Block{Kind: kind, Level: level, Page: b.page, Span: rag.Span{Start: start, End: b.length}}
	// From the end, piece by piece: what was trimmed off the start and the length of what normalisation changed before a turn do not matter then.
	at, end := b.length, len(given)
	for _, turn := range slices.Backward(turns) {
		piece := text.Normalise(given[turn.At:end])
		end = turn.At
		if at == b.length {
			piece = strings.TrimRightFunc(piece, unicode.IsSpace)
		}
		if piece == "" {
			continue // nothing stands on that page
		}
		if at -= utf8.RuneCountInString(piece); at <= start {
			block.Page = turn.Page
			break
		}
		block.Turns = append(block.Turns, rag.PageTurn{At: at, Page: turn.Page})
	}
	slices.Reverse(block.Turns)
	b.blocks = append(b.blocks, block)
}

// Table appends a table, a line a row, " | " between cells. The first header rows are its head: a piece of the table says its columns by them.
func (b *Builder) Table(rows [][]string, header int) { b.TableOver(rows, header, nil) }

// TableOver is Table for one that goes on over the ends of pages: with the row that a turn is At, another page begins.
func (b *Builder) TableOver(rows [][]string, header int, turns []rag.PageTurn) {
	var lines []string
	var begins []rag.PageTurn
	head := 0 // code points
	size := 0 // bytes
	for i, row := range rows {
		for len(turns) > 0 && turns[0].At <= i {
			begins = append(begins, rag.PageTurn{At: size, Page: turns[0].Page})
			turns = turns[1:]
		}
		cells := make([]string, len(row))
		for j, cell := range row {
			cells[j] = strings.Join(strings.Fields(text.Normalise(cell)), " ")
		}
		line := strings.TrimSpace(strings.Join(cells, " | "))
		if strings.Trim(line, "| ") == "" {
			continue
		}
		lines = append(lines, line)
		size += len(line) + 1
		if i < header {
			head += utf8.RuneCountInString(line) + 1
		}
	}
	n := len(b.blocks)
	s := strings.Join(lines, "\n")
	for len(begins) > 0 && begins[len(begins)-1].At >= len(s) { // no row of these pages says anything
		begins = begins[:len(begins)-1]
	}
	b.AddOver(rag.BlockTable, 0, s, begins)
	if len(b.blocks) > n && head > 1 && len(lines) > header {
		t := &b.blocks[n]
		t.Header = rag.Span{Start: t.Span.Start, End: t.Span.Start + head - 1}
	}
}

// LeadIn makes the block before the last one, when that is a paragraph, the lead-in of the last one, which is a list: a piece of the list says by it what it lists.
func (b *Builder) LeadIn() {
	n := len(b.blocks)
	if n > 1 && b.blocks[n-1].Kind == rag.BlockList && b.blocks[n-2].Kind == rag.BlockParagraph {
		b.blocks[n-1].Header = b.blocks[n-2].Span
	}
}

// Append adds the blocks of another builder, on the page that this one is on unless they have their own.
func (b *Builder) Append(o *Builder) {
	x := text.NewIndex(o.Text())
	for _, block := range o.blocks {
		n, page := len(b.blocks), b.page
		if block.Page > 0 {
			b.page = block.Page
		}
		b.Add(block.Kind, block.Level, x.Slice(block.Span))
		b.page = page
		if len(b.blocks) == n {
			continue
		}
		by := b.blocks[n].Span.Start - block.Span.Start
		if !block.Header.Empty() {
			b.blocks[n].Header = block.Header.Shift(by)
		}
		for _, t := range block.Turns {
			b.blocks[n].Turns = append(b.blocks[n].Turns, rag.PageTurn{At: t.At + by, Page: t.Page})
		}
	}
	b.Warnings = append(b.Warnings, o.Warnings...)
}

// AppendFile adds a file that is inside this one under a heading with its name, or a warning that says why it cannot be read. Only the error of a limit is returned: then reading
// ends.
func (b *Builder) AppendFile(ctx context.Context, name, declared string, content []byte) error {
	if b.Nested == nil {
		return nil
	}
	o, err := b.Nested(ctx, name, declared, content)
	if err != nil {
		if rag.CodeOf(err) == rag.TooLarge || rag.CodeOf(err) == rag.Timeout || ctx.Err() != nil {
			return err
		}
		b.Warn("%q was left out: %v", rag.Clip(name, 120), err)
		return nil
	}
	b.Add(rag.BlockHeading, 1, name)
	for i := range o.blocks {
		if block := &o.blocks[i]; block.Kind == rag.BlockHeading {
			block.Level = min(block.Level+1, 6)
		}
	}
	b.Append(o)
	return nil
}

// Page begins a page: what is added from now on is on it. Pages count from 1.
func (b *Builder) Page(n int) { b.page = n }

// Warn notes what was left out or not understood, for the job's report.
func (b *Builder) Warn(format string, args ...any) {
	if len(b.Warnings) < maxWarnings {
		b.Warnings = append(b.Warnings, fmt.Sprintf(format, args...))
	}
}

// Meta sets a field of the metadata unless the value is blank or over a limit.
func (b *Builder) Meta(key string, value any) {
	if s, ok := value.(string); ok {
		if s = strings.TrimSpace(text.Normalise(s)); s == "" {
			return
		}
		value = rag.Clip(s, rag.MaxMetadataValue-1)
	}
	if (rag.Metadata{key: value}).Validate() != nil {
		return
	}
	if b.Metadata == nil {
		b.Metadata = rag.Metadata{}
	}
	b.Metadata[key] = value
}

// Empty tells that nothing was added.
func (b *Builder) Empty() bool { return b.length == 0 }

// Full tells that a limit was met, so that a parser can stop.
func (b *Builder) Full() bool { return b.full }

// Len is the length of the text so far, in code points.
func (b *Builder) Len() int { return b.length }

// Text is the text so far.
func (b *Builder) Text() string { return b.text.String() }

// Blocks are the blocks so far; the builder owns them.
func (b *Builder) Blocks() []rag.Block { return b.blocks }

// Parsed is the document as it was collected.
func (b *Builder) Parsed(mediaType string) rag.Parsed {
	p := rag.Parsed{Text: b.text.String(), Title: b.Title, MediaType: mediaType, Metadata: b.Metadata, Blocks: b.blocks, Warnings: b.Warnings}
	p.Language = text.Language(p.Text)
	if p.Title == "" && len(p.Blocks) > 0 && p.Blocks[0].Kind == rag.BlockHeading && p.Blocks[0].Level == 1 {
		p.Title = text.Slice(p.Text, p.Blocks[0].Span.Start, p.Blocks[0].Span.End) // a heading of the first level that comes first is the title
	}
	p.Title = rag.Clip(strings.Join(strings.Fields(p.Title), " "), rag.MaxTitleLength-1)
	return p
}
