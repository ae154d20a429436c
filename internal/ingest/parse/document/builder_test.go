package document

import (
	"fmt"
	"strings"
	"testing"

	"footnote/internal/rag"
	"footnote/internal/text"
)

// Normalisation changes lengths and trims ends; the places where pages begin follow, also when the block is taken over into another document.
func TestBuilder_TurnsFollowTheText(t *testing.T) {
	t.Parallel()
	s := " \n cafe\u0301 \r\non one; 第二頁 on two; on three \n "
	at := func(part string, page int) rag.PageTurn { return rag.PageTurn{At: strings.Index(s, part), Page: page} }
	inner := &Builder{}
	inner.Page(1)
	inner.AddOver(rag.BlockParagraph, 0, s, []rag.PageTurn{at("第二", 2), at("on three", 3), {At: len(s) - 2, Page: 4}})
	inner.Page(4)
	inner.AddOver(rag.BlockParagraph, 0, "x on four", []rag.PageTurn{{At: 0, Page: 5}})
	inner.Page(5)
	inner.TableOver([][]string{{"", " "}, {"a", "b"}, {"  "}, {"c", "d"}, {""}}, 1, []rag.PageTurn{{At: 2, Page: 6}, {At: 3, Page: 7}, {At: 4, Page: 8}})
	outer := &Builder{}
	outer.Add(rag.BlockHeading, 1, "attached")
	outer.Append(inner)
	p := outer.Parsed("")
	var got []string
	for _, page := range p.Pages() {
		got = append(got, fmt.Sprintf("%d %q", page.Number, text.Slice(p.Text, page.Span.Start, page.Span.End)))
	}
	want := `1 "café \non one; " 2 "第二頁 on two; " 3 "on three\n\n" 5 "x on four\n\na | b\n" 7 "c | d"`
	if strings.Join(got, " ") != want {
		t.Errorf("got %s\nwant %s", strings.Join(got, " "), want)
	}
}
