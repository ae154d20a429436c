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
	Page  int // from 1; 0 when the source has no pages

	// What a piece of the block needs to be understood: of a table, its head, the first rows of it; of a list, the paragraph before it that leads it in. Empty: nothing.
	Header Span
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

// Pages are the pages of the text that have blocks, in order. A block that goes on over a page's end belongs to the page where it begins.
func (p Parsed) Pages() []PageSpan {
	var pages []PageSpan
	end := utf8.RuneCountInString(p.Text)
	for _, b := range p.Blocks {
		if b.Page == 0 || b.Span.Empty() || len(pages) > 0 && b.Page <= pages[len(pages)-1].Number {
			continue
		}
		if n := len(pages); n > 0 {
			pages[n-1].Span.End = b.Span.Start
		}
		pages = append(pages, PageSpan{b.Page, Span{b.Span.Start, end}})
	}
	return pages
}
