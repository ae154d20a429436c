package ingest

import (
	"context"
	"time"

	"footnote/internal/rag"
)

// Reembed begins to give a collection another model, one of the service's others: its chunks get vectors of that model beside those in use, in an index beside the one in use, then the
// gate compares the two, and the swap is one transaction. Searches go on all the while. The work is done by Run, on whichever replica comes first, and goes on after a crash.
// model "" takes the only other one. Errors: rag.Invalid for a model that the service does not have; rag.Conflict when the collection has that model, or is being re-embedded.
func (s *Service) Reembed(ctx context.Context, name, model string, plan rag.ReembeddingPlan) (rag.Reembedding, error) {
	c, err := s.o.Catalog.Collection(ctx, name)
	if err != nil {
		return rag.Reembedding{}, err
	}
	var other Embedder
	var have []string
	for _, e := range append([]Embedder{s.o.Embedder}, s.o.Others...) {
		if e.Fingerprint() == c.Embedding.Fingerprint {
			continue
		}
		have = append(have, e.Model())
		if model == "" || e.Model() == model {
			other = e
		}
	}
	switch {
	case len(have) == 0:
		return rag.Reembedding{}, rag.Errorf(rag.Invalid, "The service has no other model; name one with FOOTNOTE_OTHER_EMBED_MODEL (and _BASE_URL), on every replica.")
	case other == nil || model == "" && len(have) > 1:
		return rag.Reembedding{}, rag.FieldErrorf("/model", "model must be one of %q, got %q.", have, rag.Clip(model, 80))
	}
	if plan.MinRatio < 0 || plan.MinRatio > 10 {
		return rag.Reembedding{}, rag.FieldErrorf("/min_ratio", "min_ratio must be between 0 and 10, got %g.", plan.MinRatio)
	}
	r := rag.Reembedding{Collection: c.ID, Other: rag.EmbeddingSpec{Model: other.Model(), Fingerprint: other.Fingerprint(), Dimensions: other.Dimensions()}, IndexID: rag.NewIndexID(c.ID), Plan: plan}
	if err := s.o.Catalog.StartReembedding(ctx, r); err != nil {
		return r, err
	}
	s.bell.ring()
	return s.o.Catalog.Reembedding(ctx, c.ID)
}

// reembedding works on collections that are being re-embedded until ctx ends.
func (s *Service) reembedding(ctx context.Context) error {
	for {
		heard := s.bell.heard()
		all, err := s.o.Catalog.Reembeddings(ctx)
		if err != nil && ctx.Err() == nil {
			s.o.Logger.Warn("look for re-embeddings", "error", err)
		}
		for _, r := range all {
			if r.State != rag.ReembedBuilding || s.model(r.Other.Fingerprint) == nil {
				continue
			}
			if err := s.build(ctx, r); err != nil && ctx.Err() == nil {
				s.o.Logger.Error("re-embed", "collection", r.Collection, "error", err)
			}
		}
		if err := pause(ctx, heard); err != nil {
			return err
		}
		// Jobs ring often; re-embeddings need not be looked for as often.
		t := time.NewTimer(pollInterval)
		select {
		case <-ctx.Done():
			t.Stop()
			return ctx.Err()
		case <-t.C:
		}
	}
}

// build makes what vectors are missing, asks the gate and swaps, when that is the plan. One replica works on a collection at a time.
func (s *Service) build(ctx context.Context, r rag.Reembedding) error {
	unlock, err := s.o.Locks.TryLock(ctx, "reembed "+string(r.Collection))
	if err != nil || unlock == nil {
		return err
	}
	defer unlock()
	if r, err = s.o.Catalog.Reembedding(ctx, r.Collection); err != nil || r.State != rag.ReembedBuilding {
		return err // it was ended, or another replica has done it
	}
	c, err := s.o.Catalog.CollectionByID(ctx, r.Collection)
	if err != nil {
		return err
	}
	if err := s.fill(ctx, c, r); err != nil {
		return s.hold(ctx, r, err)
	}
	r.Gate = &rag.Gate{Passed: true}
	if s.o.Evaluate != nil {
		g, err := s.o.Evaluate(ctx, c, r)
		if err != nil {
			return s.hold(ctx, r, err)
		}
		r.Gate = &g
	}
	r.State, r.Error = rag.ReembedReady, ""
	if !r.Gate.Passed {
		r.State = rag.ReembedHeld
	}
	s.o.Logger.Info("re-embedded", "collection", c.ID, "model", r.Other.Model, "before", r.Gate.Before, "after", r.Gate.After, "passed", r.Gate.Passed)
	if err := s.o.Catalog.MoveReembedding(ctx, r); err != nil {
		return err
	}
	if r.State == rag.ReembedReady && r.Plan.Swap {
		return s.swap(ctx, c, r)
	}
	return nil
}

// hold records a failure that will not pass by itself; one that may leaves the state, so that it is tried again.
func (s *Service) hold(ctx context.Context, r rag.Reembedding, err error) error {
	if transient(err) || ctx.Err() != nil || lost(err) { // lost: it was ended, or begun anew
		return err
	}
	r.State, r.Error = rag.ReembedHeld, jobError(err).Message
	if moved := s.o.Catalog.MoveReembedding(ctx, r); moved != nil {
		return moved
	}
	return err
}

// fill makes the vectors that the other model still lacks.
func (s *Service) fill(ctx context.Context, c rag.Collection, r rag.Reembedding) error {
	e := s.model(r.Other.Fingerprint)
	if e == nil {
		return rag.Errorf(rag.ModelMismatch, "The service does not have the model %s any more, or not on this replica.", r.Other.Model)
	}
	if err := s.o.Index.EnsureCollection(ctx, r.IndexID, r.Other.Dimensions); err != nil {
		return err
	}
	for {
		chunks, err := s.o.Catalog.ChunksWithoutOther(ctx, c.ID, embedBatch)
		if err != nil || len(chunks) == 0 {
			return err
		}
		texts := make([]string, len(chunks))
		for i, k := range chunks {
			texts[i] = k.Chunk.Embedded(k.Title)
		}
		found, err := s.vectors(ctx, e, texts, nil, noStep)
		if err != nil {
			return err
		}
		points, vectors := make([]rag.Point, len(chunks)), make([]rag.Embedding, len(chunks))
		for i := range chunks {
			vectors[i] = found[rag.HashText(texts[i])]
			chunks[i].Embedding = vectors[i]
			points[i] = storedPoint(chunks[i])
		}
		if err := s.saveOther(ctx, r, chunks, points, vectors); err != nil {
			return err
		}
		s.o.Failpoint("reembed")
	}
}

// saveOther stores the other model's vectors of chunks.
func (s *Service) saveOther(ctx context.Context, r rag.Reembedding, chunks []rag.StoredChunk, points []rag.Point, vectors []rag.Embedding) error {
	s.gate.RLock()
	defer s.gate.RUnlock()
	ids, documents := make([]rag.ChunkID, len(chunks)), make([]rag.DocumentID, len(chunks))
	for i, k := range chunks {
		ids[i], documents[i] = k.Chunk.ID, k.Chunk.Document
	}
	// The index first: what the catalog says is there can be searched.
	err := s.patiently(ctx, func() error { return s.o.Index.Upsert(ctx, r.IndexID, points) })
	if err == nil {
		err = s.o.Catalog.SaveOther(ctx, r, ids, vectors)
	}
	if err != nil {
		s.unsettle(r.Collection, documents...)
		return err
	}
	s.changed(r.Collection, len(chunks))
	return nil
}

// swap makes the other model the one in use. Documents that were published since the vectors were made get theirs first.
func (s *Service) swap(ctx context.Context, c rag.Collection, r rag.Reembedding) error {
	for {
		if err := s.fill(ctx, c, r); err != nil {
			return err
		}
		missing, err := s.o.Catalog.SwapEmbedding(ctx, c.ID)
		if err != nil {
			return err
		}
		if missing > 0 {
			continue
		}
		// While there are two sets, a checkpoint brings both up to date; the other one may be ended next.
		if s.o.Durable != nil {
			if err := s.checkpoint(ctx, c.ID); err != nil {
				s.o.Logger.Warn("write the index's files after a swap", "collection", c.ID, "error", err)
			}
		}
		return nil
	}
}

// SwapReembedding makes the other model of a collection the one in use; done again it swaps back. Conflict while the vectors are still being made.
func (s *Service) SwapReembedding(ctx context.Context, name string) (rag.Reembedding, error) {
	c, r, err := s.reembeddingOf(ctx, name)
	if err != nil {
		return r, err
	}
	building := func() error {
		if r.State != rag.ReembedBuilding {
			return nil
		}
		return rag.Errorf(rag.Conflict, "%d of %d chunks have a vector of %s so far; swap when all have.", r.Done, r.Total, r.Other.Model)
	}
	if err := building(); err != nil { // before waiting for who builds
		return r, err
	}
	unlock, err := s.o.Locks.Lock(ctx, "reembed "+string(c.ID))
	if err != nil {
		return r, err
	}
	defer unlock()
	// As it is now: another request may have swapped meanwhile.
	if c, r, err = s.reembeddingOf(ctx, name); err == nil {
		err = building()
	}
	if err != nil {
		return r, err
	}
	if err := s.swap(ctx, c, r); err != nil {
		return r, err
	}
	return s.o.Catalog.Reembedding(ctx, c.ID)
}

// EndReembedding forgets the model that is not in use: after a swap the former one, before it the other. There is no way back then but to embed again. NotFound when the collection is not being re-embedded.
func (s *Service) EndReembedding(ctx context.Context, name string) error {
	c, r, err := s.reembeddingOf(ctx, name)
	if err != nil {
		return err
	}
	if err := s.o.Catalog.EndReembedding(ctx, c.ID); err != nil {
		return err
	}
	// After whoever is still making vectors: they notice at their next step.
	unlock, err := s.o.Locks.Lock(ctx, "reembed "+string(c.ID))
	if err != nil {
		return err
	}
	defer unlock()
	if err := s.o.Index.DropCollection(ctx, r.IndexID); err != nil {
		s.o.Logger.Warn("drop the other model's vectors from the index", "collection", c.ID, "error", err) // reconciling does
	}
	return nil
}

// Reembedding tells how a collection's re-embedding stands; NotFound when there is none.
func (s *Service) Reembedding(ctx context.Context, name string) (rag.Reembedding, error) {
	_, r, err := s.reembeddingOf(ctx, name)
	return r, err
}

func (s *Service) reembeddingOf(ctx context.Context, name string) (rag.Collection, rag.Reembedding, error) {
	c, err := s.o.Catalog.Collection(ctx, name)
	if err != nil {
		return c, rag.Reembedding{}, err
	}
	r, err := s.o.Catalog.Reembedding(ctx, c.ID)
	return c, r, err
}
