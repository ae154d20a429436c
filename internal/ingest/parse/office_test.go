package parse

import (
	"archive/zip"
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"

	"footnote/internal/ingest/parse/document"
	"footnote/internal/rag"
	"footnote/internal/text"
)

// zipped packs parts, given as name, content, name, content, …
func zipped(t testing.TB, parts ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for i := 0; i < len(parts); i += 2 {
		how := &zip.FileHeader{Name: parts[i], Method: zip.Deflate}
		if parts[i] == "mimetype" {
			how.Method = zip.Store
		}
		f, err := w.CreateHeader(how)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write([]byte(parts[i+1])); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func read(t *testing.T, content []byte, name string) rag.Parsed {
	t.Helper()
	kind, err := MediaType(name, "", content[:min(len(content), 4096)])
	if err != nil {
		t.Fatal(err)
	}
	p, err := Parse(t.Context(), content, name, kind, document.DefaultLimits)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

const (
	w       = `xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" xmlns:mc="m" xmlns:m="math"`
	rels    = `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">%s</Relationships>`
	relPart = `<Relationship Id="%s" Target="%s"/>`
)

func paragraph(properties, s string) string {
	return "<w:p><w:pPr>" + properties + "</w:pPr><w:r><w:t>" + s + "</w:t></w:r></w:p>"
}

func word(t testing.TB, body string) []byte {
	return zipped(t,
		"[Content_Types].xml", "<Types/>",
		"word/_rels/document.xml.rels", fmt.Sprintf(rels, fmt.Sprintf(relPart, "1", "styles.xml")+fmt.Sprintf(relPart, "2", "numbering.xml")+fmt.Sprintf(relPart, "3", "footnotes.xml")),
		"word/styles.xml", `<w:styles `+w+`><w:style w:styleId="berschrift1"><w:name w:val="heading 1"/></w:style><w:style w:styleId="Mine"><w:basedOn w:val="berschrift1"/></w:style></w:styles>`,
		"word/numbering.xml", `<w:numbering `+w+`><w:abstractNum w:abstractNumId="7"><w:lvl w:ilvl="0"><w:start w:val="1"/><w:numFmt w:val="chineseCounting"/><w:lvlText w:val="第%1條"/></w:lvl>`+
			`<w:lvl w:ilvl="1"><w:numFmt w:val="bullet"/><w:lvlText w:val="o"/></w:lvl></w:abstractNum><w:num w:numId="1"><w:abstractNumId w:val="7"/></w:num></w:numbering>`,
		"word/footnotes.xml", `<w:footnotes `+w+`><w:footnote w:id="2">`+paragraph("", "Except in May.")+`</w:footnote></w:footnotes>`,
		"docProps/core.xml", `<cp:coreProperties xmlns:cp="c" xmlns:dc="d"><dc:title>Handbook 手冊</dc:title><dc:creator>A. Author</dc:creator></cp:coreProperties>`,
		"word/document.xml", `<w:document `+w+`><w:body>`+body+`</w:body></w:document>`)
}

func TestParse_Word(t *testing.T) {
	t.Parallel()
	cell := func(properties, s string) string {
		return "<w:tc><w:tcPr>" + properties + "</w:tcPr>" + paragraph("", s) + "</w:tc>"
	}
	list := func(level, s string) string {
		return paragraph(`<w:numPr><w:ilvl w:val="`+level+`"/><w:numId w:val="1"/></w:numPr>`, s)
	}
	p := read(t, word(t,
		paragraph(`<w:pStyle w:val="Mine"/>`, "請假 Leave")+
			`<w:p><w:r><w:t xml:space="preserve">Sixteen </w:t></w:r><w:del><w:r><w:delText>ten</w:delText></w:r></w:del><w:ins><w:r><w:t>weeks</w:t></w:r></w:ins><w:r><w:footnoteReference w:id="2"/><w:t> 😀.</w:t></w:r></w:p>`+
			paragraph("", "規則：")+list("0", "先申請")+list("1", "by mail")+list("0", "後休假")+
			`<w:tbl><w:tr>`+cell("", "Land")+cell(`<w:gridSpan w:val="2"/>`, "Weeks")+`</w:tr><w:tr>`+cell(`<w:vMerge w:val="restart"/>`, "台灣")+cell("", "8")+cell("", "9")+`</w:tr><w:tr>`+cell(`<w:vMerge/>`, "")+cell("", "10")+cell("", "11")+`</w:tr></w:tbl>`+
			`<w:p><m:oMath><m:f><m:num><m:r><m:t>a+b</m:t></m:r></m:num><m:den><m:r><m:t>2</m:t></m:r></m:den></m:f></m:oMath></w:p>`+
			`<w:p><mc:AlternateContent><mc:Choice><w:txbxContent>`+paragraph("", "in a box")+`</w:txbxContent></mc:Choice><mc:Fallback><w:txbxContent>`+paragraph("", "in a box")+`</w:txbxContent></mc:Fallback></mc:AlternateContent></w:p>`),
		"a.docx")
	want := []string{
		"heading1: 請假 Leave", "paragraph: Sixteen weeks 😀.", "paragraph: Except in May.", "paragraph: 規則：", "list: 第一條 先申請\n  - by mail\n第二條 後休假",
		"table: Land | Weeks | Weeks\n台灣 | 8 | 9\n台灣 | 10 | 11", "paragraph: (a+b)/2", "paragraph: in a box",
	}
	if diff := cmp.Diff(want, outline(t, p)); diff != "" {
		t.Error(diff)
	}
	if p.Title != "Handbook 手冊" || p.Metadata["author"] != "A. Author" {
		t.Errorf("title %q, metadata %v", p.Title, p.Metadata)
	}
	for i, want := range map[int]string{4: "規則：", 5: "Land | Weeks | Weeks"} {
		if h := p.Blocks[i].Header; text.Slice(p.Text, h.Start, h.End) != want {
			t.Errorf("block %d: got the header %v, want %q", i, h, want)
		}
	}
}

func TestParse_PowerPoint(t *testing.T) {
	t.Parallel()
	const ns = `xmlns:p="p" xmlns:a="a" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"`
	shape := func(kind, body string) string {
		return `<p:sp><p:nvSpPr><p:nvPr><p:ph type="` + kind + `"/></p:nvPr></p:nvSpPr><p:txBody><a:bodyPr/>` + body + `</p:txBody></p:sp>`
	}
	line := func(level, s string) string {
		return `<a:p><a:pPr lvl="` + level + `"/><a:r><a:t>` + s + `</a:t></a:r></a:p>`
	}
	slide := func(s string) string {
		return `<p:sld ` + ns + `><p:cSld><p:spTree>` + s + `</p:spTree></p:cSld></p:sld>`
	}
	p := read(t, zipped(t,
		"[Content_Types].xml", "<Types/>",
		"ppt/presentation.xml", `<p:presentation `+ns+`><p:sldIdLst><p:sldId id="256" r:id="r2"/><p:sldId id="257" r:id="r1"/></p:sldIdLst></p:presentation>`,
		"ppt/_rels/presentation.xml.rels", fmt.Sprintf(rels, fmt.Sprintf(relPart, "r1", "slides/slide1.xml")+fmt.Sprintf(relPart, "r2", "slides/slide2.xml")),
		"ppt/slides/slide1.xml", slide(shape("body", line("0", "第一點")+line("1", "a detail"))+shape("title", line("0", "第二張"))+shape("sldNum", line("0", "2"))),
		"ppt/slides/slide2.xml", slide(shape("ctrTitle", line("0", "First"))+`<p:graphicFrame><a:tbl><a:tr><a:tc gridSpan="2"><a:txBody>`+line("0", "Head")+`</a:txBody></a:tc><a:tc hMerge="1"/></a:tr><a:tr><a:tc><a:txBody>`+line("0", "甲")+`</a:txBody></a:tc><a:tc><a:txBody>`+line("0", "乙")+`</a:txBody></a:tc></a:tr></a:tbl></p:graphicFrame>`),
		"ppt/slides/_rels/slide1.xml.rels", fmt.Sprintf(rels, fmt.Sprintf(relPart, "n", "../notesSlides/notesSlide1.xml")),
		"ppt/notesSlides/notesSlide1.xml", slide(shape("sldImg", "")+shape("body", line("0", "Say it slowly."))),
	), "a.pptx")
	want := []string{"heading2: First", "table: Head | Head\n甲 | 乙", "heading2: 第二張", "list: - 第一點\n  - a detail", "quote: Say it slowly."}
	if diff := cmp.Diff(want, outline(t, p)); diff != "" {
		t.Error(diff)
	}
	if p.Blocks[0].Page != 1 || p.Blocks[2].Page != 2 {
		t.Errorf("got pages %d and %d, want 1 and 2", p.Blocks[0].Page, p.Blocks[2].Page)
	}
}

func TestParse_Excel(t *testing.T) {
	t.Parallel()
	f := excelize.NewFile()
	for cell, v := range map[string]any{"B2": "價目表 2026", "B4": "Item", "C4": "Price", "B5": "茶", "C5": 12.5, "B6": "Coffee", "C6": 30} {
		if err := f.SetCellValue("Sheet1", cell, v); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := f.NewSheet("空"); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := f.Write(&b); err != nil {
		t.Fatal(err)
	}
	p := read(t, b.Bytes(), "a.xlsx")
	want := []string{"heading2: Sheet1", "table: 價目表 2026", "table: Item | Price\n茶 | 12.5\nCoffee | 30"}
	if diff := cmp.Diff(want, outline(t, p)); diff != "" {
		t.Error(diff)
	}
}

func TestParse_CommaSeparated(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]string{"comma": "名,\"a, b\"\n1,2\n", "semicolon": "名;a, b\n1;2\n", "tab": "名\ta, b\n1\t2\n", "bar": "名|a, b\n1|2\n"} {
		if diff := cmp.Diff([]string{"table: 名 | a, b\n1 | 2"}, outline(t, read(t, []byte(s), "a.csv"))); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestParse_OpenDocument(t *testing.T) {
	t.Parallel()
	const ns = `xmlns:office="o" xmlns:text="t" xmlns:table="http://openoffice.org/table" xmlns:draw="d" xmlns:presentation="p" xmlns:xlink="x"`
	file := func(kind, body string) []byte {
		return zipped(t, "mimetype", "application/vnd.oasis.opendocument."+kind, "content.xml", `<office:document-content `+ns+`><office:body>`+body+`</office:body></office:document-content>`)
	}
	p := read(t, file("text", `<office:text><text:tracked-changes><text:p>gone</text:p></text:tracked-changes><text:h text:outline-level="2">育兒假</text:h><text:p>Sixteen<text:s text:c="2"/>weeks<text:note><text:note-body><text:p>註</text:p></text:note-body></text:note>.</text:p>`+
		`<text:list><text:list-item><text:p>一</text:p><text:list><text:list-item><text:p>two</text:p></text:list-item></text:list></text:list-item></text:list></office:text>`), "a.odt")
	if diff := cmp.Diff([]string{"heading2: 育兒假", "paragraph: Sixteen  weeks.", "paragraph: 註", "list: - 一\n  - two"}, outline(t, p)); diff != "" {
		t.Error(diff)
	}
	p = read(t, file("spreadsheet", `<office:spreadsheet><table:table table:name="表"><table:table-row><table:table-cell table:number-columns-spanned="2"><text:p>Head</text:p></table:table-cell><table:covered-table-cell/></table:table-row>`+
		`<table:table-row><table:table-cell><text:p>1</text:p></table:table-cell><table:table-cell><text:p>2</text:p></table:table-cell></table:table-row><table:table-row table:number-rows-repeated="1048576"><table:table-cell table:number-columns-repeated="16384"/></table:table-row></table:table></office:spreadsheet>`), "a.ods")
	if diff := cmp.Diff([]string{"heading2: 表", "table: Head | Head\n1 | 2"}, outline(t, p)); diff != "" {
		t.Error(diff)
	}
	p = read(t, file("presentation", `<office:presentation><draw:page><draw:frame presentation:class="title"><draw:text-box><text:p>題</text:p></draw:text-box></draw:frame><draw:frame><draw:text-box><text:p>body</text:p></draw:text-box></draw:frame></draw:page></office:presentation>`), "a.odp")
	if diff := cmp.Diff([]string{"heading2: 題", "paragraph: body"}, outline(t, p)); diff != "" || p.Blocks[1].Page != 1 {
		t.Error(diff, p.Blocks[1].Page)
	}
}

func TestParse_Book(t *testing.T) {
	t.Parallel()
	p := read(t, zipped(t, "mimetype", "application/epub+zip",
		"META-INF/container.xml", `<container><rootfiles><rootfile full-path="OPS/book.opf"/></rootfiles></container>`,
		"OPS/book.opf", `<package xmlns:dc="d"><metadata><dc:title>紅樓夢</dc:title><dc:creator>曹雪芹</dc:creator></metadata><manifest><item id="b" href="two.xhtml" media-type="application/xhtml+xml"/><item id="a" href="one%20.xhtml" media-type="application/xhtml+xml"/></manifest><spine><itemref idref="a"/><itemref idref="b"/></spine></package>`,
		"OPS/one .xhtml", `<html><body><h1>第一回</h1><p>甄士隱夢幻識通靈</p></body></html>`, "OPS/two.xhtml", `<html><body><p>second</p></body></html>`), "a.epub")
	if diff := cmp.Diff([]string{"heading1: 第一回", "paragraph: 甄士隱夢幻識通靈", "paragraph: second"}, outline(t, p)); diff != "" || p.Title != "紅樓夢" || p.Metadata["author"] != "曹雪芹" {
		t.Error(diff, p.Title, p.Metadata)
	}
}

// Files that were made to hurt: none is read outside, and none costs more than its limits.
func TestParse_HostileFiles(t *testing.T) {
	t.Parallel()
	limits := document.Limits{TextBytes: 1 << 20, Pages: 10, Depth: 100, Entries: 100, EntryBytes: 4 << 20, ExpandedBytes: 8 << 20, Ratio: 100}
	parts := make([]string, 0, 600)
	for i := range 300 {
		parts = append(parts, fmt.Sprintf("word/%d.xml", i), "x")
	}
	many := zipped(t, parts...)
	for name, c := range map[string]struct {
		content []byte
		file    string
		want    rag.Code
	}{
		"bomb":          {word(t, paragraph("", strings.Repeat("0", 64<<20))), "a.docx", rag.TooLarge},
		"ratio":         {word(t, paragraph("", strings.Repeat("0", 3<<20))), "a.docx", rag.TooLarge},
		"deep":          {word(t, strings.Repeat("<w:sdt>", 5000)+strings.Repeat("</w:sdt>", 5000)), "a.docx", rag.TooLarge},
		"many entries":  {many, "a.docx", rag.TooLarge},
		"entities":      {zipped(t, "word/document.xml", `<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]><w:document `+w+`><w:body>`+paragraph("", "&b;")+`</w:body></w:document>`), "a.docx", ""},
		"outside":       {zipped(t, "word/document.xml", `<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><w:document `+w+`><w:body>`+paragraph("", "&e;")+`</w:body></w:document>`), "a.docx", ""},
		"no document":   {zipped(t, "x.xml", "<x/>"), "a.docx", rag.NotFound},
		"cut":           {word(t, paragraph("", "hello"))[:300], "a.docx", rag.Invalid},
		"half an XML":   {zipped(t, "word/document.xml", `<w:document `+w+`><w:body><w:p><w:r><w:t>x`), "a.docx", rag.Invalid},
		"traversal":     {zipped(t, "../../etc/passwd", "x", "word/document.xml", `<w:document `+w+`><w:body>`+paragraph("", "fine")+`</w:body></w:document>`), "a.docx", ""},
		"style circle":  {zipped(t, "word/_rels/document.xml.rels", fmt.Sprintf(rels, fmt.Sprintf(relPart, "1", "styles.xml")), "word/styles.xml", `<w:styles `+w+`><w:style w:styleId="a"><w:basedOn w:val="b"/></w:style><w:style w:styleId="b"><w:basedOn w:val="a"/></w:style></w:styles>`, "word/document.xml", `<w:document `+w+`><w:body>`+paragraph(`<w:pStyle w:val="a"/>`, "x")+`</w:body></w:document>`), "a.docx", ""},
		"wide spans":    {word(t, `<w:tbl><w:tr><w:tc><w:tcPr><w:gridSpan w:val="2000000000"/></w:tcPr>`+paragraph("", "x")+`</w:tc></w:tr></w:tbl>`), "a.docx", ""},
		"endless sheet": {zipped(t, "mimetype", "application/vnd.oasis.opendocument.spreadsheet", "content.xml", `<o xmlns:table="t"><spreadsheet><table><table-row number-rows-repeated="2000000000"><table-cell number-columns-repeated="2000000000"><p>x</p></table-cell></table-row></table></spreadsheet></o>`), "a.ods", ""},
		"book's circle": {zipped(t, "mimetype", "application/epub+zip", "META-INF/container.xml", `<c><rootfile full-path="META-INF/container.xml"/></c>`), "a.epub", ""},
	} {
		kind, err := MediaType(c.file, "", c.content[:min(len(c.content), 4096)])
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		p, err := Parse(t.Context(), c.content, c.file, kind, limits)
		if c.want != "" && rag.CodeOf(err) != c.want && !(c.want == rag.NotFound && rag.CodeOf(err) == rag.Invalid) || c.want == "" && err != nil {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
		if strings.Contains(p.Text, "root:") || strings.Contains(p.Text, "aaaaaaaaaaaaaaaaaaaa") {
			t.Errorf("%s: got %.60q", name, p.Text)
		}
		if len(p.Text) > 1<<20 {
			t.Errorf("%s: got %d bytes of text", name, len(p.Text))
		}
	}
}
