package search

import (
	"context"
	"time"

	"footnote/internal/lexical"
	"footnote/internal/rag"
)

// gather walks down the fused list and keeps what may be a hit: active, let pass by the filter, with every phrase, and, where they are
// to be collapsed, not nearly the same as something kept already. It stops when what is kept fills the answer, and the reranker's depth.
func (r *request) gather(ctx context.Context) (enough bool, err error) {
	r.outcomes, r.twins, r.kept = map[rag.ChunkID]rag.Outcome{}, map[rag.ChunkID]rag.ChunkID{}, r.kept[:0]
	var sketches []*sketch // of kept
	perDocument := map[rag.DocumentID]int{}
	fit := 0 // how many of kept can be hits, whatever their order
	want := 0
	if r.query.Rerank != rag.RerankNone {
		want = r.query.RerankDepth
	}
	for at := 0; at < len(r.fused); {
		size := max(r.query.TopK, want)
		if r.sifts() || at > 0 {
			size *= 2 // so that one reading will do
		}
		batch := r.fused[at:min(at+size, len(r.fused))]
		if err := r.hydrate(ctx, batch); err != nil {
			return false, err
		}
		for i, c := range batch {
			h, outcome := r.look(c.ID)
			if outcome != "" {
				r.outcomes[c.ID] = outcome
				continue
			}
			h.Score, h.Fused = c.Score, &rag.Stage{Rank: at + i + 1, Score: c.Score}
			if r.query.Collapse {
				s := sketchOf(h)
				if twin := twinOf(sketches, s); twin >= 0 {
					k := &r.kept[twin]
					k.Duplicates = append(k.Duplicates, rag.Duplicate{Collection: h.Collection, Document: h.Document, Chunk: c.ID})
					r.outcomes[c.ID], r.twins[c.ID], r.dropped = rag.OutcomeDuplicate, k.Chunk.ID, true
					continue
				}
				sketches = append(sketches, s)
			}
			r.kept = append(r.kept, h)
			if perDocument[h.Document.ID]++; r.query.MaxPerDocument == 0 || perDocument[h.Document.ID] <= r.query.MaxPerDocument {
				fit++
			} else {
				r.dropped = true
			}
		}
		at += len(batch)
		if fit >= r.query.TopK && len(r.kept) >= want {
			return true, nil
		}
	}
	return false, nil
}

// sifts tells whether the query leaves some of the candidates out.
func (r *request) sifts() bool {
	return r.query.Filter != nil || r.query.Collapse || r.query.MaxPerDocument > 0 || len(r.phrases) > 0
}

func twinOf(sketches []*sketch, s *sketch) int {
	for i, t := range sketches {
		if t.near(s) {
			return i
		}
	}
	return -1
}

// look tells what the catalog has of a candidate, or why it cannot be a hit.
func (r *request) look(id rag.ChunkID) (rag.Hit, rag.Outcome) {
	h := r.hydrated[id]
	switch {
	case h == nil:
		return rag.Hit{}, rag.OutcomeInactive
	case !r.query.Filter.Matches(h.Document.Metadata): // an index may let a little more pass than the filter does
		return *h, rag.OutcomeFiltered
	case len(r.phrases) > 0 && !hasAll(lexical.Fold(h.Chunk.Embedded(h.Document.Title)), r.phrases):
		r.dropped = true
		return *h, rag.OutcomePhrase
	}
	return *h, ""
}

// hydrate asks the catalog for the candidates that it was not asked for yet.
func (r *request) hydrate(ctx context.Context, candidates []rag.Candidate) error {
	defer r.timed("hydrate", time.Now())
	ids := make([][]rag.ChunkID, len(r.collections))
	for _, c := range candidates {
		if _, ok := r.hydrated[c.ID]; !ok {
			ids[r.home[c.ID]] = append(ids[r.home[c.ID]], c.ID)
			r.hydrated[c.ID] = nil
		}
	}
	for i, c := range r.collections {
		if len(ids[i]) == 0 {
			continue
		}
		found, err := r.o.Catalog.Hydrate(ctx, c.ID, ids[i])
		if err != nil {
			return err
		}
		for j := range found {
			r.hydrated[found[j].Chunk.ID] = &found[j]
		}
	}
	return nil
}

// cut makes the answer of what was kept: at most MaxPerDocument of a document, TopK in all.
func (r *request) cut() []rag.Hit {
	var hits []rag.Hit
	perDocument := map[rag.DocumentID]int{}
	for _, h := range r.kept {
		switch {
		case r.query.MaxPerDocument > 0 && perDocument[h.Document.ID] == r.query.MaxPerDocument:
			r.outcomes[h.Chunk.ID] = rag.OutcomePerDocument
		case len(hits) == r.query.TopK:
			r.outcomes[h.Chunk.ID] = rag.OutcomeTopK
		default:
			perDocument[h.Document.ID]++
			h.Rank = len(hits) + 1
			r.outcomes[h.Chunk.ID] = rag.OutcomeReturned
			hits = append(hits, h)
		}
	}
	return hits
}
