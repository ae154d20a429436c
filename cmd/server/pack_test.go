package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"footnote/internal/rag"
)

const packType = "application/vnd.footnote.ragpack+gzip"

// moved is what must be the same after a trip, whatever the store: search lists, answers, citations with their ids' targets.
func (s *service) moved(collection string) []any {
	s.t.Helper()
	var out []any
	for _, q := range []string{"How long does parental leave last?", "育兒假有多長？", "育儿假有多长？", "Which error means that the disk is full?", "Who wrote it?", "same text"} {
		var found, answer map[string]any
		s.call("POST", "/v1/search", map[string]any{"query": q, "collections": []string{collection}, "top_k": 10}, 200, &found)
		s.call("POST", "/v1/query", map[string]any{"query": q, "collections": []string{collection}}, 200, &answer)
		for _, h := range found["hits"].([]any) {
			delete(h.(map[string]any), "score") // float32 in one store, float64 in the other
			delete(h.(map[string]any), "collection")
		}
		for _, c := range answer["citations"].([]any) {
			for _, field := range []string{"id", "url", "collection"} {
				delete(c.(map[string]any), field)
			}
		}
		out = append(out, found["hits"], answer["text"], answer["status"], answer["citations"])
	}
	return out
}

func (s *service) fill(collection string) {
	s.t.Helper()
	s.call("POST", "/v1/collections", map[string]any{"name": collection, "description": "手冊 📖", "chunking": map[string]any{"target_tokens": 64, "overlap_tokens": 8}}, 201, nil)
	s.add(collection, "請假/leave 🌴.md", "# Leave\n\nParental leave lasts sixteen weeks at full pay. 😀\n\n# 育兒假\n\n育兒假為十六週，全薪。父母可以分開使用。", map[string]any{"team": "人事", "year": 2026, "draft": false, "tags": []string{"a", "b"}})
	s.add(collection, "errors.txt", "Error ERR_507 means that the disk is full.", nil)
	for i := range 5 {
		s.add(collection, fmt.Sprintf("same-%d", i), "The same text stands in five documents.", map[string]any{"n": i})
	}
	s.add(collection, "errors.txt", "Error ERR_507 means that the disk is full. Free space and try again.", nil) // version 2
}

func (s *service) pack(collection string) []byte {
	s.t.Helper()
	a := s.send("GET", "/v1/collections/"+collection+"/export", "", nil)
	if a.status != 200 || a.header.Get("Content-Type") != packType {
		s.t.Fatalf("export: %d %s", a.status, a.body)
	}
	return a.body
}

func TestPack_AnswersAreTheSameAfterTheTrip(t *testing.T) {
	t.Parallel()
	embedded := startService(t)
	q := startService(t, production(t)...)
	embedded.fill("handbook")
	want := embedded.moved("handbook")
	first := embedded.pack("handbook")
	if a := q.send("POST", "/v1/collections/moved/import", packType, bytes.NewReader(first)); a.status != 201 {
		t.Fatalf("import: %d %s", a.status, a.body)
	}
	if diff := cmp.Diff(want, q.moved("moved")); diff != "" {
		t.Errorf("embedded (-) to production (+):\n%s", diff)
	}
	var c struct {
		Description string
		Documents   int
		Chunking    struct {
			Target int `json:"target_tokens"`
		}
	}
	q.call("GET", "/v1/collections/moved", nil, 200, &c)
	if c.Description != "手冊 📖" || c.Documents != 7 || c.Chunking.Target != 64 {
		t.Errorf("got %+v", c)
	}
	// And home again, beside the original, whose document ids are taken.
	if a := embedded.send("POST", "/v1/collections/home/import", packType, bytes.NewReader(q.pack("moved"))); a.status != 201 {
		t.Fatalf("import: %d %s", a.status, a.body)
	}
	var home struct {
		Hits []struct{ Document struct{ ID string } }
	}
	embedded.call("POST", "/v1/search", map[string]any{"query": "parental leave", "collections": []string{"handbook", "home"}, "top_k": 2}, 200, &home)
	if len(home.Hits) != 2 || home.Hits[0].Document.ID == home.Hits[1].Document.ID {
		t.Errorf("got %+v", home)
	}
	// An imported document can be replaced.
	q.add("moved", "errors.txt", "Error ERR_507 is no more.", nil)
	var d struct{ Version int }
	q.call("GET", "/v1/collections/moved/documents/errors.txt", nil, 200, &d)
	if d.Version != 3 {
		t.Errorf("got version %d, want 3", d.Version)
	}
}

func TestPack_DamagedOnesLeaveNothingBehind(t *testing.T) { bothModes(t, testPackDamaged) }

func testPackDamaged(t *testing.T) {
	s := startService(t)
	s.fill("c")
	good := s.pack("c")
	r, err := gzip.NewReader(bytes.NewReader(good))
	if err != nil {
		t.Fatal(err)
	}
	plain, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	lines := bytes.SplitAfter(plain, []byte("\n"))
	zip := func(parts ...[]byte) []byte {
		var b bytes.Buffer
		w := gzip.NewWriter(&b)
		for _, p := range parts {
			if _, err := w.Write(p); err != nil {
				t.Fatal(err)
			}
		}
		w.Close()
		return b.Bytes()
	}
	flipped := bytes.Clone(good)
	flipped[len(flipped)/2] ^= 0x10
	change := func(old, new string) []byte { return zip(bytes.Replace(plain, []byte(old), []byte(new), 1)) }
	for name, pack := range map[string][]byte{
		"nothing": nil, "no gzip": []byte("hello"), "cut": good[:len(good)-20], "half": good[:len(good)/2], "a flipped bit": flipped,
		"no end": zip(lines[:len(lines)-2]...), "a document missing": zip(append([][]byte{lines[0]}, lines[2:]...)...), "after the end": zip(plain, []byte("{}\n")),
		"another version": change(`{"ragpack":1`, `{"ragpack":9`), "a changed word": change("Parental", "Maternal"), "no header": zip(lines[1:]...), "not JSON": zip(lines[0], []byte("}{\n")),
		"a span outside": change(`"end":`, `"end":9`), "bad vectors": change(`"vectors":"`, `"vectors":"AAAA`), "control characters": change("sixteen", "six\\u0000teen"),
		"empty id": change(`"external_id":"errors.txt"`, `"external_id":""`), "bad metadata": change(`"team":"人事"`, `"team":{"x":1}`),
	} {
		a := s.send("POST", "/v1/collections/new/import", packType, bytes.NewReader(pack))
		if a.status != 400 {
			t.Errorf("%s: got %d %s, want 400", name, a.status, a.body)
		}
		if a := s.send("GET", "/v1/collections/new", "", nil); a.status != 404 {
			t.Errorf("%s left a collection: %d", name, a.status)
		}
	}
	var list struct{ Data []struct{ Name string } }
	s.call("GET", "/v1/collections", nil, 200, &list)
	ids, err := s.app.index.Collections(t.Context())
	if err != nil || len(list.Data) != 1 || len(ids) != 1 {
		t.Errorf("left: %v in the catalog, %v in the index, %v", list, ids, err)
	}
	if a := s.send("POST", "/v1/collections/c/import", packType, bytes.NewReader(good)); a.status != 409 {
		t.Errorf("a taken name: %d", a.status)
	}
	if a := s.send("POST", "/v1/collections/new/import", "application/json", strings.NewReader("{}")); a.status != 415 {
		t.Errorf("another type: %d", a.status)
	}
}

// An import whose process died leaves a hidden collection; the sweeper takes it away, but none that is still worked on.
func TestPack_ABrokenOffImportIsTakenAway(t *testing.T) { bothModes(t, testPackBrokenOff) }

func testPackBrokenOff(t *testing.T) {
	s := startService(t)
	s.fill("c")
	id := rag.NewCollectionID()
	if err := s.app.index.EnsureCollection(t.Context(), id, 384); err != nil {
		t.Fatal(err)
	}
	if _, err := s.app.catalog.CreateCollection(t.Context(), rag.Collection{ID: id, Name: rag.HiddenName("import", id), Embedding: rag.EmbeddingSpec{Dimensions: 384}}); err != nil {
		t.Fatal(err)
	}
	// One that is under way: its body comes slowly.
	pack := s.pack("c")
	body, feed := io.Pipe()
	done := make(chan response)
	go func() { done <- s.send("POST", "/v1/collections/slow/import", packType, body) }()
	if _, err := feed.Write(pack[:len(pack)-20]); err != nil {
		t.Fatal(err)
	}
	if err := s.app.ingest.Reconcile(t.Context(), true, false, s.clean); err != nil {
		t.Fatal(err)
	}
	if _, err := s.app.catalog.CollectionByID(t.Context(), id); rag.CodeOf(err) != rag.NotFound {
		t.Errorf("the hidden collection: %v", err)
	}
	ids, err := s.app.index.Collections(t.Context())
	if err != nil || slices.Contains(ids, id) {
		t.Errorf("the index has %v, %v", ids, err)
	}
	if _, err := feed.Write(pack[len(pack)-20:]); err != nil {
		t.Fatal(err)
	}
	feed.Close()
	if a := <-done; a.status != 201 {
		t.Errorf("the import that was under way: %d %s", a.status, a.body)
	}
}

// A pack of another model is refused, and embedded anew when asked for.
func TestPack_ReEmbedding(t *testing.T) { bothModes(t, testPackReEmbedding) }

func testPackReEmbedding(t *testing.T) {
	other := httptest.NewServer(fakeEmbeddings(t, 8))
	t.Cleanup(other.Close)
	s := startService(t, "EMBED_BASE_URL="+other.URL+"/v1", "EMBED_MODEL=other")
	s.fill("c")
	pack := s.pack("c")
	own := startService(t)
	if a := own.send("POST", "/v1/collections/c/import", packType, bytes.NewReader(pack)); a.status != 409 || !bytes.Contains(a.body, []byte("model_mismatch")) || !bytes.Contains(a.body, []byte("re_embed")) {
		t.Errorf("another model's pack: %d %s", a.status, a.body)
	}
	if a := own.send("POST", "/v1/collections/c/import?re_embed=true", packType, bytes.NewReader(pack)); a.status != 201 {
		t.Fatalf("re-embedding: %d %s", a.status, a.body)
	}
	own.fill("reference")
	var got, want struct {
		Hits []struct{ Chunk struct{ Text string } }
	}
	own.call("POST", "/v1/search", map[string]any{"query": "育儿假有多长？", "collections": []string{"c"}}, 200, &got)
	own.call("POST", "/v1/search", map[string]any{"query": "育儿假有多长？", "collections": []string{"reference"}}, 200, &want)
	if diff := cmp.Diff(want.Hits[:3], got.Hits[:3]); diff != "" {
		t.Error(diff)
	}
}

func TestPack_Commands(t *testing.T) {
	t.Parallel()
	data, folder := t.TempDir(), t.TempDir()
	command := func(stdin string, args ...string) (int, string, string) {
		var out, errOut strings.Builder
		code := run(t.Context(), append(args, "--data", data), nil, strings.NewReader(stdin), &out, &errOut)
		return code, out.String(), errOut.String()
	}
	writeFile(t, filepath.Join(folder, "a.md"), "Oxygen was discovered in Uppsala.")
	if code, _, errOut := command("", "ingest", folder, "--collection", "c"); code != exitOK {
		t.Fatal(errOut)
	}
	file := filepath.Join(folder, "c.ragpack")
	if code, _, errOut := command("", "export", "c", "-o", file); code != exitOK {
		t.Fatal(errOut)
	}
	_, piped, _ := command("", "export", "c")
	if b, err := os.ReadFile(file); err != nil || len(b) == 0 || len(piped) == 0 {
		t.Fatalf("got %d and %d bytes, %v", len(b), len(piped), err)
	}
	if code, out, errOut := command("", "import", "d", file); code != exitOK || !strings.Contains(out, "d: 1 documents, 1 chunks") {
		t.Errorf("%d %s %s", code, out, errOut)
	}
	if code, out, errOut := command(piped, "import", "e", "--json"); code != exitOK || !json.Valid([]byte(out)) {
		t.Errorf("%d %s %s", code, out, errOut)
	}
	if code, out, errOut := command("", "ask", "--collection", "e", "Where was oxygen discovered?"); code != exitOK || !strings.Contains(out, "Uppsala") {
		t.Errorf("%d %s %s", code, out, errOut)
	}
	if code, _, errOut := command("", "export", "none", "-o", filepath.Join(folder, "none")); code != exitFailed || !strings.Contains(errOut, "no collection") {
		t.Errorf("%d %s", code, errOut)
	}
	if _, err := os.Stat(filepath.Join(folder, "none")); err == nil {
		t.Error("a failed export left a file")
	}
}
