package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"footnote/internal/rag"
)

// counting is an embeddings endpoint that counts the texts it has embedded.
type counting struct {
	*httptest.Server
	mu     sync.Mutex
	texts  []string
	refuse string // requests with a text that holds it are refused; empty: none
}

func newCounting(t *testing.T) *counting {
	c := &counting{}
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var in struct{ Input []string }
		body, err := io.ReadAll(r.Body)
		if err == nil {
			err = json.Unmarshal(body, &in)
		}
		c.mu.Lock()
		refused := err != nil || c.refuse != "" && strings.Contains(strings.Join(in.Input, "\n"), c.refuse)
		if !refused {
			c.texts = append(c.texts, in.Input...)
		}
		c.mu.Unlock()
		if refused {
			http.Error(w, "refused", http.StatusBadRequest)
			return
		}
		r.Body = io.NopCloser(strings.NewReader(string(body)))
		letters(w, r, 24)
	}))
	t.Cleanup(c.Close)
	return c
}

// since empties the count and returns what was embedded since it was last empty.
func (c *counting) since() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := c.texts
	c.texts = nil
	return out
}

func (c *counting) refusing(text string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.refuse = text
}

// takeIn runs `footnote ingest` of a folder with the files.
func (s *service) takeIn(collection string, files map[string]string) {
	s.t.Helper()
	dir := s.t.TempDir()
	for name, content := range files {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o700); err != nil {
			s.t.Fatal(err)
		}
		writeFile(s.t, filepath.Join(dir, name), content)
	}
	var out, errOut strings.Builder
	if code := run(s.t.Context(), []string{"ingest", dir, "--collection", collection, "--server", s.url}, nil, strings.NewReader(""), &out, &errOut); code != exitOK {
		s.t.Fatalf("ingest: %d %s%s", code, out.String(), errOut.String())
	}
}

// vectorsOf are a document's vectors, in the order of its chunks.
func (s *service) vectorsOf(collection, externalID string) []rag.Embedding {
	s.t.Helper()
	c, err := s.app.catalog.Collection(s.t.Context(), collection)
	if err != nil {
		s.t.Fatal(err)
	}
	d, err := s.app.catalog.Document(s.t.Context(), c.ID, externalID)
	if err != nil {
		s.t.Fatal(err)
	}
	chunks, err := s.app.catalog.Chunks(s.t.Context(), d.ID, -1, 100)
	if err != nil {
		s.t.Fatal(err)
	}
	ids := make([]rag.ChunkID, len(chunks))
	for i, k := range chunks {
		ids[i] = k.ID
	}
	known, err := s.app.catalog.Embeddings(s.t.Context(), ids)
	if err != nil {
		s.t.Fatal(err)
	}
	out := make([]rag.Embedding, len(ids))
	for i, id := range ids {
		out[i] = known[id]
	}
	return out
}

func TestIngest_TextThatIsKnownCostsNoEmbedding(t *testing.T) {
	bothModes(t, testIngest_TextThatIsKnownCostsNoEmbedding)
}

func testIngest_TextThatIsKnownCostsNoEmbedding(t *testing.T) {
	e := newCounting(t)
	s := startService(t, "EMBED_BASE_URL="+e.URL+"/v1", "EMBED_MODEL=counting")
	e.since()
	embeds := func(what string, want int) {
		t.Helper()
		if got := e.since(); len(got) != want {
			t.Errorf("%s: %d texts were embedded, want %d: %q", what, len(got), want, got)
		}
	}
	files := map[string]string{"a/leave.md": leaveEN, "休假.md": leaveZH}
	for i := range 90 { // several groups of one job
		files[fmt.Sprintf("notice-%02d.txt", i)] = "The same notice hangs on every door. 每道門上都掛著同一張告示。"
	}
	s.takeIn("c", files)
	embeds("two documents of two passages each, and one text ninety times", 5)
	s.takeIn("c", files)
	embeds("all of it again", 0)

	s.takeIn("c", map[string]string{"b/renamed leave.md": leaveEN})
	embeds("a renamed file", 0)
	if diff := cmp.Diff(s.vectorsOf("c", "a/leave.md"), s.vectorsOf("c", "b/renamed leave.md")); diff != "" {
		t.Error(diff)
	}
	s.call("DELETE", "/v1/collections/c/documents/a%2Fleave.md", nil, 204, nil)
	s.takeIn("c", map[string]string{"a/leave.md": leaveEN})
	embeds("a document that another still has", 0)

	s.takeIn("second", files)
	embeds("the same folder in another collection", 0)
	if diff := cmp.Diff(s.vectorsOf("c", "休假.md"), s.vectorsOf("second", "休假.md")); diff != "" {
		t.Error(diff)
	}
	s.takeIn("c", map[string]string{"a/leave.md": strings.Replace(leaveEN, "fourth", "third", 1)})
	if got := e.since(); len(got) != 1 || !strings.Contains(got[0], "third day") {
		t.Errorf("a changed paragraph: %q were embedded, want the one passage", got)
	}
	var found struct {
		Hits []struct {
			Document struct {
				ExternalID string `json:"external_id"`
			}
		}
	}
	s.call("POST", "/v1/search", map[string]any{"query": "third day", "collections": []string{"c"}, "mode": "lexical"}, 200, &found)
	if len(found.Hits) == 0 || found.Hits[0].Document.ExternalID != "a/leave.md" {
		t.Errorf("found %+v", found)
	}
	e.since()

	// A pack's vectors serve the collection that it becomes, and no other: nobody vouches for them.
	s.call("POST", "/v1/collections", map[string]any{"name": "third"}, 201, nil)
	s.add("third", "x.txt", "This text comes by a pack only.", nil)
	pack := s.pack("third")
	s.call("DELETE", "/v1/collections/third", nil, 204, nil)
	e.since()
	if a := s.send("POST", "/v1/collections/imported/import", packType, strings.NewReader(string(pack))); a.status != 201 {
		t.Fatalf("import: %d %s", a.status, a.body)
	}
	s.add("imported", "x.txt", "This text comes by a pack only.", nil)
	embeds("an imported document again", 0)
	s.add("second", "x.txt", "This text comes by a pack only.", nil)
	embeds("an imported text elsewhere", 1)
	s.add("imported", "y.txt", "This text comes by a pack only.", nil)
	embeds("an imported text that was embedded since", 0)
}

// Two folders have a file of one name: the second replaces the first, as it would in two commands.
func TestIngest_TheSecondFileOfAnIDReplacesTheFirst(t *testing.T) {
	t.Parallel()
	s := startService(t)
	a, b := t.TempDir(), t.TempDir()
	writeFile(t, filepath.Join(a, "x.txt"), "The first one.")
	writeFile(t, filepath.Join(a, "y.txt"), "Another one.")
	writeFile(t, filepath.Join(b, "x.txt"), "The second one.")
	var out, errOut strings.Builder
	if code := run(t.Context(), []string{"ingest", a, b, "--collection", "c", "--server", s.url, "--json"}, nil, strings.NewReader(""), &out, &errOut); code != exitOK {
		t.Fatalf("ingest: %d %s", code, errOut.String())
	}
	var got struct {
		Failed int
		Jobs   []struct {
			Job       struct{ Status string }
			Documents []struct {
				ExternalID string `json:"external_id"`
			}
		}
	}
	if err := json.Unmarshal([]byte(out.String()), &got); err != nil || got.Failed != 0 || len(got.Jobs) != 2 || got.Jobs[0].Job.Status != "succeeded" || len(got.Jobs[0].Documents) != 2 {
		t.Errorf("got %s, %v", out.String(), err)
	}
	if text := string(s.content("c", "x.txt")); text != "The second one." {
		t.Errorf("x.txt holds %q", text)
	}
}

// The model fails in the middle of a job. What was embedded before is published, and is not embedded again when the job goes on.
func TestIngest_AStepThatFailsLosesNoEmbedding(t *testing.T) {
	bothModes(t, testIngest_AStepThatFailsLosesNoEmbedding)
}

func testIngest_AStepThatFailsLosesNoEmbedding(t *testing.T) {
	const documents = 80
	e := newCounting(t)
	s := startService(t, "EMBED_BASE_URL="+e.URL+"/v1", "EMBED_MODEL=counting")
	s.call("POST", "/v1/collections", map[string]any{"name": "c"}, 201, nil)
	e.since()
	e.refusing("number 60,")
	var sources []rag.Source
	for i := range documents {
		sources = append(sources, rag.Source{Upload: rag.Upload{ExternalID: fmt.Sprintf("d%02d", i), MediaType: "text/plain"}, Content: strings.NewReader(fmt.Sprintf("This is document number %d, one of many.", i))})
	}
	job, err := s.app.ingest.Submit(t.Context(), "c", sources)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.app.ingest.Watch(t.Context(), job.ID, func(j rag.Job) error {
		if j.Status == rag.JobQueued && j.Attempts > 0 { // it was put back
			return io.EOF
		}
		return nil
	}); err != io.EOF {
		t.Fatalf("the job was not put back in the queue: %v", err)
	}
	if j, err := s.app.catalog.Job(t.Context(), job.ID); err != nil || !j.Documents[0].Published || !j.Documents[31].Published || j.Documents[60].Published {
		t.Errorf("after the failure: %+v, %v", j, err)
	}
	e.refusing("")
	done, err := s.app.ingest.Wait(t.Context(), job.ID)
	if err != nil || done.Status != rag.JobSucceeded || done.Stage != rag.StagePublish || done.Progress.Done != documents || done.Progress.Total != documents {
		t.Errorf("got %+v, %v", done, err)
	}
	if got := e.since(); len(got) != documents {
		t.Errorf("%d texts were embedded for %d documents", len(got), documents)
	}
}
