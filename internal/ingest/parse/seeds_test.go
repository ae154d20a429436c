package parse

import (
	"archive/tar"
	"bytes"
	bits "encoding/binary" // the package has a function binary
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/xuri/excelize/v2"
)

// seed is a small sound file, for tests that break it.
type seed struct {
	name    string
	content []byte
}

// seeds has a file of each format.
func seeds(t testing.TB) []seed {
	t.Helper()
	const (
		slides = `xmlns:p="p" xmlns:a="a" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"`
		open   = `xmlns:office="o" xmlns:text="t" xmlns:table="http://openoffice.org/table" xmlns:draw="d" xmlns:presentation="p"`
	)
	opened := func(kind, body string) []byte {
		return zipped(t, "mimetype", "application/vnd.oasis.opendocument."+kind, "content.xml", `<office:document-content `+open+`><office:body>`+body+`</office:body></office:document-content>`)
	}
	cell := func(s string) string { return "<w:tc><w:tcPr/>" + paragraph("", s) + "</w:tc>" }
	markdown := "# 手冊\n\nSixteen weeks.\n\n- one\n  - two\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n```go\nx := 1\n```\n\n> quoted [link](https://x.example)\n"
	page := "<html><head><title>員工手冊</title></head><body><h1>Leave</h1><p>Sixteen <b>weeks</b> of leave.</p><ul><li>one<ol><li>two</li></ol></li></ul><table><tr><th colspan=2>a</th></tr><tr><td>1</td><td>2</td></tr></table><pre>x := 1</pre></body></html>"
	source := "package x\n\n// F does.\nfunc F() {\n\tx := \"中\"\n}\n\ntype T struct{}\n"
	return []seed{
		{"a.txt", []byte("員工手冊\nSixteen weeks.\n\nSecond paragraph 😀.\n")}, {"a.md", []byte(markdown)}, {"a.html", []byte(page)},
		{"a.csv", []byte("名,\"a, b\"\n1,2\n3,4\n")}, {"a.tsv", []byte("名\tb\n1\t2\n")},
		{"a.json", []byte(`{"name": "手冊", "leave": [{"land": "TW", "weeks": 8}, {"land": "DE", "weeks": 14}], "deep": {"x": [1, [2, {"y": true}]]}}`)},
		{"a.jsonl", []byte("{\"a\": 1}\n{\"a\": \"二\"}\n")}, {"a.yaml", []byte("name: 手冊\nleave: &l {weeks: 16}\nother: *l\nlist:\n- a\n- b: |\n    text\n")},
		{"a.ipynb", []byte(`{"cells": [{"cell_type": "markdown", "source": ["# 標題\n", "text"]}, {"cell_type": "code", "source": "1+1", "outputs": [{"data": {"text/plain": ["2"]}}]}], "nbformat": 4}`)},
		{"a.rst", []byte("手冊\n====\n\nSixteen *weeks*.\n\n- one\n\n.. note:: 注意\n\n::\n\n  code\n\n=====  =====\nLand   Weeks\n=====  =====\nTW     8\n=====  =====\n")},
		{"a.adoc", []byte("= 手冊\n\n== Leave\n\nSixteen *weeks*.\n\n|===\n|Land |Weeks\n\n|台灣 |8\n|===\n\n* one\n** two\n\n----\ncode\n----\n")},
		{"a.tex", []byte("\\documentclass{article}\\title{手冊}\\begin{document}\n\\section{Leave}\nSixteen \\emph{weeks}.\n\\begin{itemize}\n\\item one\n\\end{itemize}\n\\begin{tabular}{ll}\na & b \\\\\n\\end{tabular}\n\\end{document}\n")},
		{"a.xml", []byte("<article><title>Ducks 鴨</title><sec><title>One</title><p>A <i>wild</i> duck &amp; more.</p><list><list-item><p>quack</p></list-item></list><table><tr><td>1</td></tr></table></sec></article>")},
		{"a.vtt", []byte("WEBVTT\n\n1\n00:00:01.000 --> 00:00:02.000\n<v Ann>Hello\n\n00:03.000 --> 00:04.000\n你好\n")}, {"a.srt", []byte("1\n00:00:01,000 --> 00:00:02,000\n<i>第一句</i>\n")},
		{"a.go", []byte(source)}, {"a.py", []byte("import os\n\n@cache\ndef f():\n    return 1\n\nclass C:\n    pass\n")},
		{"a.eml", []byte(message)}, {"a.mbox", []byte("From a@b Tue Mar  5 12:00:00 2024\n" + strings.ReplaceAll(message, "\r\n", "\n") + "\n\nFrom a@b Tue Mar  5 12:00:00 2024\nSubject: second\n\nText.\n")},
		{"a.msg", outlook("請假 leave", "Sixteen weeks, 十六週.")},
		{"a.pdf", portable("BT /F1 12 Tf 50 700 Td (Sixteen weeks of leave.) Tj ET")},
		{"a.docx", word(t, paragraph(`<w:pStyle w:val="Mine"/>`, "請假")+paragraph("", "Sixteen weeks.")+`<w:tbl><w:tr>`+cell("a")+cell("b")+`</w:tr></w:tbl>`)},
		{"a.pptx", zipped(t, "[Content_Types].xml", "<Types/>",
			"ppt/presentation.xml", `<p:presentation `+slides+`><p:sldIdLst><p:sldId id="256" r:id="r1"/></p:sldIdLst></p:presentation>`,
			"ppt/_rels/presentation.xml.rels", fmt.Sprintf(rels, fmt.Sprintf(relPart, "r1", "slides/slide1.xml")),
			"ppt/slides/slide1.xml", `<p:sld `+slides+`><p:cSld><p:spTree><p:sp><p:txBody><a:p><a:r><a:t>第一點</a:t></a:r></a:p></p:txBody></p:sp></p:spTree></p:cSld></p:sld>`)},
		{"a.xlsx", workbook(t)},
		{"a.odt", opened("text", `<office:text><text:h text:outline-level="2">育兒假</text:h><text:p>Sixteen<text:s text:c="2"/>weeks.</text:p><text:list><text:list-item><text:p>一</text:p></text:list-item></text:list></office:text>`)},
		{"a.ods", opened("spreadsheet", `<office:spreadsheet><table:table table:name="表"><table:table-row table:number-rows-repeated="2"><table:table-cell table:number-columns-repeated="3"><text:p>1</text:p></table:table-cell></table:table-row></table:table></office:spreadsheet>`)},
		{"a.odp", opened("presentation", `<office:presentation><draw:page><draw:frame presentation:class="title"><draw:text-box><text:p>題</text:p></draw:text-box></draw:frame></draw:page></office:presentation>`)},
		{"a.epub", zipped(t, "mimetype", "application/epub+zip", "META-INF/container.xml", `<container><rootfiles><rootfile full-path="OPS/book.opf"/></rootfiles></container>`,
			"OPS/book.opf", `<package xmlns:dc="d"><metadata><dc:title>紅樓夢</dc:title></metadata><manifest><item id="a" href="one.xhtml" media-type="application/xhtml+xml"/></manifest><spine><itemref idref="a"/></spine></package>`, "OPS/one.xhtml", page)},
		{"a.zip", zipped(t, "docs/a.md", markdown, "b.html", page, "in.zip", string(zipped(t, "c.txt", "乙")))},
		{"a.tgz", tarred(t, "docs/a.md", markdown, "b.go", source)}, {"a.tar", untarred(t, "a.md", markdown)},
		{"a.txt.bz2", unhex(t, "425a68393141592653590f71262800000253d900104004080002290cc07202000220000a20200031468c81a34c8d08801a7a4069a66d23900646f208115bbb6258378dbe2ee48a70a1201ee24c50")},
	}
}

func workbook(t testing.TB) []byte {
	t.Helper()
	f := excelize.NewFile()
	for at, v := range map[string]any{"A1": "Item", "B1": "Price", "A2": "茶", "B2": 12.5} {
		if err := f.SetCellValue("Sheet1", at, v); err != nil {
			t.Fatal(err)
		}
	}
	var b bytes.Buffer
	if err := f.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func untarred(t testing.TB, name, content string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o600, Size: int64(len(content)), Typeflag: tar.TypeReg}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte(content)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// portable writes a PDF of one page with the given content, and more objects from number 6 on.
func portable(content string, more ...string) []byte {
	objects := append([]string{
		"<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Kids [3 0 R] /Count 1 /MediaBox [0 0 595 842] >>",
		"<< /Type /Page /Parent 2 0 R /Contents 5 0 R /Resources << /Font << /F1 4 0 R >> /XObject << /X 6 0 R >> >> >>",
		"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
		fmt.Sprintf("<< /Length %d >>\nstream\n%s\nendstream", len(content), content),
	}, more...)
	return objectFile(objects)
}

// objectFile writes a PDF of these objects, numbered from 1, the first its catalog.
func objectFile(objects []string) []byte {
	var b bytes.Buffer
	b.WriteString("%PDF-1.7\n")
	var offsets []int
	for i, o := range objects {
		offsets = append(offsets, b.Len())
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", i+1, o)
	}
	at := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f \n", len(objects)+1)
	for _, o := range offsets {
		fmt.Fprintf(&b, "%010d 00000 n \n", o)
	}
	fmt.Fprintf(&b, "trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n", len(objects)+1, at)
	return b.Bytes()
}

// outlook writes a message as Outlook saves it: a compound file (MS-CFB) of 512-byte sectors with a subject and a body.
func outlook(subject, body string) []byte {
	const (
		sector    = 512
		perStream = 4096 / sector // a shorter stream would lie in the mini stream
		end       = 0xfffffffe
		free      = 0xffffffff
	)
	units := func(s string) []byte {
		var b []byte
		for _, u := range utf16.Encode([]rune(s)) {
			b = bits.LittleEndian.AppendUint16(b, u)
		}
		return b
	}
	out := make([]byte, sector*(3+2*perStream)) // header, allocation table, directory, two streams
	put := bits.LittleEndian.PutUint32
	copy(out, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
	copy(out[24:], "\x3e\x00\x03\x00\xfe\xff\x09\x00\x06\x00")
	put(out[44:], 1)    // sectors of the table
	put(out[48:], 1)    // where the directory begins
	put(out[56:], 4096) // bytes below which a stream is a mini stream
	put(out[60:], end)
	put(out[68:], end)
	for i := 76; i < sector; i += 4 {
		put(out[i:], free)
	}
	put(out[76:], 0)
	table := out[sector : 2*sector]
	for i := 0; i < sector; i += 4 {
		put(table[i:], free)
	}
	put(table[0:], 0xfffffffd)
	put(table[4:], end)
	for s := range 2 {
		for i := range perStream {
			next := uint32(2 + s*perStream + i + 1)
			if i == perStream-1 {
				next = end
			}
			put(table[4*(2+s*perStream+i):], next)
		}
	}
	entry := func(i int, name string, kind byte, left, right, child, start uint32, size int) {
		e := out[2*sector+128*i : 2*sector+128*(i+1)]
		n := copy(e, units(name))
		bits.LittleEndian.PutUint16(e[64:], uint16(n+2))
		e[66], e[67] = kind, 1
		put(e[68:], left)
		put(e[72:], right)
		put(e[76:], child)
		put(e[116:], start)
		put(e[120:], uint32(size))
	}
	entry(0, "Root Entry", 5, free, free, 1, end, 0)
	entry(1, "__substg1.0_0037001F", 2, free, 2, free, 2, 4096)
	entry(2, "__substg1.0_1000001F", 2, free, free, free, 2+perStream, 4096)
	copy(out[2*sector+80:], "\x0b\x0d\x02\x00\x00\x00\x00\x00\xc0\x00\x00\x00\x00\x00\x00\x46") // the class of messages
	for i, s := range []string{subject, body} {
		text := s + strings.Repeat(" ", 2048-len(utf16.Encode([]rune(s))))
		copy(out[sector*(3+i*perStream):], units(text))
	}
	return out
}

func TestParse_SeedsAreSound(t *testing.T) {
	t.Parallel()
	covered := map[string]bool{}
	for _, s := range seeds(t) {
		p := read(t, s.content, s.name)
		if p.Text == "" || len(p.Warnings) > 0 && s.name != "a.eml" && s.name != "a.mbox" {
			t.Errorf("%s: got %q, %q", s.name, p.Text, p.Warnings)
		}
		covered[p.MediaType] = true
	}
	for _, f := range formats {
		if !covered[f.mediaType] {
			t.Errorf("no file of %s is tried", f.name)
		}
	}
}
