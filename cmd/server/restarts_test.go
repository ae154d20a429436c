package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"footnote/internal/catalog/sqlite"
	"footnote/internal/config"
	indexlocal "footnote/internal/index/local"
	"footnote/internal/ingest"
	"footnote/internal/lexical"
	"footnote/internal/rag"
)

// logbook keeps log lines.
type logbook struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logbook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

// count is how many lines have the text.
func (l *logbook) count(text string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := 0
	for line := range strings.Lines(l.b.String()) {
		if strings.Contains(line, text) {
			n++
		}
	}
	return n
}

func (l *logbook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

const (
	filledLine  = "is filled from the catalog"
	settledLine = "changes were made up for"
)

// restarts are services, one after another, whose embeddings come from an endpoint that counts letters.
type restarts struct {
	t    *testing.T
	urls []string // of the model, and of another
}

func newRestarts(t *testing.T) *restarts {
	r := &restarts{t: t}
	for _, dims := range []int{32, 24} {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { letters(w, r, dims) }))
		t.Cleanup(srv.Close)
		r.urls = append(r.urls, srv.URL+"/v1")
	}
	return r
}

// open opens the service on a folder, and does not start its workers.
func (r *restarts) open(data string) (*app, *logbook) {
	r.t.Helper()
	c, err := config.Load([]string{"FOOTNOTE_DATA=" + data, "FOOTNOTE_EMBED_BASE_URL=" + r.urls[0], "FOOTNOTE_EMBED_MODEL=letters",
		"FOOTNOTE_OTHER_EMBED_BASE_URL=" + r.urls[1], "FOOTNOTE_OTHER_EMBED_MODEL=few-letters"}, "", nil)
	if err != nil {
		r.t.Fatal(err)
	}
	var log logbook
	a, err := openApp(r.t.Context(), c, slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		r.t.Fatal(err)
	}
	return a, &log
}

// start starts the service on a folder; stop ends it as a signal does.
func (r *restarts) start(data string) (s *service, log *logbook, stop func()) {
	r.t.Helper()
	a, log := r.open(data)
	end := sync.OnceFunc(a.start(context.WithoutCancel(r.t.Context())))
	srv := httptest.NewServer(a.handler)
	stop = sync.OnceFunc(func() { srv.Close(); end() })
	r.t.Cleanup(stop)
	return &service{r.t, srv.URL, a}, log, stop
}

// image copies a folder on which nobody works.
func image(t *testing.T, data string) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), "image")
	if err := os.CopyFS(to, os.DirFS(data)); err != nil {
		t.Fatal(err)
	}
	return to
}

// image is what kill -9 would leave of the service's folder now.
func (s *service) image(data string) string {
	s.t.Helper()
	s.app.index.(*indexlocal.Index).Wait()
	return image(s.t, data)
}

func (s *service) checkpoint() {
	s.t.Helper()
	if err := s.app.ingest.Checkpoint(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
}

// agrees checks that the index holds what the catalog lists and nothing else, and ranks as one that is filled from it anew: every vector set, every mode, with and without a filter.
func agrees(t *testing.T, what string, a *app) {
	t.Helper()
	fresh, err := indexlocal.New(indexlocal.Options{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer fresh.Close()
	if err := ingest.New(ingest.Options{Catalog: a.catalog, Index: fresh, Embedder: a.embedder, Logger: slog.New(slog.DiscardHandler)}).Replay(t.Context()); err != nil {
		t.Fatal(err)
	}
	sets, err := fresh.Collections(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	have, err := a.index.Collections(t.Context())
	if err != nil || fmt.Sprint(have) != fmt.Sprint(sets) {
		t.Fatalf("%s: the index has the collections %v, %v; want %v", what, have, err, sets)
	}
	points := func(x ingest.Index, id rag.CollectionID) map[rag.PointRef]int {
		out := map[rag.PointRef]int{}
		if err := x.EachPoint(t.Context(), id, func(p rag.PointRef) error { out[p]++; return nil }); err != nil {
			t.Fatal(err)
		}
		return out
	}
	filter := &rag.Filter{Op: rag.OpEq, Key: "team", Value: "red"}
	for _, id := range sets {
		got, want := points(a.index, id), points(fresh, id)
		for p := range want {
			if got[p] != 1 {
				t.Errorf("%s: %s has %v %d times", what, id, p, got[p])
			}
		}
		if len(got) != len(want) {
			t.Errorf("%s: %s has %d points, want %d", what, id, len(got), len(want))
		}
		dims := 32
		if strings.Contains(string(id), ".") {
			dims = 24
		}
		for q := range 6 {
			r := rand.New(rand.NewPCG(uint64(q), 1))
			v := make(rag.Embedding, dims)
			var norm float64
			for i := range v {
				v[i] = r.Float32()
				norm += float64(v[i]) * float64(v[i])
			}
			for i := range v {
				v[i] /= float32(math.Sqrt(norm))
			}
			for _, f := range []*rag.Filter{nil, filter} {
				lists := [2][2][]rag.Candidate{}
				for i, x := range []index{a.index, fresh} {
					var err, err2 error
					lists[i][0], err = x.SearchDense(t.Context(), id, v, f, 10)
					lists[i][1], err2 = x.SearchLexical(t.Context(), id, lexical.QueryVector(fmt.Sprintf("word%dword tells of oxygen", q)), f, 10)
					if err := errors.Join(err, err2); err != nil {
						t.Fatal(err)
					}
				}
				for mode := range 2 {
					if !sameScores(lists[0][mode], lists[1][mode]) {
						t.Errorf("%s: %s, query %d, mode %d, filter %v: got %v, want %v", what, id, q, mode, f != nil, lists[0][mode], lists[1][mode])
					}
				}
			}
		}
	}
}

func sameScores(a, b []rag.Candidate) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if math.Abs(a[i].Score-b[i].Score) > 1e-4 {
			return false
		}
	}
	return true
}

// fillSome takes n documents in, each of one chunk, in teams.
func (s *service) fillSome(collection string, from, n int) {
	s.t.Helper()
	for i := from; i < from+n; i++ {
		s.add(collection, fmt.Sprintf("d%d", i), fmt.Sprintf("Document word%dword tells of oxygen and of number %d, and of nothing else.", i, i*i), map[string]any{"team": []string{"red", "blue"}[i%2]})
	}
}

func (s *service) remove(collection, id string) {
	s.t.Helper()
	s.call("DELETE", "/v1/collections/"+collection+"/documents/"+id, nil, 204, nil)
}

// tally counts what a start writes into the index.
type tally struct {
	*indexlocal.Index
	upserts, deletes, walks int
}

func (c *tally) Upsert(ctx context.Context, id rag.CollectionID, p []rag.Point) error {
	c.upserts += len(p)
	return c.Index.Upsert(ctx, id, p)
}

func (c *tally) Delete(ctx context.Context, id rag.CollectionID, ids []rag.ChunkID) error {
	c.deletes += len(ids)
	return c.Index.Delete(ctx, id, ids)
}

func (c *tally) EachPoint(ctx context.Context, id rag.CollectionID, f func(rag.PointRef) error) error {
	c.walks++
	return c.Index.EachPoint(ctx, id, f)
}

// replayed is what a start on the folder writes.
func replayed(t *testing.T, data string) *tally {
	t.Helper()
	s, err := sqlite.Open(t.Context(), sqlite.Options{Path: filepath.Join(data, "footnote.db"), Changes: sqlite.KeepChanges})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	x, err := indexlocal.New(indexlocal.Options{Dir: filepath.Join(data, "index"), Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	c := &tally{Index: x}
	if err := ingest.New(ingest.Options{Catalog: s, Index: c, Durable: x, Changes: s, Logger: slog.New(slog.DiscardHandler)}).Replay(t.Context()); err != nil {
		t.Fatal(err)
	}
	return c
}
