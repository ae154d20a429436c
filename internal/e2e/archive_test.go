package e2e

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// archiveOf is a multipart body with one archive of the files.
func archiveOf(t *testing.T, files map[string]string) (body []byte, kind string) {
	t.Helper()
	var packed, b bytes.Buffer
	z := zip.NewWriter(&packed)
	for name, content := range files {
		f, err := z.Create(name)
		if err == nil {
			_, err = io.WriteString(f, content)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	w := multipart.NewWriter(&b)
	part, err := w.CreateFormFile("file", "手冊.zip")
	if err == nil {
		_, err = part.Write(packed.Bytes())
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes(), w.FormDataContentType()
}

// A process is killed at each step while an archive replaces another. What was acknowledged is done whole after the next start: each file of the new one is there and no other of the old, as it is
// after the archive is handed in again where the acknowledgement was lost.
func TestCrash_AnArchiveIsReplacedWhole(t *testing.T) {
	for _, stage := range []string{"store", "submit", "lease", "chunk", "embed", "index", "publish", "remove", "finish"} {
		t.Run(stage, func(t *testing.T) {
			t.Parallel()
			crashArchive(t, stage)
		})
		t.Run("production, "+stage, func(t *testing.T) {
			t.Parallel()
			crashArchive(t, stage, production(t)...)
		})
	}
}

func crashArchive(t *testing.T, stage string, settings ...string) {
	data := t.TempDir()
	send := func(p *process, files map[string]string) int {
		t.Helper()
		body, kind := archiveOf(t, files)
		resp, err := http.Post(p.base+"/v1/collections/c/documents", kind, bytes.NewReader(body))
		if err != nil {
			return 0
		}
		defer resp.Body.Close()
		if _, err := io.Copy(io.Discard, resp.Body); err != nil {
			return 0
		}
		return resp.StatusCode
	}
	first, second := map[string]string{}, map[string]string{}
	var want []string
	for i := range 12 {
		name, text := fmt.Sprintf("章/%02d.txt", i), fmt.Sprintf("Chapter word%dword. 第%d章。", i, i)
		if i < 9 {
			first[name] = text
		}
		if i >= 3 {
			if i%2 == 0 {
				text += " It is another one now. 改了。"
			}
			second[name] = text
			want = append(want, "手冊.zip/"+name)
		}
	}
	slices.Sort(want)
	p := start(t, data, "", settings...)
	if got := p.do("POST", "/v1/collections", map[string]any{"name": "c"}, nil); got != 201 {
		t.Fatalf("make the collection: %d", got)
	}
	if got := send(p, first); got != 202 {
		t.Fatalf("the first archive: %d", got)
	}
	drain(t, p)
	p.kill()
	p = start(t, data, stage+":1", settings...)
	acknowledged := send(p, second) == 202
	select {
	case <-p.dead:
	case <-time.After(20 * time.Second):
		t.Fatalf("the process did not die at %s", stage)
	}
	p = start(t, data, "", settings...)
	if !acknowledged {
		if got := send(p, second); got != 202 {
			t.Fatalf("the second archive again: %d", got)
		}
	}
	drain(t, p)
	var listed struct {
		Data []struct {
			ExternalID string `json:"external_id"`
		}
	}
	if got := p.do("GET", "/v1/collections/c/documents?limit=100", nil, &listed); got != 200 {
		t.Fatalf("list: %d", got)
	}
	var got []string
	for _, d := range listed.Data {
		got = append(got, d.ExternalID)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	var found struct {
		Hits []struct {
			Document struct {
				ExternalID string `json:"external_id"`
			}
			Chunk struct{ Text string }
		}
	}
	if got := p.do("POST", "/v1/search", map[string]any{"query": "chapter 章", "collections": []string{"c"}, "top_k": 50}, &found); got != 200 {
		t.Fatalf("search: %d", got)
	}
	seen := map[string]int{}
	for _, h := range found.Hits {
		seen[h.Document.ExternalID]++
		if text := second[h.Document.ExternalID[len("手冊.zip/"):]]; text != h.Chunk.Text {
			t.Errorf("%s says %q, want %q", h.Document.ExternalID, h.Chunk.Text, text)
		}
	}
	for _, id := range want {
		if seen[id] != 1 {
			t.Errorf("%s is found %d times", id, seen[id])
		}
	}
}
