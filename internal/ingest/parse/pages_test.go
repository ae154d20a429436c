package parse

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"footnote/internal/ingest/parse/document"
	"footnote/internal/text"
)

// Word notes where it began each page: before a paragraph's first word, in the middle of one, in a list, in a table. What stands after is on the page that it says.
func TestParse_WordPagesBeginWhereTheyAreNoted(t *testing.T) {
	t.Parallel()
	over := func(s string) string { return strings.ReplaceAll(s, "|", "</w:t><w:lastRenderedPageBreak/><w:t>") }
	item := func(s string) string {
		return over(paragraph(`<w:numPr><w:ilvl w:val="0"/><w:numId w:val="1"/></w:numPr>`, s))
	}
	row := func(cells ...string) string {
		out := "<w:tr>"
		for _, c := range cells {
			out += "<w:tc><w:tcPr/>" + over(paragraph("", c)) + "</w:tc>"
		}
		return out + "</w:tr>"
	}
	content := word(t, over(paragraph("", "On one."))+over(paragraph(`<w:pStyle w:val="Mine"/>`, "|標題在二"))+over(paragraph("", " Begins on two and |ends on three. 第三頁。"))+
		item("first on three")+item("second |on four")+item("|third on five")+paragraph("", "Between.")+
		"<w:tbl>"+row("head", "five")+row("b", "five")+row("|c", "six")+row("d, cut", "|by seven")+row("e", "seven")+"</w:tbl>"+paragraph("", "After the table."))
	p, err := Parse(t.Context(), content, "a.docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document", document.DefaultLimits)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, page := range p.Pages() {
		got = append(got, fmt.Sprintf("%d %q", page.Number, text.Slice(p.Text, page.Span.Start, page.Span.End)))
	}
	want := []string{
		`1 "On one.\n\n"`, `2 "標題在二\n\nBegins on two and "`, `3 "ends on three. 第三頁。\n\n第一條 first on three\n第二條 second "`, `4 "on four\n"`,
		`5 "第三條 third on five\n\nBetween.\n\nhead | five\nb | five\n"`, `6 "c | six\nd, cut | by seven\n"`, `7 "e | seven\n\nAfter the table."`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
