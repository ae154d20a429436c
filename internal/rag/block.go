package rag

import "unicode/utf8"

// BlockKind is the kind of a structural part of a document.
type BlockKind string

// The kinds.
const (
	BlockHeading   BlockKind = "heading"
	BlockParagraph BlockKind = "paragraph"
	BlockList      BlockKind = "list"
	BlockTable     BlockKind = "table"
	BlockCode      BlockKind = "code"
	BlockQuote     BlockKind = "quote"
	BlockPageBreak BlockKind = "page_break"
)

// Block is a structural part of a document. Blocks are in text order and do not overlap; Span indexes the normalised text.
type Block struct {
	Kind  BlockKind
	Span  Span
	Level int // of a heading, 1–6; of a list item's list, its depth; else 0
	Page  int // where it begins, from 1; 0 when the source has no pages

	// Turns are the places in the block, in order, at which another page begins. Empty: it lies on one page.
	Turns []PageTurn

	// What a piece of the block needs to be understood: of a table, its head, the first rows of it; of a list, the paragraph before it that leads it in. Empty: nothing.
	Header Span
}

// PageTurn is the place in a text at which a page begins.
type PageTurn struct {
	At   int // code points
	Page int // from 1
}

// Parsed is what a parser makes of a file: the normalised text that every span indexes, and its structure.
type Parsed struct {
	Text      string
	Title     string // of the source itself; empty when it has none
	MediaType string
	Language  string
	Metadata  Metadata // found in the file (author, date, …)
	Blocks    []Block
	Warnings  []string
}

// Pages are the pages of the text that have blocks, in text order. Files inside a file, such as two PDFs attached to one mail, have pages of their own, so a number may come again, and what
// is between them may be on none.
func (p Parsed) Pages() []PageSpan {
	var pages []PageSpan
	open := false // whether the last page goes on
	turn := func(at, page int) {
		if open && pages[len(pages)-1].Number == page {
			return
		}
		if open {
			pages[len(pages)-1].Span.End = at
		}
		if open = page > 0; open {
			pages = append(pages, PageSpan{page, Span{at, at}})
		}
	}
	for _, b := range p.Blocks {
		if b.Span.Empty() {
			continue
		}
		turn(b.Span.Start, b.Page)
		for _, t := range b.Turns {
			turn(t.At, t.Page)
		}
	}
	if open {
		pages[len(pages)-1].Span.End = utf8.RuneCountInString(p.Text)
	}
	return pages
}
