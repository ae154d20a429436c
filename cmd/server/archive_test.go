package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"fmt"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding/simplifiedchinese"

	"footnote/internal/ingest/parse/parsetest"
	"footnote/internal/rag"
)

// zipOf is a zip file of names and contents; with gbk, names are written as Chinese systems write them, without a flag.
func zipOf(t *testing.T, gbk bool, files ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for i := 0; i < len(files); i += 2 {
		h := &zip.FileHeader{Name: files[i], Method: zip.Deflate}
		if gbk {
			name, err := simplifiedchinese.GBK.NewEncoder().String(files[i])
			if err != nil {
				t.Fatal(err)
			}
			h.Name, h.NonUTF8 = name, true
		}
		f, err := w.CreateHeader(h)
		if err == nil {
			_, err = f.Write([]byte(files[i+1]))
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

func tarOf(t *testing.T, files ...string) []byte {
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
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// states are a job's documents with their states, sorted.
func (j jobJSON) states() (out []string) {
	for _, d := range j.Documents {
		state := d.State
		if d.Unchanged {
			state = "unchanged"
		}
		out = append(out, d.ExternalID+" "+state)
	}
	slices.Sort(out)
	return out
}

// ids are the external ids of a collection's documents.
func (s *service) ids(collection string) (out []string) {
	s.t.Helper()
	var got struct {
		Data []struct {
			ExternalID string `json:"external_id"`
		}
	}
	s.call("GET", "/v1/collections/"+collection+"/documents?limit=100", nil, 200, &got)
	for _, d := range got.Data {
		out = append(out, d.ExternalID)
	}
	return out
}

func TestArchive_EachFileIsADocument(t *testing.T) { bothModes(t, testArchive) }

func testArchive(t *testing.T) {
	e := newCounting(t)
	s := startService(t, "EMBED_BASE_URL="+e.URL+"/v1", "EMBED_MODEL=counting")
	s.call("POST", "/v1/collections", map[string]any{"name": "c"}, 201, nil)
	const leave, annual = "# Leave\n\nParental leave lasts sixteen weeks at full pay.", "# 年假\n\n員工每年享有十五天帶薪年假。"
	pages := string(parsetest.PDF("Report", parsetest.Lines("F1", 11, 50, 700, "The first page tells of apples."), parsetest.Lines("F1", 11, 50, 700, "The second page tells of pears.")))
	first := zipOf(t, false, "手冊/leave.md", leave, "手冊/年假.md", annual, "report.pdf", pages, "broken.pdf", "%PDF-1.7\nnothing", "logo.png", "\x89PNG\r\n\x1a\n\x00\x00", "empty.txt", "",
		"../../outside.txt", "It lies outside. 它在外面。", "inner.zip", string(zipOf(t, false, "deep/深.txt", "Deep inside. 在深處。")))

	job := s.upload("c", map[string][]byte{"資料/handbook.zip": first})
	want := []string{"資料/handbook.zip/broken.pdf failed", "資料/handbook.zip/empty.txt skipped", "資料/handbook.zip/inner.zip/deep/深.txt published", "資料/handbook.zip/logo.png skipped",
		"資料/handbook.zip/outside.txt published", "資料/handbook.zip/report.pdf published", "資料/handbook.zip/手冊/leave.md published", "資料/handbook.zip/手冊/年假.md published"}
	if diff := cmp.Diff(want, job.states()); diff != "" || job.Status != "failed" {
		t.Fatalf("%s: %s", job.Status, diff)
	}
	for _, d := range job.Documents {
		switch filepath.Base(d.ExternalID) {
		case "broken.pdf":
			if d.Error == nil || d.Error.Code != "invalid_request" || d.ID == "" {
				t.Errorf("got %+v", d)
			}
		case "logo.png":
			if len(d.Warnings) != 1 || !strings.Contains(d.Warnings[0], "image") || d.ID != "" || d.Error != nil {
				t.Errorf("got %+v", d)
			}
		}
	}
	// Its own title, type, metadata, pages and original.
	var d struct {
		Title     string
		Archive   *string
		MediaType string `json:"media_type"`
		Metadata  map[string]any
	}
	s.call("GET", "/v1/collections/c/documents/"+url.PathEscape("資料/handbook.zip/手冊/年假.md"), nil, 200, &d)
	if d.Title != "年假" || d.MediaType != "text/markdown" || d.Archive == nil || *d.Archive != "資料/handbook.zip" || d.Metadata["archive"] != "資料/handbook.zip" {
		t.Errorf("got %+v", d)
	}
	if a := s.send("GET", "/v1/collections/c/documents/"+url.PathEscape("資料/handbook.zip/report.pdf")+"/original", "", nil); a.status != 200 || string(a.body) != pages {
		t.Errorf("the original: %d, %d bytes", a.status, len(a.body))
	}
	// A citation names the file; a filter finds the archive's.
	s.add("c", "other.md", "Parental leave is another matter: it lasts two weeks.", nil)
	var answer struct {
		Citations []struct {
			Document struct {
				ExternalID string `json:"external_id"`
			}
			Quote string
		}
	}
	s.call("POST", "/v1/query", map[string]any{"query": "How long does parental leave last?", "collections": []string{"c"}, "filter": map[string]any{"type": "eq", "key": "archive", "value": "資料/handbook.zip"}}, 200, &answer)
	if len(answer.Citations) == 0 || answer.Citations[0].Document.ExternalID != "資料/handbook.zip/手冊/leave.md" || !strings.Contains(answer.Citations[0].Quote, "sixteen weeks") {
		t.Errorf("got %+v", answer)
	}

	// The same archive again embeds nothing and changes nothing.
	e.since()
	again := s.upload("c", map[string][]byte{"資料/handbook.zip": first})
	for _, line := range again.states() {
		if strings.HasSuffix(line, " published") || strings.HasSuffix(line, " removed") {
			t.Errorf("again: %s", line)
		}
	}
	if got := e.since(); len(got) > 0 {
		t.Errorf("%q were embedded", got)
	}

	// A dry run tells what the next would do: one file changed, one renamed, one gone, one more.
	second := zipOf(t, false, "手冊/leave.md", strings.Replace(leave, "sixteen", "eighteen", 1), "手冊/年假-2026.md", annual, "outside.txt", "It lies outside. 它在外面。", "new.txt", "A new one. 新的。", "report.pdf", pages)
	dry := s.sendFiles("/v1/collections/c/documents?dry_run=true", map[string][]byte{"資料/handbook.zip": second})
	var runs struct {
		DryRun []struct {
			ExternalID string `json:"external_id"`
			State      string
			Unchanged  bool
		} `json:"dry_run"`
	}
	dry.json(t, &runs)
	var got []string
	for _, r := range runs.DryRun {
		state := r.State
		if r.Unchanged {
			state = "unchanged"
		}
		got = append(got, strings.TrimPrefix(r.ExternalID, "資料/handbook.zip/")+" "+state)
	}
	slices.Sort(got)
	if diff := cmp.Diff([]string{"inner.zip/deep/深.txt removed", "new.txt published", "outside.txt unchanged", "report.pdf unchanged", "手冊/leave.md published", "手冊/年假-2026.md published", "手冊/年假.md removed"}, got); diff != "" {
		t.Errorf("dry run: %d %s", dry.status, diff)
	}
	if got := e.since(); len(got) > 0 {
		t.Errorf("a dry run embedded %q", got)
	}
	// What was handed in by itself is nobody's to remove, whatever its name.
	s.add("c", "資料/handbook.zip/alone.txt", "It came alone. 它自己來的。", nil)
	e.since()
	job = s.upload("c", map[string][]byte{"資料/handbook.zip": second})
	if diff := cmp.Diff([]string{"資料/handbook.zip/broken.pdf removed", "資料/handbook.zip/inner.zip/deep/深.txt removed", "資料/handbook.zip/new.txt published", "資料/handbook.zip/outside.txt unchanged",
		"資料/handbook.zip/report.pdf unchanged", "資料/handbook.zip/手冊/leave.md published", "資料/handbook.zip/手冊/年假-2026.md published", "資料/handbook.zip/手冊/年假.md removed"}, job.states()); diff != "" || job.Status != "succeeded" {
		t.Errorf("%s: %s", job.Status, diff)
	}
	if got := e.since(); len(got) != 2 { // the changed one and the new one
		t.Errorf("%q were embedded", got)
	}
	ids := []string{"other.md", "資料/handbook.zip/alone.txt", "資料/handbook.zip/new.txt", "資料/handbook.zip/outside.txt", "資料/handbook.zip/report.pdf", "資料/handbook.zip/手冊/leave.md", "資料/handbook.zip/手冊/年假-2026.md"}
	if diff := cmp.Diff(ids, s.ids("c")); diff != "" {
		t.Error(diff)
	}
	var hits struct {
		Hits []struct {
			Document struct {
				ExternalID string `json:"external_id"`
			}
		}
	}
	s.call("POST", "/v1/search", map[string]any{"query": "Deep inside 在深處", "collections": []string{"c"}, "top_k": 50}, 200, &hits)
	for _, h := range hits.Hits {
		if strings.Contains(h.Document.ExternalID, "深") {
			t.Error("a removed file is found")
		}
	}

	// A damaged archive, one with nothing in it and one over a limit are refused whole, and what is there stays.
	for name, bad := range map[string][]byte{"damaged": first[:len(first)/2], "only an image": zipOf(t, false, "logo.png", "\x89PNG\r\n\x1a\n\x00\x00"), "nothing": zipOf(t, false),
		"a bomb": zipOf(t, false, "leave.txt", strings.Repeat("a", 100<<20))} {
		if a := s.sendFiles("/v1/collections/c/documents", map[string][]byte{"資料/handbook.zip": bad}); a.status != 400 && a.status != 413 {
			t.Errorf("%s: got %d %s", name, a.status, a.body)
		}
	}
	if diff := cmp.Diff(ids, s.ids("c")); diff != "" {
		t.Error(diff)
	}

	// Names in GBK; tar; and all of an archive goes by one filter.
	job = s.upload("c", map[string][]byte{"gbk.zip": zipOf(t, true, "员工手册/请假.txt", "请假须提前三天申请。", "员工手册/加班.txt", "加班费为一点五倍。"), "b.tar.gz": tarOf(t, "docs/甲.md", "# 甲\n\nThe first of ten.")})
	if diff := cmp.Diff([]string{"b.tar.gz/docs/甲.md published", "gbk.zip/员工手册/加班.txt published", "gbk.zip/员工手册/请假.txt published"}, job.states()); diff != "" {
		t.Error(diff)
	}
	var gone struct{ Deleted int }
	s.call("DELETE", "/v1/collections/c/documents?filter="+url.QueryEscape(`{"type":"eq","key":"archive","value":"gbk.zip"}`), nil, 200, &gone)
	if gone.Deleted != 2 {
		t.Errorf("deleted %d", gone.Deleted)
	}

	// An archive of which a former release made one document: that goes when it comes again.
	old := zipOf(t, false, "x.txt", "One of two. 兩個之一。")
	c, err := s.app.catalog.Collection(t.Context(), "c")
	if err != nil {
		t.Fatal(err)
	}
	vector := make(rag.Embedding, c.Embedding.Dimensions)
	vector[0] = 1
	id := rag.NewDocumentID()
	if err := s.app.catalog.ImportDocument(t.Context(), rag.Version{Text: "x.txt\n\nOne of two. 兩個之一。", Embeddings: []rag.Embedding{vector},
		Document: rag.Document{ID: id, Collection: c.ID, ExternalID: "old.zip", Version: 1, MediaType: "application/zip"},
		Chunks:   []rag.Chunk{{ID: rag.NewChunkID(id, "x", 0), Document: id, Version: 1, Span: rag.Span{Start: 7, End: 20}, Text: "One of two. 兩"}}}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"old.zip removed", "old.zip/x.txt published"}, s.upload("c", map[string][]byte{"old.zip": old}).states()); diff != "" {
		t.Error(diff)
	}
}

func TestArchive_IsShownFileByFile(t *testing.T) { bothModes(t, testArchiveShown) }

func testArchiveShown(t *testing.T) {
	s := startService(t)
	dir := t.TempDir()
	name := filepath.Join(dir, "手冊.zip")
	writeFile(t, name, string(zipOf(t, false, "leave.md", "# Leave\n\nSixteen weeks.", "文/年假.txt", "每年十五天。", "bad.docx", "no", "locked.pdf", "%PDF-1.7\nnothing")))
	command := func(args ...string) (code int, stdout, stderr string) {
		t.Helper()
		var out, errs strings.Builder
		code = run(t.Context(), append(args, "--server", s.url), nil, strings.NewReader(""), &out, &errs)
		return code, out.String(), errs.String()
	}
	_, shown, _ := command("parse", name)
	for _, want := range []string{"application/zip, 4 files", "手冊.zip/leave.md: text/markdown", "title: Leave", "手冊.zip/文/年假.txt: text/plain", "每年十五天。", "手冊.zip/bad.docx: skipped: ", "手冊.zip/locked.pdf: failed: "} {
		if !strings.Contains(shown, want) {
			t.Errorf("parse does not show %q: %s", want, shown)
		}
	}
	code, stdout, stderr := command("ingest", name, "-c", "c")
	if code != exitFailed || !strings.Contains(stdout, "2 taken in, 0 unchanged, 1 skipped, 1 failed") {
		t.Errorf("got %d %q", code, stdout)
	}
	for _, want := range []string{"taken in 手冊.zip/leave.md", "taken in 手冊.zip/文/年假.txt", "skipped 手冊.zip/bad.docx: ", "failed 手冊.zip/locked.pdf: "} {
		if !strings.Contains(stderr, want) {
			t.Errorf("ingest does not show %q: %s", want, stderr)
		}
	}
	writeFile(t, name, string(zipOf(t, false, "leave.md", "# Leave\n\nSixteen weeks.")))
	code, stdout, stderr = command("ingest", dir, "-c", "c")
	if code != 0 || !strings.Contains(stdout, "0 taken in, 1 unchanged, 2 removed") || !strings.Contains(stderr, "removed 手冊.zip/文/年假.txt") || !strings.Contains(stderr, "unchanged 手冊.zip/leave.md") {
		t.Errorf("got %d %q %q", code, stdout, stderr)
	}
	if got := fmt.Sprint(s.ids("c")); got != "[手冊.zip/leave.md]" {
		t.Errorf("got %s", got)
	}
}
