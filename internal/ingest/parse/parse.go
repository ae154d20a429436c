// Package parse turns the bytes of a file into normalised text and its structure: headings, lists, tables, code, paragraphs.
//
// It owns file formats and character sets. It reads plain text, Markdown and HTML; a file of another kind is refused by name,
// never guessed. Every block's span indexes the text that is returned beside it, in code points.
package parse

import (
	"bytes"
	"context"
	"mime"
	"path"
	"strings"
	"unicode/utf8"

	"github.com/gabriel-vasile/mimetype"

	"footnote/internal/rag"
	"footnote/internal/text"
)

// The media types that can be read.
const (
	PlainText = "text/plain"
	Markdown  = "text/markdown"
	HTML      = "text/html"
)

const readable = "plain text (.txt), Markdown (.md) and HTML (.html) can be read"

var byExtension = map[string]string{
	".txt": PlainText, ".text": PlainText, ".log": PlainText,
	".md": Markdown, ".markdown": Markdown,
	".html": HTML, ".htm": HTML, ".xhtml": HTML,
}

var byDeclared = map[string]string{
	"text/plain": PlainText, "text/markdown": Markdown, "text/x-markdown": Markdown, "text/html": HTML, "application/xhtml+xml": HTML,
}

// MediaType tells the type of a file from its name, what its sender declared and its first bytes (512 or more, or all). The name's ending
// counts before the declaration, which browsers and tools often leave generic. Unsupported for a kind that cannot be
// read, or content that is not text whatever the name says.
func MediaType(filename, declared string, head []byte) (string, error) {
	kind := ""
	ext := strings.ToLower(path.Ext(filename))
	if ext != "" {
		kind = byExtension[ext]
	}
	if t, _, err := mime.ParseMediaType(declared); err == nil && kind == "" {
		kind = byDeclared[strings.ToLower(t)]
		if kind == "" && t != "application/octet-stream" && t != "" {
			return "", rag.Errorf(rag.Unsupported, "%s is of type %s, which cannot be read; %s.", name(filename), rag.Clip(t, 80), readable)
		}
	}
	if kind == "" && ext != "" {
		return "", rag.Errorf(rag.Unsupported, "%s has the ending %s, which cannot be read; %s.", name(filename), rag.Clip(ext, 20), readable)
	}
	if found := mimetype.Detect(head); binary(found, head) {
		return "", rag.Errorf(rag.Unsupported, "%s holds %s, not text; %s.", name(filename), found.String(), readable)
	}
	if kind == "" {
		return "", rag.Errorf(rag.Unsupported, "%s has no ending or media type that tells what it is; %s.", name(filename), readable)
	}
	return kind, nil
}

func name(filename string) string {
	if filename == "" {
		return "The document"
	}
	return `"` + rag.Clip(filename, 120) + `"`
}

// binary tells whether content is no text: a known binary format, or NUL bytes without a UTF-16 mark, or many control bytes.
func binary(found *mimetype.MIME, head []byte) bool {
	if utf16Mark(head) {
		return false
	}
	if bytes.IndexByte(head, 0) >= 0 {
		return true
	}
	isText := len(head) == 0
	for m := found; m != nil; m = m.Parent() {
		isText = isText || m.Is("text/plain")
	}
	if !isText && !found.Is("application/octet-stream") {
		return true
	}
	control := 0
	for _, b := range head {
		if b < 0x20 && b != '\n' && b != '\r' && b != '\t' && b != '\f' && b != 0x1b {
			control++
		}
	}
	return control*20 > len(head)
}

func utf16Mark(b []byte) bool {
	return bytes.HasPrefix(b, []byte{0xff, 0xfe}) || bytes.HasPrefix(b, []byte{0xfe, 0xff})
}

// Parse reads a file of a type that MediaType gave. ctx is looked at before the work begins.
func Parse(ctx context.Context, content []byte, filename, mediaType string) (rag.Parsed, error) {
	if err := ctx.Err(); err != nil {
		return rag.Parsed{}, err
	}
	var b builder
	p := rag.Parsed{MediaType: mediaType}
	switch mediaType {
	case PlainText:
		plain(&b, decode(content))
	case Markdown:
		markdown(&b, decode(content), &p)
	case HTML:
		if err := page(&b, content, &p); err != nil {
			return rag.Parsed{}, rag.Errorf(rag.Invalid, "%s cannot be read as HTML: %w", name(filename), err)
		}
	default:
		return rag.Parsed{}, rag.Errorf(rag.Unsupported, "%s is of type %s, which cannot be read; %s.", name(filename), rag.Clip(mediaType, 80), readable)
	}
	p.Text, p.Blocks = b.text.String(), b.blocks
	p.Language = text.Language(p.Text)
	if p.Title == "" {
		p.Title = firstHeading(p)
	}
	p.Title = rag.Clip(strings.Join(strings.Fields(p.Title), " "), rag.MaxTitleLength)
	return p, nil
}

// firstHeading is a document's first block when that is a heading of the first level: then it is the title.
func firstHeading(p rag.Parsed) string {
	if len(p.Blocks) > 0 && p.Blocks[0].Kind == rag.BlockHeading && p.Blocks[0].Level == 1 {
		return text.Slice(p.Text, p.Blocks[0].Span.Start, p.Blocks[0].Span.End)
	}
	return ""
}

// plain adds the paragraphs of plain text, which blank lines part.
func plain(b *builder, s string) {
	var lines []string
	flush := func() {
		b.add(rag.BlockParagraph, 0, strings.Join(lines, "\n"))
		lines = lines[:0]
	}
	for line := range strings.Lines(text.Normalise(s)) {
		if line = strings.TrimRight(line, " \t\n"); strings.TrimSpace(line) == "" {
			flush()
			continue
		}
		lines = append(lines, line)
	}
	flush()
}

// builder collects blocks into one text, a blank line between them.
type builder struct {
	text   strings.Builder
	length int // code points
	blocks []rag.Block
}

// add appends a block unless its text is blank.
func (b *builder) add(kind rag.BlockKind, level int, s string) {
	s = strings.Trim(text.Normalise(s), "\n")
	if strings.TrimSpace(s) == "" {
		return
	}
	if kind != rag.BlockCode {
		s = strings.TrimSpace(s)
	}
	if b.length > 0 {
		b.text.WriteString("\n\n")
		b.length += 2
	}
	start := b.length
	b.text.WriteString(s)
	b.length += utf8.RuneCountInString(s)
	b.blocks = append(b.blocks, rag.Block{Kind: kind, Level: level, Span: rag.Span{Start: start, End: b.length}})
}
