package parse

import (
	"strings"
	"testing"
	"testing/quick"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
	"golang.org/x/text/encoding/unicode"

	"footnote/internal/ingest/parse/document"
	"footnote/internal/rag"
	"footnote/internal/text"
)

// outline writes a document's blocks as lines "kind level: text".
func outline(t *testing.T, p rag.Parsed) []string {
	t.Helper()
	var out []string
	at := 0
	for _, b := range p.Blocks {
		if b.Span.Start < at || b.Span.Empty() {
			t.Fatalf("block %v does not follow %d", b, at)
		}
		at = b.Span.End
		kind := string(b.Kind)
		if b.Kind == rag.BlockHeading {
			kind += string(rune('0' + b.Level))
		}
		out = append(out, kind+": "+text.Slice(p.Text, b.Span.Start, b.Span.End))
	}
	if at != text.Len(p.Text) {
		t.Fatalf("blocks end at %d of %d", at, text.Len(p.Text))
	}
	return out
}

func parse(t *testing.T, s, kind string) rag.Parsed {
	t.Helper()
	p, err := Parse(t.Context(), []byte(s), "f", kind, document.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestParse_Markdown(t *testing.T) {
	t.Parallel()
	p := parse(t, "---\ntitle: 手冊\nteam: hr\nyear: 2026\ntags: [a, b]\n---\n# Leave **policy**\n\nSixteen weeks\nat [full pay](https://x.example).\n中文換行\n不加空格。\n\n- one\n- two\n  1. nested\n\n"+
		"| a | b |\n|---|---|\n| 1 | `2` |\n\n```go\nx := 1\n\ny\n```\n\n> quoted 😀\n\n<div>html <b>bold</b></div>\n\nA &amp; B \\* C\n", Markdown)
	want := []string{
		"heading1: Leave policy", "paragraph: Sixteen weeks at full pay. 中文換行不加空格。", "list: - one\n- two\n  1. nested", "table: a | b\n1 | 2",
		"code: x := 1\n\ny", "quote: quoted 😀", "paragraph: html bold", "paragraph: A & B * C",
	}
	if diff := cmp.Diff(want, outline(t, p)); diff != "" {
		t.Error(diff)
	}
	if p.Title != "手冊" {
		t.Errorf("title %q", p.Title)
	}
	if diff := cmp.Diff(rag.Metadata{"team": "hr", "year": 2026.0, "tags": []string{"a", "b"}}, p.Metadata); diff != "" {
		t.Error(diff)
	}
	if got := parse(t, "# Only\n\ntext", Markdown).Title; got != "Only" {
		t.Errorf("title %q", got)
	}
}

func TestParse_HTML(t *testing.T) {
	t.Parallel()
	p := parse(t, `<!doctype html><html><head><title>员工手册</title><style>x{}</style></head><body><h1>Leave</h1>
	  <p>Sixteen   weeks<br>at <b>full</b> pay.</p><script>alert(1)</script><ul><li>one</li><li>two<ol><li>nested</li></ol></li></ul>
	  <table><tr><th>a</th><th>b</th></tr><tr><td>1</td><td>2</td></tr></table><pre>x := 1
y</pre><blockquote><p>引文</p></blockquote></body></html>`, HTML)
	want := []string{
		"heading2: Leave" /* the extraction keeps h1 for the title */, "paragraph: Sixteen weeks\nat full pay.", "list: - one\n- two\n  1. nested", "table: a | b\n1 | 2", "code: x := 1\ny", "quote: 引文",
	}
	if diff := cmp.Diff(want, outline(t, p)); diff != "" {
		t.Error(diff)
	}
	if p.Title != "员工手册" {
		t.Errorf("title %q", p.Title)
	}
}

func TestParse_PlainTextOfEveryCharacterSet(t *testing.T) {
	t.Parallel()
	simplified := "员工手册规定，育儿假为十六周，期间工资照发。申请须提前一个月提交给人事部门。"
	traditional := "員工手冊規定，育嬰假為十六週，期間薪資照發。申請須提前一個月提交給人事部門。"
	european := "Le congé parental dure seize semaines, payées à 100 %. Où déposer la demande ? Près du café, naïvement."
	for name, c := range map[string]struct {
		e encoding.Encoding
		s string
	}{
		"gb18030": {simplifiedchinese.GB18030, simplified}, "gbk mixed": {simplifiedchinese.GBK, "Leave 请假 policy 2026：" + simplified},
		"big5": {traditionalchinese.Big5, traditional}, "big5 mixed": {traditionalchinese.Big5, "Leave policy: " + traditional + " (v1.2)"},
		"latin-1": {charmap.ISO8859_1, european}, "utf-16": {unicode.UTF16(unicode.LittleEndian, unicode.UseBOM), simplified + "😀"},
		"utf-8 with mark": {unicode.UTF8BOM, traditional},
	} {
		b, err := c.e.NewEncoder().String(c.s)
		if err != nil {
			t.Fatal(err)
		}
		if got := parse(t, b, PlainText).Text; got != text.Normalise(c.s) {
			t.Errorf("%s: got %q", name, got)
		}
	}
	if diff := cmp.Diff([]string{"paragraph: one\ntwo", "paragraph: 三"}, outline(t, parse(t, "\r\none  \r\ntwo\r\n \r\n\r\n三\n", PlainText))); diff != "" {
		t.Error(diff)
	}
}

func TestParse_AnyInputGivesSoundSpans(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{PlainText, Markdown, HTML} {
		if err := quick.Check(func(s string) bool {
			p, err := Parse(t.Context(), []byte("# x\n<p>"+s+"\n\n- "+s), "f", kind, document.Limits{})
			if err != nil {
				t.Log(err)
				return false
			}
			outline(t, p)
			return p.Text == text.Normalise(p.Text)
		}, nil); err != nil {
			t.Errorf("%s: %v", kind, err)
		}
	}
}

func TestMediaType(t *testing.T) {
	t.Parallel()
	plainText := []byte("hello 你好")
	for _, c := range []struct {
		name, declared string
		head           []byte
		want           string
	}{
		{"a.md", "", plainText, Markdown}, {"A.HTML", "application/octet-stream", plainText, HTML}, {"", "text/plain; charset=utf-8", plainText, PlainText},
		{"notes", "text/markdown", plainText, Markdown}, {"a.txt", "application/pdf", plainText, PlainText}, {"e.txt", "", nil, PlainText},
		{"a.pdf", "application/pdf", []byte("%PDF-1.7"), PDF}, {"a.txt", "", []byte("%PDF-1.7 x"), PDF}, {"a.pdf", "", plainText, ""}, {"a.txt", "", []byte("PK\x03\x04\x14\x00"), "application/zip"}, {"a.docx", "", []byte("PK\x03\x04\x14\x00"), "application/vnd.openxmlformats-officedocument.wordprocessingml.document"},
		{"a.docx", "", plainText, ""}, {"", "", plainText, ""}, {"a.txt", "", []byte("a\x00b"), ""}, {"", "application/json", plainText, "application/json"}, {"", "image/png", plainText, ""}, {"a.png", "", []byte("\x89PNG\r\n\x1a\n"), ""},
	} {
		got, err := MediaType(c.name, c.declared, c.head)
		if got != c.want || (c.want == "" && (rag.CodeOf(err) != rag.Unsupported || c.name != "" && !strings.Contains(err.Error(), c.name))) {
			t.Errorf("%q %q %q: got %q, %v", c.name, c.declared, c.head, got, err)
		}
	}
}

func TestMediaType_SaysWhatToDoWithFilesThatAreNotRead(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ head, says string }{
		"報告.doc": {"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "save it as .docx"}, "a.XLS": {"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", ".xlsx"}, "a.ppt": {"", ".pptx"},
		"a.png": {"\x89PNG\r\n\x1a\n", "OCR"}, "a.mp3": {"ID3", "transcript"}, "a.docx": {"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "without a password"}, "a.rar": {"Rar!", ".zip"},
	} {
		_, err := MediaType(name, "application/octet-stream", []byte(c.head))
		if rag.CodeOf(err) != rag.Unsupported || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if kind, err := MediaType("a.doc", "", []byte("%PDF-1.7")); kind != PDF {
		t.Errorf("got %q, %v: what its bytes give away counts first", kind, err)
	}
}
