package parse

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"

	"footnote/internal/ingest/parse/document"
	"footnote/internal/rag"
)

// filesOf lists an archive's files as "name type" or "name! why".
func filesOf(t *testing.T, limits document.Limits, filename string, content []byte) (out []string, err error) {
	t.Helper()
	err = Reader{Limits: limits}.Files(t.Context(), content, filename, func(f File) error {
		if f.Err != nil {
			out = append(out, f.Name+"! "+string(rag.CodeOf(f.Err)))
		} else {
			out = append(out, f.Name+" "+f.MediaType)
		}
		return nil
	})
	return out, err
}

// foreign is a zip file as programs of Chinese systems write it: names in the system's character set, without the flag that says UTF-8.
func foreign(t *testing.T, encode func(string) (string, error), names ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, name := range names {
		raw, err := encode(name)
		if err != nil {
			t.Fatal(err)
		}
		f, err := w.CreateHeader(&zip.FileHeader{Name: raw, NonUTF8: true})
		if err == nil {
			_, err = f.Write([]byte("內容 " + name))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func gzipped(t *testing.T, s string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write([]byte(s)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestFiles_EachOfAnArchive(t *testing.T) {
	t.Parallel()
	broken := string(zipped(t, "in.txt", "text", "more.txt", strings.Repeat("x", 100)))
	broken = broken[:len(broken)-30]
	nest := func(depth int) string {
		s := string(zipped(t, "deep.txt", "x"))
		for range depth {
			s = string(zipped(t, "z.zip", s))
		}
		return s
	}
	locked := zipped(t, "secret.txt", "x")
	for _, sign := range []string{"PK\x03\x04", "PK\x01\x02"} { // says that the file is encrypted
		at := bytes.Index(locked, []byte(sign)) + map[string]int{"PK\x03\x04": 6, "PK\x01\x02": 8}[sign]
		locked[at] |= 1
	}
	for _, c := range []struct {
		name    string
		content []byte
		want    []string
	}{
		{"a.zip", zipped(t, "報告/二.md", "# x", "../../etc/passwd.txt", "x", "logo.png", "\x89PNG\r\n\x1a\n", ".DS_Store", "x", "__MACOSX/._a.md", "x", "b.zip", string(zipped(t, "c/d.html", "<p>x</p>", "e.docx", "no")), "c.zip", broken),
			[]string{"報告/二.md text/markdown", "etc/passwd.txt text/plain", "logo.png! unsupported_media", "b.zip/c/d.html text/html", "b.zip/e.docx! unsupported_media", "c.zip! invalid_request"}},
		{"a.tar.gz", tarred(t, "docs/甲.md", "x", "b.go", "package b"), []string{"docs/甲.md text/markdown", "b.go text/x-source"}},
		{"notes.txt.gz", gzipped(t, "文"), []string{"notes.txt text/plain"}},
		{"notes.txt.bz2", unhex(t, "425a68393141592653590f71262800000253d900104004080002290cc07202000220000a20200031468c81a34c8d08801a7a4069a66d23900646f208115bbb6258378dbe2ee48a70a1201ee24c50"), []string{"notes.txt text/plain"}},
		{"deep.zip", []byte(nest(3)), []string{"z.zip/z.zip/z.zip/deep.txt text/plain"}},
		{"deeper.zip", []byte(nest(4)), []string{"z.zip/z.zip/z.zip/z.zip! invalid_request"}},
		{"locked.zip", locked, []string{"secret.txt! invalid_request"}},
		{"gbk.zip", foreign(t, simplifiedchinese.GBK.NewEncoder().String, "员工手册/请假制度.md", "员工手册/加班费.txt", "readme.txt"), []string{"员工手册/请假制度.md text/markdown", "员工手册/加班费.txt text/plain", "readme.txt text/plain"}},
		{"big5.zip", foreign(t, traditionalchinese.Big5.NewEncoder().String, "員工手冊/請假辦法.md", "功能說明/加班費計算.txt"), []string{"員工手冊/請假辦法.md text/markdown", "功能說明/加班費計算.txt text/plain"}}, // 功 ends in a backslash
		{"unflagged.zip", foreign(t, func(s string) (string, error) { return s, nil }, "员工手册/请假制度.md"), []string{"员工手册/请假制度.md text/markdown"}},
	} {
		got, err := filesOf(t, document.DefaultLimits, c.name, c.content)
		if diff := cmp.Diff(c.want, got); diff != "" || err != nil {
			t.Errorf("%s: %v %s", c.name, err, diff)
		}
	}
}

// The archive and those in it count against one set of limits; whatever is over them ends it all.
func TestFiles_LimitsAreOfTheWhole(t *testing.T) {
	t.Parallel()
	inner := string(zipped(t, "1.txt", strings.Repeat("a", 400), "2.txt", strings.Repeat("b", 400)))
	content := zipped(t, "a.zip", inner, "b.zip", inner, "c.zip", inner)
	for name, limits := range map[string]document.Limits{
		"files": {Entries: 7}, "bytes": {ExpandedBytes: 2600}, "one file": {EntryBytes: 300},
	} {
		if got, err := filesOf(t, limits, "a.zip", content); rag.CodeOf(err) != rag.TooLarge || slices.Contains(got, "c.zip/2.txt text/plain") {
			t.Errorf("%s: got %v after %q", name, err, got)
		}
	}
	if got, err := filesOf(t, document.Limits{Entries: 9, ExpandedBytes: 5000}, "a.zip", content); err != nil || len(got) != 6 {
		t.Errorf("got %v, %q", err, got)
	}
	bomb := gzipped(t, strings.Repeat("\x00", 64<<20))
	if _, err := filesOf(t, document.DefaultLimits, "a.txt.gz", bomb); rag.CodeOf(err) != rag.TooLarge {
		t.Errorf("a bomb: got %v", err)
	}
	for name, damaged := range map[string][]byte{"a.zip": []byte("PK\x03\x04 nothing"), "a.gz": {0x1f, 0x8b, 1, 2}, "a.tgz": gzipped(t, "no tar"), "a.tar": []byte(strings.Repeat("x", 1024)), "a.bz2": []byte("BZh9 nothing")} {
		if got, err := filesOf(t, document.DefaultLimits, name, damaged); rag.CodeOf(err) != rag.Invalid {
			t.Errorf("%s: got %v, %q", name, err, got)
		}
	}
	stop := errors.New("enough")
	if err := (Reader{}).Files(t.Context(), content, "a.zip", func(File) error { return stop }); err != stop {
		t.Errorf("got %v, want the visitor's own error", err)
	}
}
