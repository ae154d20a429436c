package search

import (
	"context"
	"math"
	"slices"
	"time"

	"footnote/internal/rag"
)

const (
	feedbackDocuments = 3   // candidates that are taken for relevant
	feedbackWeight    = 0.3 // of their mean beside the query's vector
)

// expand moves the query's vectors towards the mean of the best fused candidates (Rocchio 1971, without judgments): it helps where many documents are relevant and
// hurts where one is. It tells whether there was anything to move to.
func (r *request) expand(ctx context.Context) (moved bool, err error) {
	if r.vectors == nil || r.as != nil { // a re-embedding's vectors are not the catalog's
		return false, nil
	}
	defer r.timed("expand", time.Now())
	best := r.fused[:min(len(r.fused), 4*feedbackDocuments)] // some may be active no longer
	if err := r.hydrate(ctx, best); err != nil {
		return false, err
	}
	byModel := map[string][]rag.ChunkID{}
	n := 0
	for _, c := range best {
		if _, outcome := r.look(c.ID); outcome != "" || n == feedbackDocuments {
			continue
		}
		n++
		model := r.collections[r.home[c.ID]].Embedding.Fingerprint
		byModel[model] = append(byModel[model], c.ID)
	}
	for model, ids := range byModel {
		vectors, err := r.o.Catalog.Embeddings(ctx, ids)
		if err != nil {
			return false, err
		}
		if v := rocchio(r.vectors[model], ids, vectors); v != nil {
			r.vectors[model], moved = v, true
		}
	}
	return moved, nil
}

// rocchio is the unit vector of query + feedbackWeight · mean of the vectors; nil when there are none of its length.
func rocchio(query rag.Embedding, ids []rag.ChunkID, vectors map[rag.ChunkID]rag.Embedding) rag.Embedding {
	out := slices.Clone(query)
	for _, id := range ids { // in their order: sums depend on it
		v := vectors[id]
		if len(v) != len(query) {
			return nil
		}
		for i, x := range v {
			out[i] += feedbackWeight / float32(len(ids)) * x
		}
	}
	var squares float64
	for _, x := range out {
		squares += float64(x) * float64(x)
	}
	if squares == 0 {
		return nil
	}
	for i := range out {
		out[i] = float32(float64(out[i]) / math.Sqrt(squares))
	}
	return out
}
