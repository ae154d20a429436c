package parse

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"footnote/internal/ingest/parse/document"
	"footnote/internal/rag"
)

func TestParse_Text(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, content string
		want          []string
	}{
		{"a.rst", "=====\n手冊\n=====\n\nLeave\n-----\nSixteen *weeks* of ``leave`` at :ref:`full pay <pay>`.\n中文\n換行。\n\n- one\n- two\n  lines\n\n.. note:: 注意\n\n   Tell us.\n\n.. comment\n\n::\n\n  code\n    here\n\n" +
			"=====  =====\nLand   Weeks\n=====  =====\nTW     8\n=====  =====\n\nPay\n---\nEnd.\n", []string{
			"heading1: 手冊", "heading2: Leave", "paragraph: Sixteen weeks of leave at full pay. 中文換行。", "list: - one\n- two lines", "paragraph: 注意", "paragraph: Tell us.", "code: code\n  here",
			"table: Land | Weeks\nTW | 8", "heading2: Pay", "paragraph: End."}},
		{"a.adoc", "= 手冊\n:author: A. Author\n\n== Leave\n\nSixteen *weeks* at https://x.example[full pay].\n\n.Caption\n[cols=2]\n|===\n|Land |Weeks\n\n|台灣 |8\n|===\n\n* one\n** two\n* three\n\n----\ncode\n----\n// gone\n____\n引文\n____\n", []string{
			"heading1: 手冊", "heading2: Leave", "paragraph: Sixteen weeks at full pay.", "paragraph: Caption", "table: Land | Weeks\n台灣 | 8", "list: - one\n  - two\n- three", "code: code", "quote: 引文"}},
		{"a.tex", "\\documentclass{article}\\title{手冊}\\author{A. Author}\\begin{document}\n\\section{Leave \\label{x}policy}\nSixteen \\emph{weeks}~of leave, \\textbf{50\\%} pay \\cite{a}; $a_1+b$. % gone\n\n\\subsection{Rules}\n\\begin{itemize}\n\\item one\n\\item two\nmore\n\\end{itemize}\n" +
			"\\begin{tabular}{ll}\nLand & Weeks \\\\ \\hline\n台灣 & 8 \\\\\n\\end{tabular}\nCaf\\'e.\n\\begin{verbatim}\nx := 1\n\\end{verbatim}\n\\end{document}\n", []string{
			"heading1: Leave policy", "paragraph: Sixteen weeks of leave, 50% pay ; $a_1+b$.", "heading2: Rules", "list: - one\n- two more", "table: Land | Weeks\n台灣 | 8", "paragraph: Café.", "code: x := 1"}},
		{"a.xml", "<article><front><article-meta><article-title>Ducks 鴨</article-title></article-meta></front><body><sec><title>One</title><p>A <italic>wild</italic> duck.</p><list><list-item><p>quack</p></list-item></list>" +
			"<table><thead><tr><th>a</th></tr></thead><tbody><tr><td>1</td></tr></tbody></table></sec></body></article>", []string{"heading1: Ducks 鴨", "heading2: One", "paragraph: A wild duck.", "list: - quack", "table: a\n1"}},
		{"a.json", `{"name": "手冊", "leave": [{"land": "TW", "weeks": 8}, {"land": "DE", "weeks": 14}], "tags": ["a", 1.50], "deep": {"x": null, "y": true}}`, []string{
			"paragraph: name: 手冊", "heading1: leave", "table: land | weeks\nTW | 8\nDE | 14", "heading1: tags", "list: - a\n- 1.50", "heading1: deep", "paragraph: y: true"}},
		{"a.jsonl", "{\"a\": 1}\n{\"a\": \"二\"}\n", []string{"paragraph: a: 1", "paragraph: a: 二"}},
		{"a.yaml", "name: 手冊\nleave: &l {weeks: 16}\nother: *l\n", []string{"paragraph: name: 手冊", "heading1: leave", "paragraph: weeks: 16", "heading1: other", "paragraph: weeks: 16"}},
		{"a.vtt", "WEBVTT\n\n1\n00:00:01.000 --> 00:00:02.000\n<v Ann>Hello\nthere</v>\n\n00:02.000 --> 00:03.000\n<v Ann>again.</v>\n\n00:03.000 --> 00:04.000\n<v 小明>你好\n\n", []string{"paragraph: Ann: Hello there again.", "paragraph: 小明: 你好"}},
		{"a.vtt", "WEBVTT\n\n00:01.000 --> 00:02.000\n<v.loud Ann Lee><c.red>a < b</c> &amp; <00:01.500>c > d, {x} {\\an8}<3\n", []string{"paragraph: Ann Lee: a < b & c > d, {x} <3"}},
		{"a.srt", "1\n00:00:01,000 --> 00:00:02,000\n<i>第一句</i>\n\n2\n00:00:02,000 --> 00:00:03,000\n第二句\n", []string{"paragraph: 第一句第二句"}},
		{"a.ipynb", `{"cells": [{"cell_type": "markdown", "source": ["# 標題\n", "text"]}, {"cell_type": "code", "source": "1+1", "outputs": [{"data": {"text/plain": ["2"]}}]}], "nbformat": 4}`, []string{"heading1: 標題", "paragraph: text", "code: 1+1", "code: 2"}},
		{"a.go", "package x\n\nimport \"fmt\"\n\n// F does.\n// 註解\nfunc F() {\n\tfmt.Println()\n\n\tx := 1\n}\n\ntype T struct{}\n", []string{"code: package x\n\nimport \"fmt\"", "code: // F does.\n// 註解\nfunc F() {\n\tfmt.Println()\n\n\tx := 1\n}", "code: type T struct{}"}},
		{"a.py", "import os\n\n@cache\ndef f():\n    return 1\n\nclass C:\n    def g(self):\n        pass\n\n    def h(self):\n        pass\n", []string{"code: import os", "code: @cache\ndef f():\n    return 1", "code: class C:\n    def g(self):\n        pass", "code:     def h(self):\n        pass"}},
	} {
		p := read(t, []byte(c.content), c.name)
		if diff := cmp.Diff(c.want, outline(t, p)); diff != "" {
			t.Errorf("%s: %s", c.name, diff)
		}
	}
}

const message = "From: =?utf-8?B?546L5bCP5piO?= <wang@example.com>\r\nTo: team@example.com\r\nSubject: =?utf-8?B?6KuL5YGH?= leave\r\nDate: Tue, 5 Mar 2024 12:00:00 +0800\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n" +
	"--b\r\nContent-Type: multipart/alternative; boundary=c\r\n\r\n--c\r\nContent-Type: text/plain; charset=gb2312\r\nContent-Transfer-Encoding: base64\r\n\r\nxOO6w6Gj\r\n--c\r\nContent-Type: text/html\r\n\r\n<p>not this</p>\r\n--c--\r\n" +
	"--b\r\nContent-Type: text/markdown\r\nContent-Disposition: attachment; filename=note.md\r\n\r\n# Note\r\n\r\nSixteen weeks.\r\n--b\r\nContent-Type: image/png\r\nContent-Disposition: attachment; filename=x.png\r\nContent-Transfer-Encoding: base64\r\n\r\niVBORw0KGgo=\r\n--b--\r\n"

func TestParse_Mail(t *testing.T) {
	t.Parallel()
	p := read(t, []byte(message), "a.eml")
	want := []string{"paragraph: Subject: 請假 leave\nFrom: 王小明 <wang@example.com>\nTo: team@example.com\nDate: 2024-03-05 12:00 +0800", "paragraph: 你好。", "heading1: note.md", "heading2: Note", "paragraph: Sixteen weeks."}
	if diff := cmp.Diff(want, outline(t, p)); diff != "" {
		t.Error(diff)
	}
	if p.Title != "請假 leave" || p.Metadata["from"] != "王小明 <wang@example.com>" || p.Metadata["created"] != "2024-03-05T12:00:00+08:00" {
		t.Errorf("title %q, metadata %v", p.Title, p.Metadata)
	}
	if len(p.Warnings) != 1 || !strings.Contains(p.Warnings[0], "x.png") {
		t.Errorf("got warnings %q, want one that names x.png", p.Warnings)
	}
	box := "From a@b Tue Mar  5 12:00:00 2024\n" + strings.ReplaceAll(message, "\r\n", "\n") + "\n\nFrom a@b Tue Mar  5 12:00:00 2024\nSubject: second\n\n>From here on.\n"
	if got := outline(t, read(t, []byte(box), "a.mbox")); len(got) != 9 || got[0] != "heading1: 請假 leave" || got[8] != "paragraph: From here on." {
		t.Errorf("got %q", got)
	}
}

func tarred(t testing.TB, files ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	for i := 0; i < len(files); i += 2 {
		if err := w.WriteHeader(&tar.Header{Name: files[i], Mode: 0o600, Size: int64(len(files[i+1])), Typeflag: tar.TypeReg}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(files[i+1])); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.WriteHeader(&tar.Header{Name: "link", Linkname: "/etc/passwd", Typeflag: tar.TypeSymlink}); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestParse_Archives(t *testing.T) {
	t.Parallel()
	want := []string{"heading1: docs/a.md", "heading2: 甲", "heading1: b.txt", "paragraph: 乙"}
	inner := zipped(t, "b.txt", "乙")
	p := read(t, zipped(t, "docs/a.md", "# 甲", "b.txt", "乙", "__MACOSX/._b.txt", "x", "c.bin", "\x00\x01"), "a.zip")
	if diff := cmp.Diff(want, outline(t, p)); diff != "" || len(p.Warnings) != 1 {
		t.Error(diff, p.Warnings)
	}
	if diff := cmp.Diff(want, outline(t, read(t, tarred(t, "docs/a.md", "# 甲", "../b.txt", "乙"), "a.tar.gz"))); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"heading1: in.zip", "heading2: b.txt", "paragraph: 乙"}, outline(t, read(t, zipped(t, "in.zip", string(inner)), "a.zip"))); diff != "" {
		t.Error(diff)
	}
}

// Archives and text that were made to hurt.
func TestParse_HostileTextAndArchives(t *testing.T) {
	t.Parallel()
	limits := document.Limits{TextBytes: 1 << 20, Pages: 10, Depth: 100, Entries: 100, EntryBytes: 4 << 20, ExpandedBytes: 8 << 20, Ratio: 100}
	bomb := zipped(t, "a.txt", strings.Repeat("0", 64<<20))
	nest := zipped(t, "x.txt", "deep inside")
	for range 8 {
		nest = zipped(t, "x.zip", string(nest))
	}
	var many []string
	for i := range 200 {
		many = append(many, fmt.Sprintf("%d.txt", i), "x")
	}
	laughs := "a: &a [x,x,x,x,x,x,x,x,x]\n"
	for c := 'b'; c <= 'i'; c++ {
		laughs += fmt.Sprintf("%c: &%c [*%c,*%c,*%c,*%c,*%c,*%c,*%c,*%c,*%c]\n", c, c, c-1, c-1, c-1, c-1, c-1, c-1, c-1, c-1, c-1)
	}
	for name, c := range map[string]struct {
		content []byte
		file    string
		refused bool
	}{
		"zip bomb":       {bomb, "a.zip", true},
		"bomb in a zip":  {zipped(t, "a.zip", string(bomb)), "a.zip", true},
		"zips in zips":   {nest, "a.zip", true},
		"many":           {zipped(t, many...), "a.zip", true},
		"tar bomb":       {tarred(t, "a.txt", strings.Repeat("0", 64<<20)), "a.tgz", true},
		"laughs":         {[]byte(laughs), "a.yaml", true},
		"deep JSON":      {[]byte(strings.Repeat("[", 1<<20)), "a.json", true},
		"deep XML":       {[]byte(strings.Repeat("<a>", 1<<18)), "a.xml", true},
		"deep YAML":      {[]byte(strings.Repeat("- ", 1<<16)), "a.yaml", true},
		"entity":         {[]byte(`<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x><p>&e;</p></x>`), "a.xml", false},
		"deep HTML":      {[]byte(strings.Repeat("<div>", 1<<16) + "x"), "a.html", true},
		"deep Markdown":  {[]byte(strings.Repeat("> ", 1<<14) + "x"), "a.md", false},
		"long line":      {bytes.Repeat([]byte("(["), 1<<19), "a.md", false},
		"rst tables":     {bytes.Repeat([]byte("+-+\n"), 1<<16), "a.rst", false},
		"tex braces":     {[]byte(`\section` + strings.Repeat("{", 1<<16)), "a.tex", false},
		"mail":           {[]byte("Content-Type: multipart/mixed; boundary=b\r\n\r\n" + strings.Repeat("--b\r\n\r\nx\r\n", 1000)), "a.eml", true},
		"notebook":       {[]byte(`{"cells": 1}`), "a.ipynb", true},
		"Outlook's none": {append([]byte{0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1}, make([]byte, 600)...), "a.msg", true},
	} {
		kind, err := MediaType(c.file, "", c.content[:min(len(c.content), 4096)])
		var p rag.Parsed
		if err == nil {
			p, err = Parse(t.Context(), c.content, c.file, kind, limits)
		}
		if (err != nil) != c.refused {
			t.Errorf("%s: got %v", name, err)
		}
		if code := rag.CodeOf(err); err != nil && code != rag.TooLarge && code != rag.Invalid && code != rag.Unsupported {
			t.Errorf("%s: got %v, which no sender could do anything about", name, err)
		}
		if strings.Contains(p.Text, "root:") || len(p.Text) > 1<<20 {
			t.Errorf("%s: got %d bytes of text", name, len(p.Text))
		}
	}
}

// A message or a part in a transfer encoding that nobody knows takes nothing with it.
func TestParse_MailInAnUnknownEncoding(t *testing.T) {
	t.Parallel()
	p := read(t, []byte("Subject: 請假\r\nContent-Transfer-Encoding: x-odd\r\n\r\nSixteen weeks.\r\n"), "a.eml")
	if !strings.Contains(p.Text, "Sixteen weeks.") {
		t.Errorf("got %q", p.Text)
	}
	p = read(t, []byte("Subject: x\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Transfer-Encoding: x-odd\r\n\r\nlost\r\n--b\r\nContent-Type: text/plain\r\n\r\nkept\r\n--b--\r\n"), "a.eml")
	if !strings.Contains(p.Text, "kept") || len(p.Warnings) != 1 {
		t.Errorf("got %q, %q", p.Text, p.Warnings)
	}
}
