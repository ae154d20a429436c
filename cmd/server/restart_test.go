package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
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

func TestRestart_ReplaysWhatTheFilesLackAndNothingElse(t *testing.T) {
	t.Parallel()
	r := newRestarts(t)
	data := t.TempDir()
	s, _, stop := r.start(data)
	s.call("POST", "/v1/collections", map[string]any{"name": "c"}, 201, nil)
	s.call("POST", "/v1/collections", map[string]any{"name": "empty"}, 201, nil)
	s.fillSome("c", 0, 12)
	s.checkpoint()
	if got := replayed(t, s.image(data)); got.upserts+got.deletes+got.walks != 0 {
		t.Errorf("nothing had changed, and the start wrote %d points, removed %d and walked %d times", got.upserts, got.deletes, got.walks)
	}
	// One new, one replaced, one with other metadata, one deleted.
	s.fillSome("c", 12, 1)
	s.add("c", "d0", "Document word0word tells of helium now.", map[string]any{"team": "red"})
	s.add("c", "d1", "Document word1word tells of oxygen and of number 1, and of nothing else.", map[string]any{"team": "red"})
	s.remove("c", "d2")
	crashed := s.image(data)
	if got := replayed(t, image(t, crashed)); got.upserts != 3 || got.deletes != 2 || got.walks != 1 {
		t.Errorf("the start wrote %d points, removed %d and walked %d times; want 3, 2, 1", got.upserts, got.deletes, got.walks)
	}
	stop()
	if got := replayed(t, image(t, data)); got.upserts+got.deletes+got.walks != 0 {
		t.Errorf("after a clean end the start wrote %d points and removed %d", got.upserts, got.deletes)
	}
	for what, folder := range map[string]string{"crashed": crashed, "ended": data} {
		a, log := r.open(folder)
		agrees(t, what, a)
		if log.count(filledLine) != 0 || log.count(settledLine) != map[string]int{"crashed": 1}[what] {
			t.Errorf("%s: the log says\n%s", what, log)
		}
		a.close()
	}
}

// A removal that was carried out after a checkpoint, and that the catalog's queue has forgotten, must not come back from the files.
func TestRestart_RemovalsAfterACheckpointStayRemoved(t *testing.T) {
	t.Parallel()
	r := newRestarts(t)
	data := t.TempDir()
	s, _, _ := r.start(data)
	s.call("POST", "/v1/collections", map[string]any{"name": "c"}, 201, nil)
	s.fillSome("c", 0, 4)
	c, err := s.app.catalog.Collection(t.Context(), "c")
	if err != nil {
		t.Fatal(err)
	}
	// The worker dies between the catalog and the index.
	if _, err := s.app.catalog.DeleteDocument(t.Context(), c.ID, "d1"); err != nil {
		t.Fatal(err)
	}
	s.fillSome("c", 4, 1)
	s.checkpoint() // d1's point is in the files, its removal in the queue
	due, err := s.app.catalog.Removals(t.Context(), 10)
	if err != nil || len(due) != 1 {
		t.Fatalf("queued %v, %v", due, err)
	}
	queued := s.image(data)
	if err := s.app.index.Delete(t.Context(), c.ID, []rag.ChunkID{due[0].Chunk}); err != nil {
		t.Fatal(err)
	}
	if err := s.app.catalog.AckRemovals(t.Context(), due); err != nil {
		t.Fatal(err)
	}
	for what, folder := range map[string]string{"queued": queued, "carried out": s.image(data)} {
		a, log := r.open(folder)
		agrees(t, what, a)
		if log.count(filledLine) != 0 {
			t.Errorf("%s: the log says\n%s", what, log)
		}
		a.close()
	}
}

func TestRestart_DamagedFilesAreFilledAgain(t *testing.T) {
	t.Parallel()
	r := newRestarts(t)
	data := t.TempDir()
	s, _, stop := r.start(data)
	for _, name := range []string{"c", "other"} {
		s.call("POST", "/v1/collections", map[string]any{"name": name}, 201, nil)
	}
	s.fillSome("c", 0, 8)
	s.fillSome("other", 3, 3)
	s.checkpoint()
	older := s.image(data)
	s.fillSome("c", 8, 3)
	s.remove("c", "d4")
	s.checkpoint()
	s.fillSome("c", 11, 2)
	stop()
	c, err := func() (rag.CollectionID, error) {
		st, err := sqlite.Open(t.Context(), sqlite.Options{Path: filepath.Join(data, "footnote.db")})
		if err != nil {
			return "", err
		}
		defer st.Close()
		c, err := st.Collection(t.Context(), "c")
		return c.ID, err
	}()
	if err != nil {
		t.Fatal(err)
	}
	own := "index/c-" + string(c)
	files := func(folder string) (out []string) {
		t.Helper()
		err := filepath.WalkDir(filepath.Join(folder, own), func(path string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() {
				out = append(out, path)
			}
			return err
		})
		if err != nil || len(out) < 3 {
			t.Fatalf("files %v, %v", out, err)
		}
		return out
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	type damage struct {
		name    string
		lines   int // that say that a collection is filled again; −1: one, or none where it did not matter
		inflict func(folder string)
	}
	var all []damage
	for i := range files(image(t, data)) {
		all = append(all,
			damage{fmt.Sprint("truncated ", i), 1, func(folder string) {
				path := files(folder)[i]
				info, err := os.Stat(path)
				must(err)
				must(os.Truncate(path, info.Size()*int64(i+1)/7))
			}},
			damage{fmt.Sprint("deleted ", i), 1, func(folder string) { must(os.Remove(files(folder)[i])) }},
			damage{fmt.Sprint("emptied ", i), 1, func(folder string) { must(os.Truncate(files(folder)[i], 0)) }})
		for flip := range 8 {
			all = append(all, damage{fmt.Sprint("flipped ", i, ".", flip), -1, func(folder string) {
				path := files(folder)[i]
				b, err := os.ReadFile(path)
				must(err)
				b[rand.IntN(len(b))] ^= 1 << rand.IntN(8)
				must(os.WriteFile(path, b, 0o600))
			}})
		}
	}
	all = append(all,
		damage{"nothing", 0, func(string) {}},
		damage{"swapped", 1, func(folder string) {
			f := files(folder)
			must(os.Rename(f[0], f[0]+".x"))
			must(os.Rename(f[1], f[0]))
			must(os.Rename(f[0]+".x", f[1]))
		}},
		damage{"no folder", 2, func(folder string) { must(os.RemoveAll(filepath.Join(folder, "index"))) }},
		damage{"no folder of the collection", 1, func(folder string) { must(os.RemoveAll(filepath.Join(folder, own))) }},
		damage{"the folder of another collection", 1, func(folder string) {
			entries, err := os.ReadDir(filepath.Join(folder, "index"))
			must(err)
			for _, e := range entries {
				if path := filepath.Join(folder, "index", e.Name()); path != filepath.Join(folder, own) {
					must(os.RemoveAll(filepath.Join(folder, own)))
					must(os.CopyFS(filepath.Join(folder, own), os.DirFS(path)))
				}
			}
		}},
		damage{"older files", 1, func(folder string) {
			must(os.RemoveAll(filepath.Join(folder, own)))
			must(os.CopyFS(filepath.Join(folder, own), os.DirFS(filepath.Join(older, own))))
		}},
		damage{"a point that is gone and no change says so", 1, func(folder string) {
			x, err := indexlocal.New(indexlocal.Options{Dir: filepath.Join(folder, "index"), Logger: slog.New(slog.DiscardHandler)})
			must(err)
			var some rag.ChunkID
			must(x.EachPoint(t.Context(), c, func(p rag.PointRef) error { some = p.Chunk; return nil }))
			must(x.Delete(t.Context(), c, []rag.ChunkID{some}))
			seq, _ := x.Applied(c)
			must(x.Checkpoint(t.Context(), c, seq))
			must(x.Close())
		}},
		damage{"an older catalog", 1, func(folder string) {
			for _, name := range []string{"footnote.db", "footnote.db-wal", "footnote.db-shm"} {
				must(os.RemoveAll(filepath.Join(folder, name)))
				if b, err := os.ReadFile(filepath.Join(older, name)); err == nil {
					must(os.WriteFile(filepath.Join(folder, name), b, 0o600))
				}
			}
		}},
		damage{"files of a collection that is not", 0, func(folder string) {
			must(os.CopyFS(filepath.Join(folder, "index", "c-col_unknown"), os.DirFS(filepath.Join(folder, own))))
		}},
		damage{"a file in place of the folder", 1, func(folder string) {
			must(os.RemoveAll(filepath.Join(folder, "index")))
			must(os.WriteFile(filepath.Join(folder, "index"), nil, 0o600))
		}},
	)
	for _, d := range all {
		folder := s.image(data)
		d.inflict(folder)
		a, log := r.open(folder)
		agrees(t, d.name, a)
		if n := log.count(filledLine); n != d.lines && (d.lines >= 0 || n > 1) {
			t.Errorf("%s: %d lines say that a collection is filled again, want %d:\n%s", d.name, n, d.lines, log)
		}
		a.close()
		// It is mended for good, unless there is no folder.
		if d.name == "a file in place of the folder" {
			continue
		}
		a, log = r.open(folder)
		agrees(t, d.name+", again", a)
		if log.count(filledLine)+log.count(settledLine) != 0 {
			t.Errorf("%s: the second start did it again:\n%s", d.name, log)
		}
		a.close()
	}
	t.Logf("%d kinds of damage", len(all))
}

// Where files cannot be written the service goes on in memory and says so once; when they can again, it writes them.
func TestRestart_AFolderThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	r := newRestarts(t)
	data := t.TempDir()
	s, log, stop := r.start(data)
	s.call("POST", "/v1/collections", map[string]any{"name": "c"}, 201, nil)
	s.fillSome("c", 0, 2)
	s.checkpoint()
	index := filepath.Join(data, "index")
	if err := os.Rename(index, index+".away"); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(index, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	s.fillSome("c", 2, 2)
	s.call("POST", "/v1/collections", map[string]any{"name": "later"}, 201, nil)
	s.fillSome("later", 0, 2)
	if err := s.app.ingest.Checkpoint(t.Context()); err == nil {
		t.Error("a checkpoint without a folder")
	}
	agrees(t, "without a folder", s.app)
	if log.count("kept in memory") != 1 {
		t.Errorf("the log says\n%s", log)
	}
	crashed := s.image(data)
	if err := os.Remove(index); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(index+".away", index); err != nil {
		t.Fatal(err)
	}
	s.checkpoint()
	stop()
	if got := replayed(t, image(t, data)); got.upserts+got.deletes+got.walks != 0 {
		t.Errorf("when there was a folder again, not all was written: the start wrote %d points", got.upserts)
	}
	if err := os.Remove(filepath.Join(crashed, "index")); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(filepath.Join(crashed, "index.away"), filepath.Join(crashed, "index")); err != nil {
		t.Fatal(err)
	}
	a, _ := r.open(crashed)
	defer a.close()
	agrees(t, "crashed without a folder", a)
}

// Both sets of vectors survive restarts at every point of a re-embedding.
func TestRestart_BetweenTwoModels(t *testing.T) {
	t.Parallel()
	r := newRestarts(t)
	data := t.TempDir()
	s, _, stop := r.start(data)
	s.call("POST", "/v1/collections", map[string]any{"name": "c"}, 201, nil)
	s.fillSome("c", 0, 6)
	s.checkpoint()
	var images []string
	keep := func() { images = append(images, s.image(data)) }
	s.call("POST", "/v1/collections/c/reembedding", map[string]any{"min_ratio": 0, "swap": false}, 202, nil)
	s.settled("ready")
	keep()
	s.remove("c", "d0") // from the set in use; the other one comes to its first checkpoint with it
	s.checkpoint()
	keep()
	s.remove("c", "d1")
	s.fillSome("c", 6, 2)
	keep()
	s.checkpoint()
	keep()
	s.call("POST", "/v1/collections/c/reembedding/swap", nil, 200, nil)
	keep()
	s.remove("c", "d2")
	s.fillSome("c", 8, 2)
	keep()
	s.checkpoint()
	keep()
	s.call("DELETE", "/v1/collections/c/reembedding", nil, 204, nil)
	s.remove("c", "d3")
	keep()
	stop()
	images = append(images, data)
	for i, folder := range images {
		a, log := r.open(folder)
		agrees(t, fmt.Sprint("image ", i), a)
		if i != 0 && log.count(filledLine) != 0 {
			t.Errorf("image %d: the log says\n%s", i, log)
		}
		a.close()
	}
}

// A set that becomes the one in use is brought up to date before the other one, by which that is known, is ended.
func TestRestart_AfterASwapThatWasMadeAtOnceForGood(t *testing.T) {
	t.Parallel()
	r := newRestarts(t)
	data := t.TempDir()
	s, _, _ := r.start(data)
	s.call("POST", "/v1/collections", map[string]any{"name": "c"}, 201, nil)
	s.fillSome("c", 0, 6)
	s.call("POST", "/v1/collections/c/reembedding", map[string]any{"min_ratio": 0, "swap": false}, 202, nil)
	s.settled("ready")
	s.checkpoint()
	s.remove("c", "d1")
	s.call("POST", "/v1/collections/c/reembedding/swap", nil, 200, nil)
	s.call("DELETE", "/v1/collections/c/reembedding", nil, 204, nil)
	s.fillSome("c", 6, 1)
	s.checkpoint()
	a, log := r.open(s.image(data))
	defer a.close()
	agrees(t, "swapped", a)
	if log.count(filledLine)+log.count(settledLine) != 0 {
		t.Errorf("the log says\n%s", log)
	}
}

// refusing is a catalog that refuses to publish while it is told to.
type refusing struct {
	*sqlite.Store
	now atomic.Bool
}

func (r *refusing) Publish(ctx context.Context, job rag.JobID, token int64, n int, v rag.Version) ([]rag.ChunkID, error) {
	if r.now.Load() {
		return nil, rag.Errorf(rag.Internal, "The catalog refuses.")
	}
	return r.Store.Publish(ctx, job, token, n, v)
}

// A document whose publication failed after its points were written is made good before the files are: they hold what the catalog lists.
func TestCheckpoint_SettlesWhatFailedHalfWay(t *testing.T) {
	t.Parallel()
	r := newRestarts(t)
	data := t.TempDir()
	a, _ := r.open(data)
	defer a.close()
	st := &refusing{Store: a.catalog.(*sqlite.Store)}
	blobs, err := a.openBlobs(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	x := a.index.(*indexlocal.Index)
	service := ingest.New(ingest.Options{Catalog: st, Blobs: blobs, Index: x, Durable: x, Changes: st, Embedder: a.embedder, Logger: slog.New(slog.DiscardHandler)})
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1) // it ends whether or not the test still looks
	go func() { ended <- service.Run(ctx) }()
	defer func() { stop(); <-ended }()
	if _, err := service.CreateCollection(t.Context(), rag.Collection{Name: "c"}); err != nil {
		t.Fatal(err)
	}
	submit := func(text, team string, want rag.JobStatus) {
		t.Helper()
		job, err := service.Submit(t.Context(), "c", []rag.Source{{Upload: rag.Upload{ExternalID: "d", MediaType: "text/plain", Metadata: rag.Metadata{"team": team}}, Content: strings.NewReader(text)}})
		if err == nil {
			job, err = service.Wait(t.Context(), job.ID)
		}
		if err != nil || job.Status != want {
			t.Fatalf("got %+v, %v", job, err)
		}
	}
	submit("The same text tells of oxygen.", "red", rag.JobSucceeded)
	st.now.Store(true)
	submit("The same text tells of oxygen.", "blue", rag.JobFailed)
	submit("Another text tells of oxygen.", "blue", rag.JobFailed)
	if err := service.Checkpoint(t.Context()); err != nil {
		t.Fatal(err)
	}
	agrees(t, "settled", a)
	x.Wait()
	b, log := r.open(image(t, data))
	defer b.close()
	agrees(t, "after a crash", b)
	if log.count(filledLine)+log.count(settledLine) != 0 {
		t.Errorf("the log says\n%s", log)
	}
}

func TestDoctor_TellsOfDamagedFilesAndRepairsThem(t *testing.T) {
	t.Parallel()
	r := newRestarts(t)
	data := t.TempDir()
	s, _, stop := r.start(data)
	s.call("POST", "/v1/collections", map[string]any{"name": "c"}, 201, nil)
	s.fillSome("c", 0, 3)
	doctor := func(args ...string) (int, string) {
		var out, errOut strings.Builder
		code := run(t.Context(), append([]string{"doctor"}, args...), []string{"FOOTNOTE_DATA=" + data, "FOOTNOTE_EMBED_BASE_URL=" + r.urls[0], "FOOTNOTE_EMBED_MODEL=letters"}, strings.NewReader(""), &out, &errOut)
		return code, out.String() + errOut.String()
	}
	if code, out := doctor(); code != exitOK || !strings.Contains(out, "a running service has it") {
		t.Errorf("doctor beside a service: %d\n%s", code, out)
	}
	if code, out := doctor("--repair"); code == exitOK || !strings.Contains(out, "in use by another footnote process") {
		t.Errorf("repairing beside a service: %d\n%s", code, out)
	}
	crashed := s.image(data)
	stop()
	if code, out := doctor(); code != exitOK || !strings.Contains(out, "1 collections in files, 3 points; up to date") {
		t.Errorf("doctor: %d\n%s", code, out)
	}
	segments, err := filepath.Glob(filepath.Join(data, "index", "*", "*.segment"))
	if err != nil || len(segments) == 0 {
		t.Fatalf("segments %v, %v", segments, err)
	}
	if err := os.Truncate(segments[0], 100); err != nil {
		t.Fatal(err)
	}
	for range 2 { // looking changes nothing
		if code, out := doctor(); code != exitFailed || !strings.Contains(out, "1 of 1 collections have damaged files") || !strings.Contains(out, "doctor --repair") {
			t.Errorf("doctor of damaged files: %d\n%s", code, out)
		}
	}
	if code, out := doctor("--repair"); code != exitOK || !strings.Contains(out, "1 collections had damaged files") || !strings.Contains(out, "3 points; up to date") {
		t.Errorf("repair: %d\n%s", code, out)
	}
	a, log := r.open(data)
	agrees(t, "repaired", a)
	a.close()
	if log.count(filledLine) != 0 {
		t.Errorf("the log says\n%s", log)
	}
	data = crashed
	if code, out := doctor(); code != exitOK || !strings.Contains(out, "the next start") {
		t.Errorf("doctor after a crash: %d\n%s", code, out)
	}
}
