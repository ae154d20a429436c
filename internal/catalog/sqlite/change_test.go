package sqlite

import (
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"footnote/internal/rag"
)

func openWith(t *testing.T, path string, changes Changes) *Store {
	t.Helper()
	s, err := Open(t.Context(), Options{Path: path, Changes: changes})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func seqOf(t *testing.T, s *Store, id rag.CollectionID) int64 {
	t.Helper()
	seq, err := s.ChangeSeq(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return seq
}

// since lists the documents that changed after a number; false when the log does not know.
func since(t *testing.T, s *Store, id rag.CollectionID, after int64) ([]rag.DocumentID, bool) {
	t.Helper()
	var out []rag.DocumentID
	whole, err := s.ChangedDocuments(t.Context(), id, after, func(d rag.DocumentID) error {
		out = append(out, d)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out, whole
}

func collectionNamed(t *testing.T, s *Store, name string) rag.CollectionID {
	t.Helper()
	c, err := s.CreateCollection(t.Context(), rag.Collection{Name: name, Embedding: rag.EmbeddingSpec{Model: "m", Fingerprint: "f", Dimensions: 1}})
	if err != nil {
		t.Fatal(err)
	}
	return c.ID
}

// publish makes the words the document's chunks.
func publish(t *testing.T, s *Store, id rag.CollectionID, externalID string, words ...string) rag.Version {
	t.Helper()
	if _, err := s.Submit(t.Context(), id, []rag.Upload{{ExternalID: externalID}}); err != nil {
		t.Fatal(err)
	}
	l, err := s.LeaseJob(t.Context(), "w", time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	d := l.Job.Documents[0]
	v := rag.Version{Document: rag.Document{ID: d.Document, ExternalID: externalID, Version: d.Version}}
	for i, w := range words {
		v.Chunks = append(v.Chunks, rag.Chunk{ID: rag.NewChunkID(d.Document, w, 0), Document: d.Document, Version: d.Version, Ordinal: i, Text: w})
		v.Embeddings = append(v.Embeddings, rag.Embedding{float32(i)})
	}
	if _, err := s.Publish(t.Context(), l.Job.ID, l.Token, 0, v); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestChanges_EveryChangeOfWhatTheIndexHoldsIsNoted(t *testing.T) {
	t.Parallel()
	s := openWith(t, filepath.Join(t.TempDir(), "c.db"), KeepChanges)
	id, other := collectionNamed(t, s, "c"), collectionNamed(t, s, "other")
	at := seqOf(t, s, id)
	step := func(what string, want ...rag.DocumentID) {
		t.Helper()
		got, whole := since(t, s, id, at)
		slices.Sort(got)
		slices.Sort(want)
		if diff := cmp.Diff(want, got); diff != "" || !whole {
			t.Errorf("%s: whole %v, %s", what, whole, diff)
		}
		at = seqOf(t, s, id)
	}
	step("nothing")
	a := publish(t, s, id, "a", "one", "two").Document.ID
	step("published", a)
	b := publish(t, s, id, "b", "three").Document.ID
	publish(t, s, id, "a", "two")
	step("another and replaced", a, b)
	publish(t, s, other, "x", "elsewhere")
	step("another collection")
	due, err := s.Removals(t.Context(), 10)
	if err != nil || len(due) != 1 {
		t.Fatalf("got %v, %v", due, err)
	}
	for range 2 { // the second time there is nothing
		if err := s.AckRemovals(t.Context(), []rag.Removal{{Collection: id, Chunk: due[0].Chunk}}); err != nil {
			t.Fatal(err)
		}
	}
	step("a removal was carried out", a)
	if _, err := s.DeleteDocument(t.Context(), id, "b"); err != nil {
		t.Fatal(err)
	}
	step("deleted", b)
	imported := rag.Version{Document: rag.Document{ID: "doc_i", Collection: id, ExternalID: "i", Version: 1}, Imported: true,
		Chunks: []rag.Chunk{{ID: rag.NewChunkID("doc_i", "four", 0), Document: "doc_i", Text: "four"}}, Embeddings: []rag.Embedding{{1}}}
	if err := s.ImportDocument(t.Context(), imported); err != nil {
		t.Fatal(err)
	}
	step("imported", "doc_i")
	r := rag.Reembedding{Collection: id, Other: rag.EmbeddingSpec{Fingerprint: "g", Dimensions: 1}, IndexID: rag.NewIndexID(id)}
	if err := s.StartReembedding(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	step("a re-embedding has begun")
	if err := s.SaveOther(t.Context(), r, []rag.ChunkID{imported.Chunks[0].ID}, []rag.Embedding{{2}}); err != nil {
		t.Fatal(err)
	}
	step("another vector", "doc_i")
	var vectors []float32
	collect := func(k rag.StoredChunk) error { vectors = append(vectors, k.Embedding[0]); return nil }
	for _, err := range []error{s.EachChunkOf(t.Context(), "doc_i", collect), s.EachOtherOf(t.Context(), id, "doc_i", collect), s.EachChunkOf(t.Context(), b, collect), s.EachOtherOf(t.Context(), id, a, collect)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff([]float32{1, 2}, vectors); diff != "" {
		t.Error(diff)
	}
	if _, err := s.DeleteCollection(t.Context(), "c"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.ChangeSeq(t.Context(), id); rag.CodeOf(err) != rag.NotFound {
		t.Errorf("the log of a deleted collection: %v", err)
	}
}

func TestChanges_TheLogSaysHowFarItReaches(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "c.db")
	s := openWith(t, path, KeepChanges)
	id := collectionNamed(t, s, "c")
	for _, d := range []string{"a", "b", "a", "c"} {
		publish(t, s, id, d, "one")
	}
	last := seqOf(t, s, id)
	if got, whole := since(t, s, id, 0); len(got) != 3 || !whole {
		t.Errorf("got %v, %v; a document stands there once", got, whole)
	}
	if _, whole := since(t, s, id, last+1); whole {
		t.Error("an index from the future passes")
	}
	if err := s.PruneChanges(t.Context(), id, last-1); err != nil {
		t.Fatal(err)
	}
	if got, whole := since(t, s, id, last-1); len(got) != 1 || !whole {
		t.Errorf("got %v, %v", got, whole)
	}
	if _, whole := since(t, s, id, last-2); whole {
		t.Error("an index from before what was forgotten passes")
	}
	if err := s.PruneChanges(t.Context(), id, last); err != nil {
		t.Fatal(err)
	}
	if got := seqOf(t, s, id); got != last {
		t.Errorf("with all forgotten the last change is %d, want %d", got, last)
	}
	publish(t, s, id, "d", "one")
	if got := seqOf(t, s, id); got <= last {
		t.Errorf("a number came again: %d after %d", got, last)
	}
	last = seqOf(t, s, id)
	s.Close()

	// Who only looks changes nothing.
	s = openWith(t, path, ChangesAsTheyAre)
	publish(t, s, id, "e", "one")
	if got, whole := since(t, s, id, last); len(got) != 1 || !whole {
		t.Errorf("got %v, %v", got, whole)
	}
	s.Close()

	// With an index that is a server nothing is noted, and the log does not look whole afterwards.
	s = openWith(t, path, ForgetChanges)
	publish(t, s, id, "f", "one")
	var n int
	if err := s.read.QueryRowContext(t.Context(), `SELECT (SELECT count(*) FROM changes) + (SELECT count(*) FROM change_logs)`).Scan(&n); err != nil || n != 0 {
		t.Errorf("%d rows are kept, %v", n, err)
	}
	created := collectionNamed(t, s, "later")
	s.Close()
	s = openWith(t, path, KeepChanges)
	for _, id := range []rag.CollectionID{id, created} {
		for after := range last + 2 { // with that of e
			if _, whole := since(t, s, id, after); whole {
				t.Errorf("an index of change %d passes, though changes were not noted", after)
			}
		}
		if got, whole := since(t, s, id, seqOf(t, s, id)); len(got) != 0 || !whole {
			t.Errorf("got %v, %v", got, whole)
		}
	}
}
