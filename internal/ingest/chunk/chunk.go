// Package chunk cuts a parsed document into the chunks that are embedded and found: by its structure first, then by sentences.
//
// A chunk never crosses a heading, is a contiguous span of the text without white space at its ends, and together with its title
// and heading path stays within the embedding model's limit, counted in that model's own tokens. Every character that is not
// white space is in a chunk or, if it is a heading, in the heading path of one. A piece of a table, of a list or of code that lacks the head, the lead-in or the declaration that it is understood by has
// that as its Context.
package chunk

import (
	"slices"

	"footnote/internal/rag"
	"footnote/internal/text"
)

// Options says how large chunks are. Sizes are tokens as Count counts them.
type Options struct {
	TargetTokens  int                   // of a chunk's text; a section that is at most a third larger stays whole
	OverlapTokens int                   // at most so many are repeated from the chunk before, in whole sentences
	MaxTokens     int                   // of the embedded text: title, heading path and chunk
	Title         string                // of the document
	Count         func(text string) int // the embedding model's own count

	// Before are the chunks of the version before, cut with the same sizes by the same model and code. Where the text is the same they stay as they are, so that an edit changes the chunks around
	// it alone. None: a new document.
	Before []rag.Chunk
}

// leastRoom is how many tokens a title and heading path must leave to the text.
const leastRoom = 16

// Split returns the document's chunks in text order, with Ordinal, Span, HeadingPath, Page, Context and Text.
// Error: rag.Invalid when the title alone fills the model's limit.
func Split(p rag.Parsed, o Options) ([]rag.Chunk, error) {
	s := &splitter{Options: o, index: text.NewIndex(p.Text), pages: p.Pages()}
	for _, section := range sections(p.Blocks, s.index) {
		if err := s.section(section); err != nil {
			return nil, err
		}
	}
	return s.chunks, nil
}

type splitter struct {
	Options
	index  *text.Index
	pages  []rag.PageSpan
	chunks []rag.Chunk
	texts  map[string]int // how often each text is in Before
	anew   bool           // what is between two chunks of Before is cut
}

// section packs the section's atoms into chunks. A chunk ends between blocks where that leaves it at least half full.
func (s *splitter) section(sec section) error {
	most := s.MaxTokens - s.Count(rag.EmbeddedText(s.Title, sec.path, "", "")) - 1
	room := min(s.TargetTokens, most)
	if room < leastRoom {
		return rag.FieldErrorf("/title", "The title and headings %q leave no room for text in the embedding model's %d tokens; shorten them.",
			rag.Clip(rag.EmbeddedText(s.Title, sec.path, "", ""), 80), s.MaxTokens)
	}
	blocks := make([][]atom, len(sec.blocks))
	total := 0
	for i, block := range sec.blocks {
		blocks[i] = s.atoms(block, room)
		for j := range blocks[i] {
			blocks[i][j].block = i
			total += blocks[i][j].tokens
		}
	}
	if total <= min(room*4/3, most) {
		s.emit(sec, slices.Concat(blocks...)) // a small rest would be found for what it lacks
		return nil
	}
	if done, err := s.keep(sec, slices.Concat(blocks...), room); done || err != nil {
		return err
	}
	var pack pack
	flush := func() {
		s.emit(sec, pack.atoms)
		pack.keepOverlap(min(s.OverlapTokens, room/2))
	}
	for _, atoms := range s.units(sec, blocks) {
		whole := 0
		for _, a := range atoms {
			whole += a.tokens
		}
		if pack.fresh > 0 && pack.tokens*2 >= room && whole <= room && pack.tokens+whole > room {
			flush()
		}
		for i, a := range atoms {
			need := 0
			for _, b := range atoms[i:] {
				if need += b.tokens; !b.leads {
					break
				}
			}
			if pack.fresh > 0 && pack.tokens+a.tokens > room || pack.fresh > 0 && a.leads && need <= room && pack.tokens+need > room && !pack.leads() {
				flush()
			}
			pack.add(a, room)
		}
	}
	if pack.fresh > 0 {
		s.emit(sec, pack.atoms)
	}
	return nil
}

// units are the blocks' atoms, those of a list together with those of the paragraph that leads it in. What leads in is marked: it is not parted from what follows.
func (s *splitter) units(sec section, blocks [][]atom) (out [][]atom) {
	for i, atoms := range blocks {
		header := sec.blocks[i].Header
		if sec.blocks[i].Kind == rag.BlockTable && !header.Empty() {
			for j := range atoms {
				atoms[j].leads = atoms[j].span.End <= header.End && j < len(atoms)-1
			}
		}
		if sec.blocks[i].Kind == rag.BlockList && i > 0 && len(out) > 0 && len(atoms) > 0 && header.Contains(sec.blocks[i-1].Span) {
			before := out[len(out)-1]
			if n := len(before); n > 0 {
				before[n-1].leads = true
				out[len(out)-1] = slices.Concat(before, atoms)
				continue
			}
		}
		out = append(out, atoms)
	}
	return out
}

// emit makes a chunk of atoms. Tokens of parts need not add up to those of the whole, so a chunk that is over the limit after
// all is halved.
func (s *splitter) emit(sec section, atoms []atom) {
	span := rag.Span{Start: atoms[0].span.Start, End: atoms[len(atoms)-1].span.End}
	body := s.index.Slice(span)
	if s.Count(rag.EmbeddedText(s.Title, sec.path, "", body)) > s.MaxTokens && span.Len() > 1 {
		half := len(atoms) / 2
		if half == 0 {
			a, middle := atoms[0], boundary(s.index, span, span.Start+span.Len()/2)
			first, second := a, a
			first.span, second.span = trim(s.index, rag.Span{Start: span.Start, End: middle}), trim(s.index, rag.Span{Start: middle, End: span.End})
			atoms = []atom{first, second}
			half = 1
		}
		s.emit(sec, atoms[:half])
		s.emit(sec, atoms[half:])
		return
	}
	s.chunks = append(s.chunks, rag.Chunk{Ordinal: len(s.chunks), Span: span, HeadingPath: sec.path, Page: rag.PageAt(s.pages, span.Start), Context: s.context(sec, atoms[0], body), Text: body})
}

// pack is a chunk in the making: atoms repeated from the chunk before, then fresh ones.
type pack struct {
	atoms  []atom
	tokens int
	fresh  int
}

// add appends a, at the cost of repeated atoms when there is no room for both.
func (p *pack) add(a atom, room int) {
	for p.fresh == 0 && len(p.atoms) > 0 && p.tokens+a.tokens > room {
		p.tokens -= p.atoms[0].tokens
		p.atoms = p.atoms[1:]
	}
	p.atoms = append(p.atoms, a)
	p.tokens += a.tokens
	p.fresh++
}

// leads tells whether the last atom leads what comes next in.
func (p *pack) leads() bool { return len(p.atoms) > 0 && p.atoms[len(p.atoms)-1].leads }

// keepOverlap starts the next chunk with the last sentences of this one that fit in tokens.
func (p *pack) keepOverlap(tokens int) {
	at, sum := len(p.atoms), 0
	for at > 1 && p.atoms[at-1].sentence && sum+p.atoms[at-1].tokens <= tokens {
		at--
		sum += p.atoms[at].tokens
	}
	p.atoms, p.tokens, p.fresh = append([]atom(nil), p.atoms[at:]...), sum, 0
}
