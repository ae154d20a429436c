package parse

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"compress/zlib"
	bits "encoding/binary"
	"fmt"
	"strings"
	"testing"
)

const passwd = "file:///etc/passwd"

// hostile lists files that were made to hurt, by what they try.
func hostile(t testing.TB) map[string]seed {
	t.Helper()
	out := map[string]seed{}
	add := func(what, name string, content []byte) { out[name+" "+what] = seed{name, content} }
	times := strings.Repeat
	xxe := `<!DOCTYPE x [<!ENTITY e SYSTEM "` + passwd + `"><!ENTITY % p SYSTEM "http://127.0.0.1:1/x"> %p;]>`
	laughs := `<!DOCTYPE x [<!ENTITY a "haha haha haha">`
	for c := 'b'; c <= 'j'; c++ {
		laughs += fmt.Sprintf(`<!ENTITY %c "%s">`, c, times(fmt.Sprintf("&%c;", c-1), 10))
	}
	laughs += "]>"
	for what, head := range map[string]string{"external entity": xxe, "billion laughs": laughs} {
		ref := "&e;&j;"
		add(what, "a.xml", []byte(head+"<x><p>"+ref+" text</p></x>"))
		add(what, "a.html", []byte(head+"<html><body><p>"+ref+" text</p></body></html>"))
		add(what, "a.docx", zipped(t, "word/document.xml", head+`<w:document `+w+`><w:body>`+paragraph("", ref)+`</w:body></w:document>`))
		add(what, "a.pptx", zipped(t, "ppt/presentation.xml", head+`<p><sldIdLst>`+ref+`</sldIdLst></p>`))
		add(what, "a.xlsx", zipped(t, "[Content_Types].xml", "<Types/>", "xl/workbook.xml", head+`<workbook><sheets>`+ref+`</sheets></workbook>`))
		add(what, "a.odt", zipped(t, "mimetype", "application/vnd.oasis.opendocument.text", "content.xml", head+`<o><text><p>`+ref+`</p></text></o>`))
		add(what, "a.epub", zipped(t, "mimetype", "application/epub+zip", "META-INF/container.xml", head+`<c>`+ref+`<rootfile full-path="x.opf"/></c>`, "x.opf", head+"<p>"+ref+"</p>"))
	}

	// Files that ask for other files.
	add("include", "a.tex", []byte(`\documentclass{article}\begin{document}\input{/etc/passwd}\include{/etc/passwd}\verbatiminput{/etc/passwd} x\end{document}`))
	add("include", "a.rst", []byte(".. include:: /etc/passwd\n\n.. literalinclude:: /etc/passwd\n\n.. raw:: html\n   :file: /etc/passwd\n\nx\n"))
	add("include", "a.adoc", []byte("include::/etc/passwd[]\n\nx\n"))
	add("include", "a.html", []byte(`<html><body><iframe src="`+passwd+`"></iframe><object data="`+passwd+`"></object><img src="`+passwd+`"><p>x</p></body></html>`))
	add("include", "a.xml", []byte(`<x xmlns:xi="http://www.w3.org/2001/XInclude"><xi:include href="`+passwd+`" parse="text"/><p>x</p></x>`))
	add("tag", "a.yaml", []byte("a: !!python/object/apply:os.system ['id']\nb: !include /etc/passwd\n"))
	add("paths", "a.docx", zipped(t, "word/_rels/document.xml.rels", fmt.Sprintf(rels, fmt.Sprintf(relPart, "1", "../../../../etc/passwd")+fmt.Sprintf(relPart, "2", passwd)), "word/document.xml", `<w:document `+w+`><w:body>`+paragraph("", "x")+`</w:body></w:document>`))
	add("paths", "a.epub", zipped(t, "mimetype", "application/epub+zip", "META-INF/container.xml", `<c><rootfile full-path="../../../../etc/passwd"/></c>`))
	add("paths of chapters", "a.epub", zipped(t, "mimetype", "application/epub+zip", "META-INF/container.xml", `<c><rootfile full-path="x.opf"/></c>`, "x.opf", `<p><item id="a" href="/../../etc/passwd" media-type="html"/><item id="b" href="`+passwd+`" media-type="html"/><itemref idref="a"/><itemref idref="b"/></p>`))
	add("paths", "a.zip", zipped(t, "../../../etc/passwd.txt", "x", "/etc/passwd.md", "x", `..\..\windows\x.txt`, "x", times("a/", 5000)+"x.txt", "x", "\x00.txt", "x"))
	add("paths", "a.tgz", tarred(t, "../../etc/passwd.txt", "x", "/etc/passwd.md", "x"))
	add("links and devices", "a.tar", linked(t))

	// Circles.
	add("circle", "a.epub", zipped(t, "mimetype", "application/epub+zip", "META-INF/container.xml", `<c><rootfile full-path="x.opf"/></c>`, "x.opf", `<p><item id="a" href="x.opf" media-type="html"/>`+times(`<itemref idref="a"/>`, 20000)+`</p>`))
	add("circle of slides", "a.pptx", zipped(t, "[Content_Types].xml", "<Types/>", "ppt/presentation.xml", `<p xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sldIdLst>`+times(`<sldId r:id="r1"/>`, 20000)+`</sldIdLst></p>`,
		"ppt/_rels/presentation.xml.rels", fmt.Sprintf(rels, fmt.Sprintf(relPart, "r1", "slides/s.xml")), "ppt/slides/s.xml", `<s><sp><txBody><p><r><t>`+times("text ", 100)+`</t></r></p></txBody></sp></s>`, "ppt/slides/_rels/s.xml.rels", fmt.Sprintf(rels, fmt.Sprintf(relPart, "n", "s.xml"))))
	add("circle of styles", "a.odt", zipped(t, "mimetype", "application/vnd.oasis.opendocument.text", "content.xml", `<o xmlns:style="s"><style style:name="a" style:parent-style-name="b"/><style style:name="b" style:parent-style-name="a"/><text><p style-name="a">x</p></text></o>`))
	add("circle of aliases", "a.yaml", []byte("a: &a\n  b: *a\n"))
	add("circle of pages", "a.pdf", objectFile([]string{"<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Kids [2 0 R 3 0 R 2 0 R] /Count 3 /Parent 2 0 R >>", "<< /Type /Pages /Kids [2 0 R] /Count 1 /Parent 2 0 R >>"}))
	add("circle of forms", "a.pdf", portable("/X Do", "<< /Type /XObject /Subtype /Form /BBox [0 0 9 9] /Resources << /XObject << /X 6 0 R >> >> /Length 11 >>\nstream\n/X Do /X Do\nendstream"))
	add("circle of lengths", "a.pdf", portable("x", "<< /Length 6 0 R >>\nstream\nx\nendstream"))
	add("circle of versions", "a.pdf", bytes.Replace(portable("BT ET"), []byte("/Root 1 0 R"), []byte("/Root 1 0 R /Prev 9"), 1))

	// Nesting.
	deep := 200000
	add("deep", "a.html", []byte(times("<div><b>", deep)+"x"))
	add("deep lists", "a.html", []byte(times("<ul><li>", deep)+"x"))
	add("deep tables", "a.html", []byte(times("<table><tr><td>", 20000)+"x"))
	add("deep formatting", "a.html", []byte(times("<a href=x><b><i>", 2000)+times("<p>x", 2000)))
	add("deep", "a.xml", []byte(times("<a>", deep)))
	add("deep", "a.json", []byte(times(`{"a":[`, deep)))
	add("deep", "a.ipynb", []byte(`{"cells":`+times("[", deep)))
	add("deep", "a.yaml", []byte(times("[", deep)))
	add("deep keys", "a.yaml", []byte(times("? ", 50000)))
	add("deep quotes", "a.md", []byte(times(">", 50000)+"x"))
	add("deep lists", "a.md", []byte(times("- ", 50000)+"x"))
	add("brackets", "a.md", []byte(times("[a](", 100000)))
	add("emphasis", "a.md", []byte(times("*a_", 100000)))
	add("ticks", "a.md", []byte(times("`a``b", 50000)))
	add("deep", "a.tex", []byte(`\begin{document}`+times(`\textbf{`, deep)+times(`\begin{itemize}\item `, 5000)))
	add("macros", "a.tex", []byte(`\def\a{\a\a}\newcommand{\b}{\b\b}\begin{document}\a\b x`+times(`\a`, 50000)+`\end{document}`))
	add("deep", "a.adoc", []byte(times("====\n", 50000)+times("*", 50000)+" x\n"))
	add("deep", "a.rst", []byte(times("* ", 50000)+"x\n\n"+times("=\n", 50000)))
	add("deep", "a.docx", word(t, times(`<w:tbl><w:tr><w:tc>`, 20000)))
	add("deep", "a.odt", zipped(t, "mimetype", "application/vnd.oasis.opendocument.text", "content.xml", `<o><text>`+times(`<list><list-item>`, 20000)))
	add("deep parts", "a.eml", []byte("Content-Type: multipart/mixed; boundary=b0\r\n\r\n"+nestedParts(3000)))
	add("deep messages", "a.eml", []byte(times("Content-Type: message/rfc822\r\n\r\n", 20000)))
	add("deep arrays", "a.pdf", portable("BT ET", times("[", 100000)))
	add("deep arrays in a page", "a.pdf", portable(times("[", 200000)))
	add("deep states", "a.pdf", portable(times("q ", 200000)+"BT /F1 9 Tf (x) Tj ET"))
	packed := zipped(t, "x.txt", "deep")
	for range 50 {
		packed = zipped(t, "x.zip", string(packed))
	}
	add("deep", "a.zip", packed)
	squeezed := []byte("deep")
	for range 50 {
		squeezed = compressed(t, squeezed)
	}
	add("deep", "a.gz", squeezed)

	// What unpacks to much more than it is.
	zeros := times("0", 16<<20)
	add("bomb", "a.gz", compressed(t, []byte(zeros)))
	add("bomb", "a.zip", zipped(t, "a.txt", zeros))
	add("bomb", "a.tgz", tarred(t, "a.txt", zeros))
	add("bomb", "a.docx", zipped(t, "word/document.xml", zeros))
	add("bomb", "a.xlsx", zipped(t, "[Content_Types].xml", "<Types/>", "xl/workbook.xml", zeros))
	add("bomb", "a.epub", zipped(t, "mimetype", "application/epub+zip", "META-INF/container.xml", zeros))
	add("bomb", "a.odt", zipped(t, "mimetype", "application/vnd.oasis.opendocument.text", "content.xml", zeros))
	add("bomb", "a.pdf", portable("BT ET", deflated(t, zeros)))
	add("bomb in a page", "a.pdf", bomb(t, "BT /F1 9 Tf "+times("(xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx) Tj ", 30000)+" ET"))
	add("one part many times", "a.zip", overlapping(t, times("x ", 1<<20), 150))
	add("the same chapter", "a.epub", zipped(t, "mimetype", "application/epub+zip", "META-INF/container.xml", `<c><rootfile full-path="x.opf"/></c>`, "x.opf", `<p><item id="a" href="a.html" media-type="html"/>`+times(`<itemref idref="a"/>`, 5000)+`</p>`, "a.html", "<p>"+times("word ", 20000)))
	add("a laugh", "a.yaml", []byte("a: &a [x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d]\nf: &f [*e,*e,*e,*e,*e,*e,*e,*e]\ng: [*f,*f,*f,*f,*f,*f,*f,*f]\n"))

	// Counts and sizes that lie.
	add("rows", "a.ods", zipped(t, "mimetype", "application/vnd.oasis.opendocument.spreadsheet", "content.xml", `<o xmlns:table="t"><spreadsheet>`+times(`<table><table-row number-rows-repeated="1048576"><table-cell number-columns-repeated="16384"><p>x</p></table-cell></table-row></table>`, 50)+`</spreadsheet></o>`))
	add("spaces", "a.odt", zipped(t, "mimetype", "application/vnd.oasis.opendocument.text", "content.xml", `<o xmlns:text="t"><text><p>x`+times(`<text:s text:c="2000000000"/>`, 100)+`</p></text></o>`))
	add("far cells", "a.xlsx", sheetOf(t, `<dimension ref="A1:XFD1048576"/><sheetData><row r="1048576"><c r="XFD1048576" t="s"><v>2147483647</v></c></row><row r="1"><c r="A1" t="s"><v>-1</v></c><c r="ZZZZZZ99999999999"><v>1</v></c></row></sheetData><mergeCells><mergeCell ref="A1:XFD1048576"/></mergeCells>`))
	add("rows that go back", "a.xlsx", sheetOf(t, `<sheetData>`+times(`<row r="1000000"><c r="XFD1"><v>1</v></c></row><row r="1"><c r="A1"><v>1</v></c></row>`, 50)+`</sheetData>`))
	add("spans", "a.html", []byte("<table>"+times(`<tr><td colspan="999999999" rowspan="999999999">x</td></tr>`, 5000)+"</table>"))
	add("spans across", "a.html", []byte("<table><tr>"+times(`<td rowspan="65534" colspan="1000">x</td>`, 200)+"</tr>"+times("<tr><td>y", 20000)+"</table>"))
	add("one wide row", "a.csv", []byte(times("x,", 1<<20)))
	add("an open quote", "a.csv", []byte(`a,"`+times("x\n", 1<<19)))
	add("many quotes", "a.csv", []byte(times(`"`, 1<<20)))
	add("long number", "a.json", []byte(times("9", 1<<20)))
	add("many attributes", "a.html", []byte("<p "+times("a=b ", 100000)+">x</p>"))
	add("different attributes", "a.xml", []byte("<p "+attributes(50000)+">x</p>"))
	add("many classes", "a.html", []byte(`<div class="`+times("comment sidebar ", 100000)+`"><p>x</p></div>`))
	add("many small blocks", "a.html", []byte(times("<div class=post><p>"+times("word ", 15)+"</p></div>", 20000)))
	add("many headings", "a.html", []byte(times("<h1>x</h1><h2>y</h2>", 50000)))
	add("many links", "a.html", []byte(times("<a href=x>a link to elsewhere</a> ", 100000)))
	add("an open comment", "a.html", []byte("<p>x</p>"+times("<!--", 200000)))
	add("many messages", "a.mbox", []byte(times("From a@b Tue Mar  5 12:00:00 2024\nSubject: x\n\ny\n\n", 20000)))
	add("long headers", "a.eml", []byte("Subject: "+times("=?utf-8?B?6KuL5YGH?= ", 50000)+"\r\n\r\nx"))
	add("many headers", "a.eml", []byte(times("X: y\r\n", 200000)+"\r\nx"))
	add("no boundary", "a.eml", []byte("Content-Type: multipart/mixed\r\n\r\n"+times("--\r\n", 100000)))
	add("sizes", "a.tar", lyingTar(t))
	add("pages", "a.pdf", bytes.Replace(portable("BT ET"), []byte("/Count 1"), []byte("/Count 2147483647"), 1))
	add("sizes", "a.pdf", bytes.Replace(portable("BT ET"), []byte("/Size 6"), []byte("/Size 2147483647"), 1))
	add("a huge page", "a.pdf", bytes.Replace(portable("BT /F1 1e30 Tf 1e30 -1e30 Td (x) Tj ET BT /F1 nan Tf (y) Tj ET"), []byte("[0 0 595 842]"), []byte("[-1e38 -1e38 1e38 1e38]"), 1))
	add("predictor", "a.pdf", portable("BT ET", "<< /Filter /FlateDecode /DecodeParms << /Predictor 15 /Columns 2147483647 /Colors 32 /BitsPerComponent 16 >> /Length 3 >>\nstream\nxxx\nendstream"))
	add("many cues", "a.vtt", []byte("WEBVTT\n\n"+times("00:00.000 --> 99:99:99.999\n<v a><v b>x\n\n", 50000)))
	add("open tags", "a.vtt", []byte("WEBVTT\n\n00:00.000 --> 99:99:99.999\n"+times("<v", 500000)))
	add("table rules", "a.rst", []byte(times("+---", 20000)+"+\n"+times("|x", 20000)+"|\n"))
	add("columns", "a.adoc", []byte("[cols=\"1000000*\"]\n|===\n"+times("|x ", 100000)+"\n|===\n"))
	for name, at := range map[string]int{"table": 44, "directory": 48, "mini": 60, "double": 68, "sector": 30} {
		m := outlook("x", "y")
		bits.LittleEndian.PutUint32(m[at:], 0x7fffffff)
		add("lying "+name, "a.msg", m)
	}
	m := outlook("x", "y")
	for i := 512; i < 1024; i += 4 {
		bits.LittleEndian.PutUint32(m[i:], 3) // every sector is followed by the fourth
	}
	add("circle of sectors", "a.msg", m)
	m = outlook("x", "y")
	for _, at := range []int{68, 72, 76} {
		bits.LittleEndian.PutUint32(m[1024+128+at:], 1) // an entry that is its own sibling and child
	}
	add("circle of entries", "a.msg", m)
	m = outlook("x", "y")
	bits.LittleEndian.PutUint64(m[1024+128+120:], 1<<62)
	add("size", "a.msg", m)
	return out
}

func attributes(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "a%d='x' ", i)
	}
	return b.String()
}

// nestedParts is a mail of parts in parts.
func nestedParts(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "--b%d\r\nContent-Type: multipart/mixed; boundary=b%d\r\n\r\n", i, i+1)
	}
	return b.String()
}

func compressed(t testing.TB, content []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// deflated is an object of a PDF with a stream that unpacks to content.
func deflated(t testing.TB, content string) string {
	t.Helper()
	var b bytes.Buffer
	z := zlib.NewWriter(&b)
	if _, err := z.Write([]byte(content)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("<< /Filter /FlateDecode /Length %d >>\nstream\n%s\nendstream", b.Len(), b.String())
}

// bomb is a PDF whose 40 pages share one packed content.
func bomb(t testing.TB, content string) []byte {
	t.Helper()
	objects := []string{"<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Kids [" + strings.Repeat("5 0 R ", 40) + "] /Count 40 /MediaBox [0 0 595 842] >>",
		"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>", deflated(t, content), "<< /Type /Page /Parent 2 0 R /Contents 4 0 R /Resources << /Font << /F1 3 0 R >> >> >>"}
	return objectFile(objects)
}

// overlapping is a zip file whose directory names one part many times.
func overlapping(t testing.TB, content string, n int) []byte {
	t.Helper()
	z := zipped(t, "aaaa.txt", content)
	at := bytes.LastIndex(z, []byte("PK\x01\x02"))
	last := bytes.LastIndex(z, []byte("PK\x05\x06"))
	entry, tail := z[at:last], bytes.Clone(z[last:])
	var b bytes.Buffer
	b.Write(z[:at])
	for i := range n {
		e := bytes.Clone(entry)
		copy(e[46:], fmt.Sprintf("%04d", i))
		b.Write(e)
	}
	bits.LittleEndian.PutUint16(tail[8:], uint16(n))
	bits.LittleEndian.PutUint16(tail[10:], uint16(n))
	bits.LittleEndian.PutUint32(tail[12:], uint32(n*len(entry)))
	b.Write(tail)
	return b.Bytes()
}

func sheetOf(t testing.TB, sheet string) []byte {
	t.Helper()
	return zipped(t,
		"[Content_Types].xml", `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/></Types>`,
		"_rels/.rels", `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>`,
		"xl/workbook.xml", `<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="s" sheetId="1" r:id="r1"/></sheets></workbook>`,
		"xl/_rels/workbook.xml.rels", `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/></Relationships>`,
		"xl/worksheets/sheet1.xml", `<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">`+sheet+`</worksheet>`)
}

// linked is a tar archive of links and devices under names that are read.
func linked(t testing.TB) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for i, kind := range []byte{tar.TypeSymlink, tar.TypeLink, tar.TypeChar, tar.TypeBlock, tar.TypeFifo} {
		if err := w.WriteHeader(&tar.Header{Name: fmt.Sprintf("%d.txt", i), Linkname: "/etc/passwd", Typeflag: kind, Devmajor: 1, Devminor: 5}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// lyingTar is a tar archive whose only file claims 8 EiB.
func lyingTar(t testing.TB) []byte {
	t.Helper()
	b := untarred(t, "a.txt", "x")
	copy(b[124:136], "\x80\x00\x00\x00\x7f\xff\xff\xff\xff\xff\xff\xff")
	sum := 0
	copy(b[148:156], "        ")
	for _, c := range b[:512] {
		sum += int(c)
	}
	copy(b[148:156], fmt.Sprintf("%06o\x00 ", sum))
	return b
}
