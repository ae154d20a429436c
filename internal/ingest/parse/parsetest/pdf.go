package parsetest

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf16"
)

// Run is words at a place on a page: font F1 (Helvetica), F2 (bold), F3 (Courier), F4 (a Chinese one that every reader has to know) or F5 (of which
// A to Z are the mathematical italics from U+1D434 on, and a is the character U+20BB7).
type Run struct {
	Font    string
	Size    float64
	X, Y    float64
	Content string
}

// PDF is a file with the given runs on each page.
func PDF(title string, pages ...[]Run) []byte {
	var b bytes.Buffer
	var offsets []int
	object := func(s string) {
		offsets = append(offsets, b.Len())
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", len(offsets), s)
	}
	b.WriteString("%PDF-1.7\n")
	var kids []string
	const first = 10 // the objects before the pages
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
	object("<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding /ToUnicode 9 0 R >>")
	const toUnicode = "/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /X def 1 begincodespacerange <00> <FF> endcodespacerange " +
		"1 beginbfrange <41> <5A> <D835DC34> endbfrange 1 beginbfchar <61> <D842DFB7> endbfchar endcmap end end"
	object(fmt.Sprintf("<< /Length %d >>\nstream\n%s\nendstream", len(toUnicode), toUnicode))
	for i, runs := range pages {
		var c strings.Builder
		for _, r := range runs {
			fmt.Fprintf(&c, "BT /%s %g Tf %g %g Td ", r.Font, r.Size, r.X, r.Y)
			if r.Font == "F4" {
				c.WriteByte('<')
				for _, u := range utf16.Encode([]rune(r.Content)) {
					fmt.Fprintf(&c, "%04X", u)
				}
				c.WriteString("> Tj ET\n")
				continue
			}
			fmt.Fprintf(&c, "(%s) Tj ET\n", strings.NewReplacer("\\", "\\\\", "(", "\\(", ")", "\\)").Replace(r.Content))
		}
		object(fmt.Sprintf("<< /Type /Page /Parent 2 0 R /Contents %d 0 R /Resources << /Font << /F1 3 0 R /F2 4 0 R /F3 5 0 R /F4 6 0 R /F5 8 0 R >> >> >>", first+2*i+1))
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

// Lines stands lines below each other.
func Lines(font string, size, x, y float64, contents ...string) (out []Run) {
	for i, c := range contents {
		out = append(out, Run{font, size, x, y - float64(i)*size*1.2, c})
	}
	return out
}
