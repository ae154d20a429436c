package pdf

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"footnote/internal/ingest/parse/document"
	"footnote/internal/ingest/parse/parsetest"
	"footnote/internal/rag"
	"footnote/internal/text"
)

func outline(t *testing.T, content []byte) (*document.Builder, []string) {
	t.Helper()
	b := &document.Builder{Limits: document.DefaultLimits}
	if err := Parse(t.Context(), b, content); err != nil {
		t.Fatal(err)
	}
	var out []string
	x := text.NewIndex(b.Text())
	for _, block := range b.Blocks() {
		level := ""
		if block.Level > 0 {
			level = fmt.Sprint(block.Level)
		}
		out = append(out, fmt.Sprintf("%d %s%s: %s", block.Page, block.Kind, level, x.Slice(block.Span)))
	}
	return b, out
}

func TestParse_StructureOfAPage(t *testing.T) {
	t.Parallel()
	var page []parsetest.Run
	page = append(page, parsetest.Lines("F2", 20, 50, 780, "Leave policy")...)
	page = append(page, parsetest.Lines("F1", 11, 50, 740, "Every employee has sixteen weeks of parental leave at full pay, and may take it in", "one piece or in several, as the department and the employee agree upon before-", "hand in writing.")...)
	page = append(page, parsetest.Lines("F2", 11, 50, 680, "Applying")...)
	page = append(page, parsetest.Lines("F1", 11, 50, 662, "\x95 Tell your manager.", "\x95 Send the form to the office", "  in your city.")...)
	for i, row := range [][]string{{"Country", "Weeks", "Pay"}, {"Germany", "14", "100 %"}, {"Japan", "16", "67 %"}} {
		for j, c := range row {
			page = append(page, parsetest.Run{Font: "F1", Size: 11, X: 50 + 150*float64(j), Y: 600 - 14*float64(i), Content: c})
		}
	}
	page = append(page, parsetest.Lines("F3", 10, 50, 520, "func main() {", "    leave()", "}")...)
	b, got := outline(t, parsetest.PDF("Handbook", page))
	want := []string{
		"1 heading1: Leave policy",
		"1 paragraph: Every employee has sixteen weeks of parental leave at full pay, and may take it in one piece or in several, as the department and the employee agree upon beforehand in writing.",
		"1 heading2: Applying",
		"1 list1: - Tell your manager.\n- Send the form to the office in your city.",
		"1 table: Country | Weeks | Pay\nGermany | 14 | 100 %\nJapan | 16 | 67 %",
		"1 code: func main() {\n    leave()\n}",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if b.Title != "Handbook" || b.Metadata["author"] != "A. Author" || b.Metadata["created"] != "2024-03-05T12:00:00Z" {
		t.Errorf("title %q, metadata %v", b.Title, b.Metadata)
	}
	if head := b.Blocks()[4].Header; text.Slice(b.Text(), head.Start, head.End) != "Country | Weeks | Pay" {
		t.Errorf("got the table's head at %v", head)
	}
}

func TestParse_ChineseHasNoStraySpaces(t *testing.T) {
	t.Parallel()
	page := append(parsetest.Lines("F4", 20, 50, 780, "請假辦法"), parsetest.Lines("F4", 11, 50, 740,
		"育兒假為十六週，全薪，可以一次休完，也可以分幾次休。申請須提前一個月提交給人事部門，由部門主管", "批 准 後 生 效。期 間 工 資 照 發，聯絡 HR 部門。")...)
	_, got := outline(t, parsetest.PDF("x", page))
	want := []string{"1 heading1: 請假辦法", "1 paragraph: 育兒假為十六週，全薪，可以一次休完，也可以分幾次休。申請須提前一個月提交給人事部門，由部門主管批准後生效。期間工資照發，聯絡 HR 部門。"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// A formula's letters and rare Chinese characters lie beyond U+FFFF; half of one says nothing.
func TestParse_CharactersBeyondTheBasicPlane(t *testing.T) {
	t.Parallel()
	_, got := outline(t, parsetest.PDF("x", append(parsetest.Lines("F1", 11, 50, 700, "Let"), parsetest.Run{Font: "F5", Size: 11, X: 70, Y: 700, Content: "P Qa"}, parsetest.Run{Font: "F1", Size: 11, X: 110, Y: 700, Content: "be prime."})))
	if diff := cmp.Diff([]string{"1 paragraph: Let 𝑃 𝑄𠮷 be prime."}, got); diff != "" {
		t.Error(diff)
	}
}

func TestParse_HeadersFootersAndPageNumbersGo(t *testing.T) {
	t.Parallel()
	var pages [][]parsetest.Run
	bodies := []string{"The first page tells of apples and goes on about", "The second page tells of pears and goes on about", "第三", "The fourth page tells of plums and ends with them."}
	for i, body := range bodies {
		font := "F1"
		if i == 2 {
			font = "F4"
			body = "第三頁說的是桃子。"
		}
		pages = append(pages, append(append(parsetest.Lines("F1", 9, 50, 810, fmt.Sprintf("Annual report %d", 2024)), parsetest.Lines(font, 11, 50, 700, body)...), parsetest.Lines("F1", 9, 290, 30, fmt.Sprintf("Page %d of 4", i+1))...))
	}
	_, got := outline(t, parsetest.PDF("x", pages...))
	for _, line := range got {
		if strings.Contains(line, "Annual") || strings.Contains(line, "Page") {
			t.Errorf("%q is a header or a footer", line)
		}
	}
	if len(got) == 0 || !strings.HasPrefix(got[len(got)-1], "4 paragraph: The fourth page") {
		t.Errorf("got %q", got)
	}
	// Pages that hold nothing but their number keep it.
	if _, got := outline(t, parsetest.PDF("x", parsetest.Lines("F1", 20, 290, 400, "1"), parsetest.Lines("F1", 20, 290, 400, "2"), parsetest.Lines("F1", 20, 290, 400, "3"))); len(got) != 3 {
		t.Errorf("got %q, want three pages", got)
	}
}

// What goes on over a page's end is one block, which knows where the pages begin.
func TestParse_BlocksOverPagesKnowWhereEachBegins(t *testing.T) {
	t.Parallel()
	row := func(y float64, cells ...string) (out []parsetest.Run) {
		for j, c := range cells {
			out = append(out, parsetest.Run{Font: "F1", Size: 11, X: 50 + 150*float64(j), Y: y, Content: c})
		}
		return out
	}
	join := func(parts ...[]parsetest.Run) (out []parsetest.Run) {
		for _, p := range parts {
			out = append(out, p...)
		}
		return out
	}
	file := parsetest.PDF("x",
		join(parsetest.Lines("F1", 11, 50, 700, "Every employee has sixteen weeks of parental leave at full pay. The leave may be taken in one piece or in several, as the"),
			parsetest.Lines("F1", 11, 50, 60, "department and the employee agree. An application names the first day of")),
		join(parsetest.Lines("F1", 11, 50, 780, "the leave and its last. It is decided within a week."), row(120, "Country", "Weeks", "Pay"), row(106, "Germany", "14", "100 %")),
		join(row(780, "Japan", "16", "67 %"), row(766, "Norway", "49", "100 %"), parsetest.Lines("F4", 11, 50, 100, "育兒假為十六週，全薪，可以一次休完，也可以分幾次休。申請須提前一個月提交給人事部")),
		join(parsetest.Lines("F4", 11, 50, 780, "門，由部門主管批准後生效。期間工資照發。"), parsetest.Lines("F1", 11, 50, 700, "\x95 Tell your manager."), parsetest.Lines("F1", 11, 50, 686, "\x95 Send the form.")),
		parsetest.Lines("F1", 11, 50, 780, "\x95 Wait for the answer."),
	)
	b, _ := outline(t, file)
	p := b.Parsed("application/pdf")
	pages := p.Pages()
	got := map[string]int{}
	for _, at := range []string{"Every employee", "department and", "the leave and its last", "It is decided", "Country | Weeks", "Germany", "Japan", "Norway", "育兒假", "人事部", "門，由", "期間", "- Tell", "- Send", "- Wait"} {
		i := strings.Index(p.Text, at)
		if i < 0 {
			t.Fatalf("%q is not in %q", at, p.Text)
		}
		got[at] = rag.PageAt(pages, text.Len(p.Text[:i]))
	}
	want := map[string]int{"Every employee": 1, "department and": 1, "the leave and its last": 2, "It is decided": 2, "Country | Weeks": 2, "Germany": 2, "Japan": 3, "Norway": 3, "育兒假": 3, "人事部": 3, "門，由": 4, "期間": 4, "- Tell": 4, "- Send": 4, "- Wait": 5}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s\n%q", diff, p.Text)
	}
	over := 0
	for _, block := range b.Blocks() {
		over += len(block.Turns)
	}
	if over != 4 {
		t.Errorf("got %d turns inside blocks, want 4: %+v", over, b.Blocks())
	}
}

func TestParse_TwoColumnsRowByRow(t *testing.T) {
	t.Parallel()
	var page []parsetest.Run
	left := []string{"The left column is about the sea and", "its tides, which come and go with the", "moon, as every child that lives at a", "coast knows long before school tells", "it so, and as sailors have to know in", "order to come home. Storms are more", "than tides and less than floods, and", "nobody knows them quite in advance of", "all the rest."}
	right := []string{"The right column is about mountains", "and the snow on them, which melts in", "spring and fills the rivers below so", "that the fields have water in summer.", "Glaciers keep what falls in winter in", "store for dry years, and they are now", "smaller than they were when my father", "was young and went up there with his", "brothers."}
	for i := range left {
		y := 700 - 14*float64(i)
		page = append(page, parsetest.Run{Font: "F1", Size: 11, X: 50, Y: y, Content: left[i]}, parsetest.Run{Font: "F1", Size: 11, X: 320, Y: y, Content: right[i]})
	}
	_, got := outline(t, parsetest.PDF("x", page))
	want := []string{"1 paragraph: " + strings.Join(left, " "), "1 paragraph: " + strings.Join(right, " ")}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestParse_FilesThatCannotBeRead(t *testing.T) {
	t.Parallel()
	good := parsetest.PDF("x", parsetest.Lines("F1", 11, 50, 700, "Hello."))
	for name, c := range map[string]struct {
		content []byte
		says    string
	}{
		"cut":    {good[:200], "damaged"},
		"none":   {[]byte("%PDF-1.7\nnothing"), "damaged"},
		"blank":  {parsetest.PDF("x", nil), "no text"},
		"images": {bytes.Replace(parsetest.PDF("x", parsetest.Lines("F1", 11, 50, 700, "(x)")), []byte("BT /F1 11 Tf 50 700 Td (\\(x\\)) Tj ET"), []byte("0 0 100 100 re f 10 10 50 50 re f   "), 1), "scan"},
	} {
		err := Parse(t.Context(), &document.Builder{}, c.content)
		if rag.CodeOf(err) != rag.Invalid || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: got %v, want an error that says %q", name, err, c.says)
		}
	}
	if err := Parse(t.Context(), &document.Builder{Limits: document.Limits{Pages: 1}}, parsetest.PDF("x", nil, nil)); rag.CodeOf(err) != rag.TooLarge {
		t.Errorf("got %v, want too_large", err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := Parse(ended, &document.Builder{}, good); err == nil {
		t.Error("got no error from a context that has ended")
	}
}

// A page that takes PDFium for ever is stopped inside WebAssembly, and the next file is read as if nothing had been.
func TestParse_StopsWhenTheTimeIsUp(t *testing.T) {
	t.Parallel()
	var many []parsetest.Run
	for i := range 60000 {
		many = append(many, parsetest.Run{Font: "F1", Size: 1, X: float64(i % 500), Y: float64(i / 100), Content: "abcdefghij klmnopqrst"})
	}
	slow := parsetest.PDF("x", many, many, many)
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if err := Parse(ctx, &document.Builder{}, slow); err == nil {
		t.Error("got no error")
	}
	if _, got := outline(t, parsetest.PDF("x", parsetest.Lines("F1", 11, 50, 700, "Hello again."))); len(got) != 1 {
		t.Errorf("got %q", got)
	}
}
