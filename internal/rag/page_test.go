package rag

import (
	"fmt"
	"testing"
)

func TestParsed_PagesGoFromTheirFirstBlockToTheNextPages(t *testing.T) {
	p := Parsed{Text: "一二三四五六七八九十", Blocks: []Block{{Page: 1, Span: Span{0, 2}}, {Page: 1, Span: Span{3, 4}}, {Kind: BlockPageBreak, Page: 2, Span: Span{5, 5}}, {Page: 4, Span: Span{5, 7}}, {Page: 3, Span: Span{8, 9}}}}
	pages := p.Pages()
	if got := fmt.Sprint(pages); got != "[{1 [0, 5)} {4 [5, 10)}]" { // a page that comes after a later one is part of that
		t.Errorf("got %s", got)
	}
	for at, want := range map[int]int{0: 1, 4: 1, 5: 4, 9: 4, 10: 0} {
		if got := PageAt(pages, at); got != want {
			t.Errorf("character %d is on page %d, want %d", at, got, want)
		}
	}
	if got := (Parsed{Text: "x", Blocks: []Block{{Span: Span{0, 1}}}}).Pages(); got != nil {
		t.Errorf("a text without pages has %v", got)
	}
}
