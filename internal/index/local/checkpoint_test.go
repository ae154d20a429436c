package local

import (
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"footnote/internal/rag"
)

// What is written after a checkpoint is not in the files before the next one, however much is compacted meanwhile: half of it would lose points.
func TestCheckpoint_TheFilesAreOfThatMoment(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	x := openIndex(t, Options{Dir: dir}, small)
	if err := x.EnsureCollection(t.Context(), "c", 8); err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 2))
	var points []rag.Point
	for i := range 400 {
		points = append(points, point(r, i, 8))
	}
	upsert := func(points []rag.Point) {
		t.Helper()
		if err := x.Upsert(t.Context(), "c", points); err != nil {
			t.Fatal(err)
		}
	}
	upsert(points[:200])
	if err := x.Checkpoint(t.Context(), "c", 7); err != nil {
		t.Fatal(err)
	}
	for at := 0; at < 190; at += 10 { // replaced, in a new head each time
		upsert(points[at : at+10])
	}
	upsert(points[200:390])
	if err := x.Delete(t.Context(), "c", []rag.ChunkID{points[0].ID}); err != nil {
		t.Fatal(err)
	}
	x.Wait()
	copied := filepath.Join(t.TempDir(), "copy") // what a crash leaves
	if err := os.CopyFS(copied, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	y, err := open(Options{Dir: copied, Logger: slog.New(slog.DiscardHandler)}, small)
	if err != nil {
		t.Fatal(err)
	}
	defer y.Close()
	if seq, ok := y.Applied("c"); seq != 7 || !ok {
		t.Errorf("applied %d, %v", seq, ok)
	}
	got := map[rag.ChunkID]int{}
	if err := y.EachPoint(t.Context(), "c", func(p rag.PointRef) error { got[p.Chunk]++; return nil }); err != nil {
		t.Fatal(err)
	}
	for _, p := range points[:200] {
		if got[p.ID] != 1 {
			t.Errorf("%s is there %d times", p.ID, got[p.ID])
		}
	}
	if len(got) != 200 {
		t.Errorf("got %d points, want 200", len(got))
	}
}

// Examine tells of damage and leaves everything as it is.
func TestExamine_OnlyLooks(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	x := openIndex(t, Options{Dir: dir}, small)
	r := rand.New(rand.NewPCG(1, 2))
	for _, id := range []rag.CollectionID{"a", "b", "new"} {
		if err := x.EnsureCollection(t.Context(), id, 8); err != nil {
			t.Fatal(err)
		}
		if err := x.Upsert(t.Context(), id, []rag.Point{point(r, 1, 8), point(r, 2, 8)}); err != nil {
			t.Fatal(err)
		}
		if id == "new" {
			continue
		}
		if err := x.Checkpoint(t.Context(), id, 3); err != nil {
			t.Fatal(err)
		}
	}
	if err := x.Close(); err != nil {
		t.Fatal(err)
	}
	segments, err := filepath.Glob(filepath.Join(folderPath(dir, "b"), "*"+segmentSuffix))
	if err != nil || len(segments) != 1 {
		t.Fatalf("got %v, %v", segments, err)
	}
	if err := os.Remove(segments[0]); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		states, err := Examine(dir)
		if err != nil || len(states) != 2 {
			t.Fatalf("got %+v, %v", states, err)
		}
		if s := states[0]; s.ID != "a" || s.Points != 2 || s.Sequence != 3 || s.Err != nil {
			t.Errorf("got %+v", s)
		}
		if s := states[1]; s.ID != "b" || s.Err == nil {
			t.Errorf("got %+v", s)
		}
	}
	if states, err := Examine(filepath.Join(dir, "absent")); len(states) != 0 || err != nil {
		t.Errorf("got %v, %v", states, err)
	}
}
