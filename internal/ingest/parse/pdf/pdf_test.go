package pdf

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"

	"footnote/internal/ingest/parse/document"
	"footnote/internal/rag"
	"footnote/internal/text"
)

// words at a place: font F1 (Helvetica), F2 (bold), F3 (Courier) or F4 (a Chinese one that every reader has to know).
type run struct {
	font    string
	size    float64
	x, y    float64
	content string
}

// file writes a PDF with the given runs on each page.
func file(title string, pages ...[]run) []byte {
	var b bytes.Buffer
	var offsets []int
	object := func(s string) {
		offsets = append(offsets, b.Len())
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", len(offsets), s)
	}
	b.WriteString("%PDF-1.7\n")
	var kids []string
	const first = 8 // the objects before the pages
	for i := range pages {
		kids = append(kids, fmt.Sprintf("%d 0 R", first+2*i))
	}
	object("<< /Type /Catalog /Pages 2 0 R >>")
	object(fmt.Sprintf("<< /Type /Pages /Kids [%s] /Count %d /MediaBox [0 0 595 842] >>", strings.Join(kids, " "), len(pages)))
	object("<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>")
	object("<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica-Bold /Encoding /WinAnsiEncoding >>")
	object("<< /Type /Font /Subtype /Type1 /BaseFont /Courier /Encoding /WinAnsiEncoding >>")
	object("<< /Type /Font /Subtype /Type0 /BaseFont /STSong-Light /Encoding /UniGB-UCS2-H /DescendantFonts [<< /Type /Font /Subtype /CIDFontType0 /BaseFont /STSong-Light " +
		"/CIDSystemInfo << /Registry (Adobe) /Ordering (GB1) /Supplement 2 >> /DW 1000 >>] >>")
	object("<< /Title (" + title + ") /Author (A. Author) /CreationDate (D:20240305120000Z) >>")
	for i, runs := range pages {
		var c strings.Builder
		for _, r := range runs {
			fmt.Fprintf(&c, "BT /%s %g Tf %g %g Td ", r.font, r.size, r.x, r.y)
			if r.font == "F4" {
				c.WriteByte('<')
				for _, u := range utf16.Encode([]rune(r.content)) {
					fmt.Fprintf(&c, "%04X", u)
				}
				c.WriteString("> Tj ET\n")
				continue
			}
			fmt.Fprintf(&c, "(%s) Tj ET\n", strings.NewReplacer("\\", "\\\\", "(", "\\(", ")", "\\)").Replace(r.content))
		}
		object(fmt.Sprintf("<< /Type /Page /Parent 2 0 R /Contents %d 0 R /Resources << /Font << /F1 3 0 R /F2 4 0 R /F3 5 0 R /F4 6 0 R >> >> >>", first+2*i+1))
		object(fmt.Sprintf("<< /Length %d >>\nstream\n%s\nendstream", c.Len(), c.String()))
	}
	at := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f \n", len(offsets)+1)
	for _, o := range offsets {
		fmt.Fprintf(&b, "%010d 00000 n \n", o)
	}
	fmt.Fprintf(&b, "trailer << /Size %d /Root 1 0 R /Info 7 0 R >>\nstartxref\n%d\n%%%%EOF\n", len(offsets)+1, at)
	return b.Bytes()
}

// lines stands lines below each other.
func lines(font string, size, x, y float64, contents ...string) (out []run) {
	for i, c := range contents {
		out = append(out, run{font, size, x, y - float64(i)*size*1.2, c})
	}
	return out
}

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
	var page []run
	page = append(page, lines("F2", 20, 50, 780, "Leave policy")...)
	page = append(page, lines("F1", 11, 50, 740, "Every employee has sixteen weeks of parental leave at full pay, and may take it in", "one piece or in several, as the department and the employee agree upon before-", "hand in writing.")...)
	page = append(page, lines("F2", 11, 50, 680, "Applying")...)
	page = append(page, lines("F1", 11, 50, 662, "\x95 Tell your manager.", "\x95 Send the form to the office", "  in your city.")...)
	for i, row := range [][]string{{"Country", "Weeks", "Pay"}, {"Germany", "14", "100 %"}, {"Japan", "16", "67 %"}} {
		for j, c := range row {
			page = append(page, run{"F1", 11, 50 + 150*float64(j), 600 - 14*float64(i), c})
		}
	}
	page = append(page, lines("F3", 10, 50, 520, "func main() {", "    leave()", "}")...)
	b, got := outline(t, file("Handbook", page))
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
	page := append(lines("F4", 20, 50, 780, "請假辦法"), lines("F4", 11, 50, 740,
		"育兒假為十六週，全薪，可以一次休完，也可以分幾次休。申請須提前一個月提交給人事部門，由部門主管", "批 准 後 生 效。期 間 工 資 照 發，聯絡 HR 部門。")...)
	_, got := outline(t, file("x", page))
	want := []string{"1 heading1: 請假辦法", "1 paragraph: 育兒假為十六週，全薪，可以一次休完，也可以分幾次休。申請須提前一個月提交給人事部門，由部門主管批准後生效。期間工資照發，聯絡 HR 部門。"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestParse_HeadersFootersAndPageNumbersGo(t *testing.T) {
	t.Parallel()
	var pages [][]run
	bodies := []string{"The first page tells of apples and goes on about", "The second page tells of pears and goes on about", "第三", "The fourth page tells of plums and ends with them."}
	for i, body := range bodies {
		font := "F1"
		if i == 2 {
			font = "F4"
			body = "第三頁說的是桃子。"
		}
		pages = append(pages, append(append(lines("F1", 9, 50, 810, fmt.Sprintf("Annual report %d", 2024)), lines(font, 11, 50, 700, body)...), lines("F1", 9, 290, 30, fmt.Sprintf("Page %d of 4", i+1))...))
	}
	_, got := outline(t, file("x", pages...))
	for _, line := range got {
		if strings.Contains(line, "Annual") || strings.Contains(line, "Page") {
			t.Errorf("%q is a header or a footer", line)
		}
	}
	if len(got) == 0 || !strings.HasPrefix(got[len(got)-1], "4 paragraph: The fourth page") {
		t.Errorf("got %q", got)
	}
	// Pages that hold nothing but their number keep it.
	if _, got := outline(t, file("x", lines("F1", 20, 290, 400, "1"), lines("F1", 20, 290, 400, "2"), lines("F1", 20, 290, 400, "3"))); len(got) != 3 {
		t.Errorf("got %q, want three pages", got)
	}
}

func TestParse_TwoColumnsRowByRow(t *testing.T) {
	t.Parallel()
	var page []run
	left := []string{"The left column is about the sea and", "its tides, which come and go with the", "moon, as every child that lives at a", "coast knows long before school tells", "it so, and as sailors have to know in", "order to come home. Storms are more", "than tides and less than floods, and", "nobody knows them quite in advance of", "all the rest."}
	right := []string{"The right column is about mountains", "and the snow on them, which melts in", "spring and fills the rivers below so", "that the fields have water in summer.", "Glaciers keep what falls in winter in", "store for dry years, and they are now", "smaller than they were when my father", "was young and went up there with his", "brothers."}
	for i := range left {
		y := 700 - 14*float64(i)
		page = append(page, run{"F1", 11, 50, y, left[i]}, run{"F1", 11, 320, y, right[i]})
	}
	_, got := outline(t, file("x", page))
	want := []string{"1 paragraph: " + strings.Join(left, " "), "1 paragraph: " + strings.Join(right, " ")}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestParse_FilesThatCannotBeRead(t *testing.T) {
	t.Parallel()
	good := file("x", lines("F1", 11, 50, 700, "Hello."))
	for name, c := range map[string]struct {
		content []byte
		says    string
	}{
		"cut":    {good[:200], "damaged"},
		"none":   {[]byte("%PDF-1.7\nnothing"), "damaged"},
		"blank":  {file("x", nil), "no text"},
		"images": {bytes.Replace(file("x", lines("F1", 11, 50, 700, "(x)")), []byte("BT /F1 11 Tf 50 700 Td (\\(x\\)) Tj ET"), []byte("0 0 100 100 re f 10 10 50 50 re f   "), 1), "scan"},
	} {
		err := Parse(t.Context(), &document.Builder{}, c.content)
		if rag.CodeOf(err) != rag.Invalid || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: got %v, want an error that says %q", name, err, c.says)
		}
	}
	if err := Parse(t.Context(), &document.Builder{Limits: document.Limits{Pages: 1}}, file("x", nil, nil)); rag.CodeOf(err) != rag.TooLarge {
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
	var many []run
	for i := range 60000 {
		many = append(many, run{"F1", 1, float64(i % 500), float64(i / 100), "abcdefghij klmnopqrst"})
	}
	slow := file("x", many, many, many)
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if err := Parse(ctx, &document.Builder{}, slow); err == nil {
		t.Error("got no error")
	}
	if _, got := outline(t, file("x", lines("F1", 11, 50, 700, "Hello again."))); len(got) != 1 {
		t.Errorf("got %q", got)
	}
}
