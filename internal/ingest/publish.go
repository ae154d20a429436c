package ingest

import (
	"context"
	"fmt"
	"time"

	"footnote/internal/lexical"
	"footnote/internal/rag"
)

// publishGroups publishes the groups' documents in order.
func (s *work) publishGroups(ctx context.Context, in <-chan []*draft) error {
	for group := range in {
		for _, d := range group {
			if err := s.progress(ctx, rag.StageIndex, s.published(), len(s.lease.Job.Documents)); err != nil {
				return err
			}
			if err := s.publish(ctx, d); err != nil {
				return err
			}
			s.room.Release(d.bytes)
			s.count(func(c *rag.StageCounts) { c.Published++ })
		}
	}
	return nil
}

// publish puts a document's chunks into the index and then makes the version active.
func (s *work) publish(ctx context.Context, d *draft) error {
	l, c := s.lease, s.collection
	// Between the moment when a chunk is found to be on no active version's list and its removal, no other version may bring it back. Chunk ids are of a
	// document, so its lock is enough.
	unlock, err := s.o.Locks.Lock(ctx, string(d.version.Document.ID))
	if err != nil {
		return err
	}
	defer unlock()
	s.gate.RLock()
	defer s.gate.RUnlock()
	settled := false
	defer func() {
		if settled {
			s.changed(c.ID, 1)
		} else {
			s.unsettle(c.ID, d.version.Document.ID)
		}
	}()
	points := make([]rag.Point, len(d.version.Chunks))
	ids := make([]rag.ChunkID, len(points))
	for i, k := range d.version.Chunks {
		points[i] = point(k, d.embedded[i], d.points[i], d.version.Document.Metadata)
		ids[i] = k.ID
	}
	started := time.Now()
	err = s.patiently(ctx, func() error {
		return s.timed("index", func() error { return s.upsert(ctx, c, points) })
	})
	s.took(d.n, rag.StageIndex, time.Since(started))
	if err != nil {
		return fmt.Errorf("index %d chunks: %w", len(points), err)
	}
	s.o.Failpoint("index")
	var removed []rag.ChunkID
	started = time.Now()
	err = s.timed("publish", func() error {
		removed, err = s.o.Catalog.Publish(ctx, l.Job.ID, l.Token, d.n, d.version)
		return err
	})
	s.took(d.n, rag.StagePublish, time.Since(started))
	s.o.Failpoint("publish")
	if err == nil {
		if active, err := s.o.Catalog.DocumentByID(ctx, d.version.Document.ID); err == nil && active.Version != d.version.Document.Version {
			_, err := s.unpublish(ctx, c.IndexID, ids)
			return err
		}
		if err := s.remove(ctx, c, removed); err != nil && ctx.Err() == nil {
			// The version is active; the sweeper takes the old chunks out of the index.
			s.o.Logger.Warn("take replaced chunks out of the index", "job", l.Job.ID, "error", err)
		}
		settled = true
		return nil
	}
	if rag.CodeOf(err) == rag.ModelMismatch {
		// The collection has another model by now; what was written for the former one goes, and the job begins anew.
		if _, err := s.unpublish(ctx, c.IndexID, ids); err != nil {
			s.o.Logger.Warn("take unpublished chunks out of the index", "job", l.Job.ID, "error", err)
		}
	}
	if !lost(err) {
		return err
	}
	// Cancelled, or deleted meanwhile: what the catalog does not list must not stay in the index.
	if _, err := s.unpublish(ctx, c.IndexID, ids); err != nil {
		s.o.Logger.Warn("take unpublished chunks out of the index", "job", l.Job.ID, "error", err)
	}
	if _, jobErr := s.o.Catalog.DocumentByID(ctx, d.version.Document.ID); rag.CodeOf(err) == rag.Conflict && rag.CodeOf(jobErr) == rag.NotFound {
		e := rag.JobError{Code: rag.Conflict, Message: "The document was deleted while it was being taken in."}
		return s.owned(s.o.Catalog.FailDocument(ctx, l.Job.ID, l.Token, d.n, e))
	}
	return errLost
}

func point(c rag.Chunk, embedded string, v rag.Embedding, m rag.Metadata) rag.Point {
	return rag.Point{ID: c.ID, Document: c.Document, Embedding: v, Sparse: lexical.DocumentVector(embedded, lexical.DefaultParams), Metadata: m}
}

func storedPoint(k rag.StoredChunk) rag.Point {
	return point(k.Chunk, k.Chunk.Embedded(k.Title), k.Embedding, k.Metadata)
}
