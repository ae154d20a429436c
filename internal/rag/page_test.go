package rag

import (
	"fmt"
	"testing"
)

func TestParsed_PagesGoFromTheirFirstBlockToTheNextPages(t *testing.T) {
	p := Parsed{Text: "一二三四五六七八九十", Blocks: []Block{{Page: 1, Span: Span{0, 2}}, {Page: 1, Span: Span{3, 4}}, {Kind: BlockPageBreak, Page: 2, Span: Span{5, 5}}, {Page: 4, Span: Span{5, 7}}, {Page: 3, Span: Span{8, 9}}}}
	pages := p.Pages()
	if got := fmt.Sprint(pages); got != "[{1 [0, 5)} {4 [5, 8)} {3 [8, 10)}]" {
		t.Errorf("got %s", got)
	}
	for at, want := range map[int]int{0: 1, 4: 1, 5: 4, 7: 4, 8: 3, 9: 3, 10: 0, -1: 0} {
		if got := PageAt(pages, at); got != want {
			t.Errorf("character %d is on page %d, want %d", at, got, want)
		}
	}
	if got := (Parsed{Text: "x", Blocks: []Block{{Span: Span{0, 1}}}}).Pages(); got != nil {
		t.Errorf("a text without pages has %v", got)
	}
}

// A block that goes on over a page's end is on both pages, each from where it begins; what has no page ends the one before.
func TestParsed_PagesBeginInsideBlocks(t *testing.T) {
	p := Parsed{Text: "一二三四五六七八九十", Blocks: []Block{
		{Page: 1, Span: Span{0, 4}, Turns: []PageTurn{{2, 2}, {3, 4}}}, {Page: 4, Span: Span{4, 5}}, {Span: Span{5, 7}}, {Page: 1, Span: Span{8, 10}, Turns: []PageTurn{{9, 2}}},
	}}
	if got := fmt.Sprint(p.Pages()); got != "[{1 [0, 2)} {2 [2, 3)} {4 [3, 5)} {1 [8, 9)} {2 [9, 10)}]" {
		t.Errorf("got %s", got)
	}
	if got := PageAt(p.Pages(), 6); got != 0 {
		t.Errorf("what is between two files is on page %d", got)
	}
}
