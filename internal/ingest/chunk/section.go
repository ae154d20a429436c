package chunk

import (
	"slices"
	"strings"
	"unicode"

	"footnote/internal/rag"
	"footnote/internal/text"
)

// section is the run of blocks under one heading path.
type section struct {
	path   []string
	blocks []rag.Block
}

// heading is an open heading while the blocks are walked.
type heading struct {
	block rag.Block
	name  string
	used  bool // something stands under it
}

// sections walks the blocks. Text between blocks counts as a paragraph, so that no parser can lose any; a heading with nothing under it
// becomes a paragraph of the section above it.
func sections(blocks []rag.Block, index *text.Index) []section {
	var out []section
	var open []heading
	path := func() []string {
		var names []string
		for _, h := range open {
			if h.name != "" {
				names = append(names, h.name)
			}
		}
		return names
	}
	add := func(b rag.Block) {
		b.Span = trim(index, b.Span)
		if b.Span.Empty() {
			return
		}
		for i := range open {
			open[i].used = true
		}
		names := path()
		if n := len(out); n > 0 && slices.Equal(out[n-1].path, names) {
			out[n-1].blocks = append(out[n-1].blocks, b)
			return
		}
		out = append(out, section{names, []rag.Block{b}})
	}
	// shut ends the headings of level and deeper ones.
	shut := func(level int) {
		for len(open) > 0 && open[len(open)-1].block.Level >= level {
			h := open[len(open)-1]
			open = open[:len(open)-1]
			if !h.used {
				h.block.Kind = rag.BlockParagraph
				add(h.block)
			}
		}
	}
	at := 0
	gap := func(end int) {
		if at < end {
			add(rag.Block{Kind: rag.BlockParagraph, Span: rag.Span{Start: at, End: end}})
		}
	}
	for _, b := range blocks {
		b.Span.Start, b.Span.End = max(b.Span.Start, at), min(b.Span.End, index.Len())
		if b.Span.End < b.Span.Start || b.Kind == rag.BlockPageBreak {
			continue
		}
		gap(b.Span.Start)
		at = b.Span.End
		if b.Kind != rag.BlockHeading {
			add(b)
			continue
		}
		shut(max(b.Level, 1))
		open = append(open, heading{block: b, name: strings.Join(strings.Fields(index.Slice(b.Span)), " ")})
	}
	gap(index.Len())
	shut(0)
	return out
}

// trim takes white space off both ends of a span.
func trim(index *text.Index, span rag.Span) rag.Span {
	s := index.Slice(span)
	left := strings.TrimLeftFunc(s, unicode.IsSpace)
	span.Start += text.Len(s[:len(s)-len(left)])
	right := strings.TrimRightFunc(left, unicode.IsSpace)
	span.End = span.Start + text.Len(right)
	return span
}
