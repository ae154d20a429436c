package main

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"footnote/internal/ingest/parse/parsetest"
)

// unpacked are the lines of a pack.
func unpacked(t *testing.T, pack []byte) []byte {
	t.Helper()
	r, err := gzip.NewReader(bytes.NewReader(pack))
	if err != nil {
		t.Fatal(err)
	}
	plain, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return plain
}

// What a reader sees of a document beside its text goes along, between the modes and back: the pages of its quotes, the context of its chunks, the file itself, and the archive that it came in.
func TestPack_CarriesPagesContextsAndOriginals(t *testing.T) {
	t.Parallel()
	embedded := startService(t)
	q := startService(t, production(t)...)
	embedded.call("POST", "/v1/collections", map[string]any{"name": "c", "chunking": map[string]any{"target_tokens": 64, "overlap_tokens": 8}}, 201, nil)
	var table strings.Builder
	table.WriteString("# 價目\n\n| 品名 | 產地 | 每斤價格 |\n|---|---|---|\n")
	for i := range 40 {
		fmt.Fprintf(&table, "| 第%d號茶 | Origin number %d | %d 元 |\n", i, i, 100+i)
	}
	report := parsetest.PDF("Leave",
		parsetest.Lines("F1", 11, 50, 700, "Parental leave lasts sixteen weeks at full pay. It may be taken in one piece or in several,"),
		parsetest.Lines("F1", 11, 50, 780, "as the department agrees. Sabbaticals are granted after seven years of service."))
	files := map[string][]byte{"leave.pdf": report, "價目.md": []byte(table.String()), "docs.zip": zipOf(t, false, "a/婚假.txt", "婚假為八天，須在登記後一年內休完。", "gone.txt", "Soon gone. 快沒了。")}
	if job := embedded.upload("c", files); job.Status != "succeeded" {
		t.Fatalf("got %+v", job)
	}
	// look is what is to be the same.
	look := func(s *service, collection string) (out []string) {
		t.Helper()
		contexts := 0
		for _, id := range s.ids(collection) {
			at := "/v1/collections/" + collection + "/documents/" + url.PathEscape(id)
			var d struct {
				Archive *string
				SHA256  string
			}
			s.call("GET", at, nil, 200, &d)
			var content contentJSON
			s.send("GET", at+"/content", "", nil, "Accept", "application/json").json(t, &content)
			var chunks struct {
				Data []struct {
					Text, Context string
					Page          *int
				}
			}
			s.call("GET", at+"/chunks?limit=100", nil, 200, &chunks)
			for _, k := range chunks.Data {
				if k.Context != "" {
					contexts++
				}
			}
			original := s.send("GET", at+"/original", "", nil)
			line, err := json.Marshal([]any{id, d, content.Pages, chunks, original.status, original.body})
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, string(line))
		}
		for _, question := range []string{"When are sabbaticals granted?", "第17號茶每斤多少元？", "婚假有幾天？"} {
			var answer answerJSON
			s.call("POST", "/v1/query", map[string]any{"query": question, "collections": []string{collection}}, 200, &answer)
			if len(answer.Citations) == 0 {
				t.Errorf("%s is not answered: %+v", question, answer)
			}
			for _, c := range answer.Citations {
				page := 0
				if c.Page != nil {
					page = *c.Page
				}
				out = append(out, fmt.Sprint(question, c.Document.ExternalID, c.Quote, page))
				if strings.HasPrefix(c.Quote, "Sabbaticals") && page != 2 {
					t.Errorf("%q is on page %d, want 2", c.Quote, page)
				}
			}
		}
		if contexts == 0 {
			t.Error("no chunk has a context")
		}
		return out
	}
	want := look(embedded, "c")
	pack := embedded.pack("c")
	if a := q.send("POST", "/v1/collections/moved/import", packType, bytes.NewReader(pack)); a.status != 201 {
		t.Fatalf("import: %d %s", a.status, a.body)
	}
	if diff := cmp.Diff(want, look(q, "moved")); diff != "" {
		t.Errorf("embedded (-) to production (+):\n%s", diff)
	}
	home := startService(t)
	if a := home.send("POST", "/v1/collections/home/import", packType, bytes.NewReader(q.pack("moved"))); a.status != 201 {
		t.Fatalf("import: %d %s", a.status, a.body)
	}
	if diff := cmp.Diff(want, look(home, "home")); diff != "" {
		t.Errorf("production (-) to embedded (+):\n%s", diff)
	}
	// The archive is known: what it has no more goes.
	states := home.upload("home", map[string][]byte{"docs.zip": zipOf(t, false, "a/婚假.txt", "婚假為八天，須在登記後一年內休完。")}).states()
	if diff := cmp.Diff([]string{"docs.zip/a/婚假.txt published", "docs.zip/gone.txt removed"}, states); diff != "" {
		t.Error(diff)
	}

	// Without originals, and as a former release wrote it: without pages and archives, too.
	a := embedded.send("GET", "/v1/collections/c/export?originals=false", "", nil)
	small := unpacked(t, a.body)
	if a.status != 200 || bytes.Contains(small, []byte(`"original"`)) || !bytes.Contains(small, []byte(`"pages":[[1,0,`)) {
		t.Errorf("without originals: %d, %.2000s", a.status, small)
	}
	former := regexp.MustCompile(`,"(?:pages|archive)":(?:\[\[.*?\]\]|".*?")`).ReplaceAll(small, nil)
	lines := bytes.SplitAfter(former, []byte("\n"))
	body := bytes.Join(lines[:len(lines)-2], nil)
	if slices.Contains([]bool{bytes.Contains(body, []byte(`"pages"`)), bytes.Equal(body, small)}, true) {
		t.Fatal("the fields are still there")
	}
	if a := home.send("POST", "/v1/collections/former/import", packType, bytes.NewReader(resealed(t, body))); a.status != 201 {
		t.Fatalf("a former release's pack: %d %s", a.status, a.body)
	}
	var answer answerJSON
	home.call("POST", "/v1/query", map[string]any{"query": "When are sabbaticals granted?", "collections": []string{"former"}}, 200, &answer)
	if len(answer.Citations) == 0 || answer.Citations[0].Page == nil || *answer.Citations[0].Page != 1 { // that of the chunk is all that is known
		t.Errorf("got %+v", answer.Citations)
	}
	// What does not fit is refused.
	plain := unpacked(t, pack)
	lines = bytes.SplitAfter(plain, []byte("\n"))
	plain = bytes.Join(lines[:len(lines)-2], nil)
	for name, bad := range map[string][]byte{
		"pages that overlap":  bytes.Replace(plain, []byte(`"pages":[[1,0,`), []byte(`"pages":[[1,0,9],[1,5,`), 1),
		"pages out of bounds": bytes.Replace(plain, []byte(`"pages":[[1,0,`), []byte(`"pages":[[1,0,9`), 1),
		"another file":        bytes.Replace(plain, []byte(`"original":"`), []byte(`"original":"AAAA`), 1),
	} {
		if a := home.send("POST", "/v1/collections/bad/import", packType, bytes.NewReader(resealed(t, bad))); a.status != 400 || bytes.Equal(bad, plain) || strings.Contains(string(a.body), "checksum") {
			t.Errorf("%s: got %d %s", name, a.status, a.body)
		}
	}
}

// resealed is a pack of changed lines with an end that fits.
func resealed(t *testing.T, lines []byte) []byte {
	t.Helper()
	documents, chunks := 0, 0
	for line := range bytes.Lines(lines) {
		var d struct{ Chunks []any }
		if err := json.Unmarshal(line, &d); err != nil {
			t.Fatal(err)
		}
		if chunks += len(d.Chunks); len(d.Chunks) > 0 {
			documents++
		}
	}
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := fmt.Fprintf(w, "%s{\"end\":true,\"documents\":%d,\"chunks\":%d,\"sha256\":\"%x\"}\n", lines, documents, chunks, sha256.Sum256(lines))
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
