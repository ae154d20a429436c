package main

import (
	"fmt"
	"testing"

	"footnote/internal/rag"
)

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
