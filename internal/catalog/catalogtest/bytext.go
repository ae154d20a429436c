package catalogtest

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"footnote/internal/rag"
)

// hashOf is the hash of a chunk that version made of a word.
func hashOf(v rag.Version, i int) rag.TextHash {
	return rag.HashText(v.Chunks[i].Embedded(v.Document.Title))
}

// lookUp finds the vectors of texts.
func lookUp(t *testing.T, c Catalog, fingerprint string, texts ...rag.TextHash) map[rag.TextHash]rag.Embedding {
	t.Helper()
	return must[map[rag.TextHash]rag.Embedding](t)(c.EmbeddingsByText(t.Context(), fingerprint, texts))
}

func byText(t *testing.T, c Catalog, _ *Clock) {
	one, two := makeCollection(t, c, "one"), makeCollection(t, c, "two")
	v := ingest(t, c, one, "d", nil, "alpha", "beta 🗂")
	alpha, beta, unknown := hashOf(v, 0), hashOf(v, 1), rag.HashText("nobody's")
	want := map[rag.TextHash]rag.Embedding{alpha: v.Embeddings[0], beta: v.Embeddings[1]}
	found := lookUp(t, c, "f", beta, unknown, alpha, alpha)
	if diff := cmp.Diff(want, found); diff != "" {
		t.Error(diff)
	}
	if found := lookUp(t, c, "f"); len(found) > 0 {
		t.Errorf("nothing finds %v", found)
	}
	if found := lookUp(t, c, "g", alpha); len(found) > 0 {
		t.Errorf("another model finds %v", found)
	}
	// The heading path is of the text, so the same passage under another one is another text.
	elsewhere := ingest(t, c, two, "e", nil, "gamma", "alpha")
	if hashOf(elsewhere, 1) == alpha {
		t.Fatal("two texts have one hash")
	}
	// Among many chunks with the text, one is enough, and it is found as long as any is there.
	for i := range 3 {
		ingest(t, c, two, fmt.Sprint(i), nil, "alpha")
	}
	must[[]rag.ChunkID](t)(c.DeleteDocument(t.Context(), one.ID, "d"))
	if found := lookUp(t, c, "f", alpha, beta); len(found) != 1 || found[alpha] == nil {
		t.Errorf("after its document is deleted: %v", found)
	}
	for i := range 3 {
		ingest(t, c, two, fmt.Sprint(i), nil, "delta")
	}
	if found := lookUp(t, c, "f", alpha); len(found) > 0 {
		t.Errorf("a replaced text finds %v", found)
	}
	must[rag.Collection](t)(c.DeleteCollection(t.Context(), "two"))
	if found := lookUp(t, c, "f", hashOf(elsewhere, 0)); len(found) > 0 {
		t.Errorf("a deleted collection's text finds %v", found)
	}
	// A version keeps a vector that it does not bring, and its hash.
	first := ingest(t, c, one, "kept", nil, "same")
	must[rag.Job](t)(c.Submit(t.Context(), one.ID, []rag.Upload{{ExternalID: "kept"}}))
	l := must[*rag.Lease](t)(c.LeaseJob(t.Context(), "w", time.Minute))
	second := version(l.Job.Documents[0], nil, "same", "new")
	second.Embeddings[0] = nil
	must[[]rag.ChunkID](t)(c.Publish(t.Context(), l.Job.ID, l.Token, 0, second))
	if diff := cmp.Diff(map[rag.TextHash]rag.Embedding{hashOf(first, 0): first.Embeddings[0]}, lookUp(t, c, "f", hashOf(first, 0))); diff != "" {
		t.Error(diff)
	}
	// One that the catalog does not have is not made up; the job may try again.
	must[rag.Job](t)(c.Submit(t.Context(), one.ID, []rag.Upload{{ExternalID: "kept"}}))
	l = must[*rag.Lease](t)(c.LeaseJob(t.Context(), "w", time.Minute))
	third := version(l.Job.Documents[0], nil, "never seen")
	third.Embeddings[0] = nil
	_, err := c.Publish(t.Context(), l.Job.ID, l.Token, 0, third)
	wantCode(t, "keeping a vector that is not there", err, rag.Unavailable)
	// Nobody vouches for the vectors of an import: they stay where they are, also when a version keeps them.
	v = version(rag.JobDocument{Document: "doc_1", ExternalID: "imported", Version: 1}, nil, "planted")
	v.Document.Collection, v.Imported = one.ID, true
	if err := c.ImportDocument(t.Context(), v); err != nil {
		t.Fatal(err)
	}
	if found := lookUp(t, c, "f", hashOf(v, 0)); len(found) > 0 {
		t.Errorf("an imported vector is found: %v", found)
	}
	must[rag.Job](t)(c.Submit(t.Context(), one.ID, []rag.Upload{{ExternalID: "imported"}}))
	l = must[*rag.Lease](t)(c.LeaseJob(t.Context(), "w", time.Minute))
	again := version(l.Job.Documents[0], nil, "planted", "own")
	again.Embeddings[0] = nil
	must[[]rag.ChunkID](t)(c.Publish(t.Context(), l.Job.ID, l.Token, 0, again))
	if found := lookUp(t, c, "f", hashOf(again, 0), hashOf(again, 1)); len(found) != 1 || found[hashOf(again, 1)] == nil {
		t.Errorf("after a version that keeps an imported vector: %v", found)
	}
}

// byTextSwapped swaps a collection's model there and back while its texts are looked up under both: each finds vectors of its own model or none.
func byTextSwapped(t *testing.T, c Catalog, _ *Clock) {
	col := makeCollection(t, c, "c")
	v := ingest(t, c, col, "d", nil, "one", "two")
	other := rag.Reembedding{Collection: col.ID, Other: rag.EmbeddingSpec{Model: "other", Fingerprint: "g", Dimensions: 3}, IndexID: rag.NewIndexID(col.ID)}
	if err := c.StartReembedding(t.Context(), other); err != nil {
		t.Fatal(err)
	}
	vectors := []rag.Embedding{{0, 1, 7}, {0, 2, 7}}
	if err := c.SaveOther(t.Context(), other, []rag.ChunkID{v.Chunks[0].ID, v.Chunks[1].ID}, vectors); err != nil {
		t.Fatal(err)
	}
	texts := []rag.TextHash{hashOf(v, 0), hashOf(v, 1)}
	if f, g := lookUp(t, c, "f", texts...), lookUp(t, c, "g", texts...); len(f) != 2 || len(g) != 0 {
		t.Errorf("before the swap the models find %v and %v", f, g)
	}
	ctx, stop := context.WithCancel(t.Context())
	var readers sync.WaitGroup
	for _, model := range []struct {
		fingerprint string
		want        []rag.Embedding
	}{{"f", v.Embeddings}, {"g", vectors}} {
		readers.Go(func() {
			for ctx.Err() == nil {
				found, err := c.EmbeddingsByText(t.Context(), model.fingerprint, texts)
				if err != nil {
					t.Error(err)
					return
				}
				for i, h := range texts {
					if got, ok := found[h]; ok && !cmp.Equal(got, model.want[i]) {
						t.Errorf("model %s finds %v, want %v", model.fingerprint, got, model.want[i])
						return
					}
				}
			}
		})
	}
	for i := range 21 {
		if missing := must[int](t)(c.SwapEmbedding(t.Context(), col.ID)); missing != 0 {
			t.Fatalf("%d vectors are missing", missing)
		}
		in, out := "g", "f"
		if i%2 == 1 {
			in, out = out, in
		}
		if a, b := lookUp(t, c, in, texts...), lookUp(t, c, out, texts...); len(a) != 2 || len(b) != 0 {
			t.Errorf("swap %d: the model in use finds %v, the other %v", i, a, b)
		}
	}
	stop()
	readers.Wait()
	if err := c.EndReembedding(t.Context(), col.ID); err != nil {
		t.Fatal(err)
	}
	if f, g := lookUp(t, c, "f", texts...), lookUp(t, c, "g", texts...); len(f) != 0 || len(g) != 2 {
		t.Errorf("after its end the models find %v and %v", f, g)
	}
}

// BeforeHashes fills an empty catalog with a document that a job made and one that was imported. A test then takes the catalog back to the fourth migration, opens it again and calls
// AfterHashes.
func BeforeHashes(t *testing.T, c Catalog) {
	t.Helper()
	col := makeCollection(t, c, "c")
	ingest(t, c, col, "made", nil, "made")
	v := version(rag.JobDocument{Document: "doc_1", ExternalID: "imported", Version: 7}, nil, "imported")
	v.Document.Collection = col.ID
	if err := c.ImportDocument(t.Context(), v); err != nil {
		t.Fatal(err)
	}
}

// AfterHashes checks that vectors without a hash get one when their document is next taken in, unless they came with an import.
func AfterHashes(t *testing.T, c Catalog) {
	t.Helper()
	col := must[rag.Collection](t)(c.Collection(t.Context(), "c"))
	for externalID, want := range map[string]int{"made": 1, "imported": 0} {
		must[rag.Job](t)(c.Submit(t.Context(), col.ID, []rag.Upload{{ExternalID: externalID}}))
		l := must[*rag.Lease](t)(c.LeaseJob(t.Context(), "w", time.Minute))
		v := version(l.Job.Documents[0], nil, externalID)
		if found := lookUp(t, c, "f", hashOf(v, 0)); len(found) > 0 {
			t.Errorf("%s: a vector without a hash is found", externalID)
		}
		v.Embeddings[0] = nil
		must[[]rag.ChunkID](t)(c.Publish(t.Context(), l.Job.ID, l.Token, 0, v))
		if found := lookUp(t, c, "f", hashOf(v, 0)); len(found) != want {
			t.Errorf("%s: taken in again, %d vectors are found, want %d", externalID, len(found), want)
		}
	}
}
