package catalogtest

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"footnote/internal/rag"
)

func reembedding(t *testing.T, c Catalog, _ *Clock) {
	col := makeCollection(t, c, "c")
	if col.IndexID != col.ID {
		t.Errorf("a new collection's index id is %q", col.IndexID)
	}
	v := ingest(t, c, col, "d", nil, "one", "two", "three")
	other := rag.Reembedding{Collection: col.ID, Other: rag.EmbeddingSpec{Model: "other", Fingerprint: "g", Dimensions: 3}, IndexID: rag.NewIndexID(col.ID),
		Plan: rag.ReembeddingPlan{Swap: true, MinRatio: 0.9, Queries: []rag.JudgedQuery{{Query: "問", Documents: []string{"d"}}}}}
	_, err := c.Reembedding(t.Context(), col.ID)
	wantCode(t, "none yet", err, rag.NotFound)
	_, err = c.SwapEmbedding(t.Context(), col.ID)
	wantCode(t, "swapping none", err, rag.NotFound)
	if err := c.StartReembedding(t.Context(), other); err != nil {
		t.Fatal(err)
	}
	wantCode(t, "a second one", c.StartReembedding(t.Context(), other), rag.Conflict)
	got := must[rag.Reembedding](t)(c.Reembedding(t.Context(), col.ID))
	if got.State != rag.ReembedBuilding || got.Done != 0 || got.Total != 3 || got.Gate != nil {
		t.Errorf("got %+v", got)
	}
	if diff := cmp.Diff(other.Plan, got.Plan); diff != "" {
		t.Error(diff)
	}
	todo := must[[]rag.StoredChunk](t)(c.ChunksWithoutOther(t.Context(), col.ID, 2))
	if len(todo) != 2 || todo[0].Embedding != nil || todo[0].Title == "" {
		t.Fatalf("got %+v", todo)
	}
	save := func(chunks []rag.StoredChunk) {
		var ids []rag.ChunkID
		var vectors []rag.Embedding
		for _, k := range chunks {
			ids, vectors = append(ids, k.Chunk.ID), append(vectors, rag.Embedding{0, float32(k.Chunk.Ordinal), 7})
		}
		if err := c.SaveOther(t.Context(), other, ids, vectors); err != nil {
			t.Fatal(err)
		}
	}
	save(todo)
	if missing := must[int](t)(c.SwapEmbedding(t.Context(), col.ID)); missing != 1 {
		t.Errorf("%d chunks are missing, want 1", missing)
	}
	save(must[[]rag.StoredChunk](t)(c.ChunksWithoutOther(t.Context(), col.ID, 10)))
	moved := other
	moved.State, moved.Gate, moved.Error = rag.ReembedReady, &rag.Gate{Queries: 1, Before: 0.5, After: 0.6, Passed: true}, "none"
	if err := c.MoveReembedding(t.Context(), moved); err != nil {
		t.Fatal(err)
	}
	vectorOf := func() rag.Embedding {
		return must[map[rag.ChunkID]rag.Embedding](t)(c.Embeddings(t.Context(), []rag.ChunkID{v.Chunks[2].ID}))[v.Chunks[2].ID]
	}
	for round := range 2 { // there and back again
		if missing := must[int](t)(c.SwapEmbedding(t.Context(), col.ID)); missing != 0 {
			t.Fatalf("%d chunks are missing", missing)
		}
		now := must[rag.Collection](t)(c.Collection(t.Context(), "c"))
		r := must[[]rag.Reembedding](t)(c.Reembeddings(t.Context()))[0]
		var others []rag.Embedding
		if err := c.EachOther(t.Context(), col.ID, func(k rag.StoredChunk) error { others = append(others, k.Embedding); return nil }); err != nil {
			t.Fatal(err)
		}
		if round == 0 {
			if diff := cmp.Diff(rag.Embedding{0, 2, 7}, vectorOf()); diff != "" || now.Embedding != other.Other || now.IndexID != other.IndexID || r.State != rag.ReembedSwapped || r.Other.Fingerprint != "f" || r.IndexID != col.ID || len(others) != 3 || len(others[0]) != 2 {
				t.Errorf("swapped: %s %+v %+v %v", diff, now, r, others)
			}
			// Who embedded with the former model may not publish any more.
			must[rag.Job](t)(c.Submit(t.Context(), col.ID, []rag.Upload{{ExternalID: "e"}}))
			l := must[*rag.Lease](t)(c.LeaseJob(t.Context(), "w", time.Minute))
			late := version(l.Job.Documents[0], nil, "late")
			late.Fingerprint = "f"
			_, err := c.Publish(t.Context(), l.Job.ID, l.Token, 0, late)
			wantCode(t, "publishing with the former model", err, rag.ModelMismatch)
			late.Fingerprint = "g"
			must[[]rag.ChunkID](t)(c.Publish(t.Context(), l.Job.ID, l.Token, 0, late))
			if missing := must[int](t)(c.SwapEmbedding(t.Context(), col.ID)); missing != 1 {
				t.Errorf("swapping back misses %d", missing)
			}
			wantCode(t, "vectors of the model in use", c.SaveOther(t.Context(), other, []rag.ChunkID{late.Chunks[0].ID}, []rag.Embedding{{1, 0, 0}}), rag.Conflict)
			if err := c.SaveOther(t.Context(), r, []rag.ChunkID{late.Chunks[0].ID}, []rag.Embedding{{1, 0}}); err != nil {
				t.Fatal(err)
			}
		} else if diff := cmp.Diff(v.Embeddings[2], vectorOf()); diff != "" || now.Embedding.Fingerprint != "f" || now.IndexID != col.ID || r.State != rag.ReembedReady || r.Gate == nil || r.Error != "none" {
			t.Errorf("swapped back: %s %+v %+v", diff, now, r)
		}
	}
	if err := c.EndReembedding(t.Context(), col.ID); err != nil {
		t.Fatal(err)
	}
	wantCode(t, "vectors for none", c.SaveOther(t.Context(), other, nil, nil), rag.NotFound)
	wantCode(t, "ending it again", c.EndReembedding(t.Context(), col.ID), rag.NotFound)
	if left := must[[]rag.StoredChunk](t)(c.ChunksWithoutOther(t.Context(), col.ID, 10)); len(left) != 4 {
		t.Errorf("%d chunks have no other vector, want all 4", len(left))
	}
}
