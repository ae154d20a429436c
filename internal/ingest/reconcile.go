package ingest

import (
	"context"
	"slices"
	"strings"
	"time"

	"footnote/internal/rag"
)

// sweeping runs sweep again and again until ctx ends, on one replica at a time.
func (s *Service) sweeping(ctx context.Context) error {
	t := time.NewTicker(s.o.Sweep)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-t.C:
		}
		unlock, err := s.o.Locks.TryLock(ctx, "sweep")
		if err == nil && unlock != nil {
			err = s.sweep(ctx)
			unlock()
		}
		if err != nil && ctx.Err() == nil {
			s.o.Logger.Warn("sweep", "error", err)
		}
	}
}

// sweep takes away what the dead have left: imports that nobody works on any more, and the removals that are queued, those of documents whose worker
// died or could not reach the index.
func (s *Service) sweep(ctx context.Context) error {
	hidden, err := s.o.Catalog.HiddenCollections(ctx)
	if err != nil {
		return err
	}
	for _, c := range hidden {
		unlock, err := s.o.Locks.TryLock(ctx, string(c.ID)) // an import holds it from its beginning to its end
		if err != nil {
			return err
		}
		if unlock != nil {
			s.o.Logger.Info("an import that was broken off is taken away", "collection", c.ID)
			s.abandon(ctx, c)
			unlock()
		}
	}
	const batch = 512
	for {
		due, err := s.o.Catalog.Removals(ctx, batch)
		if err != nil || len(due) == 0 {
			return err
		}
		for len(due) > 0 {
			n := 1
			for n < len(due) && due[n].Collection == due[0].Collection && due[n].Document == due[0].Document {
				n++
			}
			if err := s.sweepDocument(ctx, due[:n]); err != nil {
				return err
			}
			due = due[n:]
		}
	}
}

func (s *Service) sweepDocument(ctx context.Context, due []rag.Removal) error {
	unlock, err := s.o.Locks.Lock(ctx, string(due[0].Document))
	if err != nil {
		return err
	}
	defer unlock()
	ids := make([]rag.ChunkID, len(due))
	for i, r := range due {
		ids[i] = r.Chunk
	}
	s.gate.RLock()
	defer s.gate.RUnlock()
	c, err := s.o.Catalog.CollectionByID(ctx, due[0].Collection)
	if rag.CodeOf(err) == rag.NotFound {
		return nil // its removals go with it
	}
	if err != nil {
		return err
	}
	// The index may have lost the collection, and the chunks with it.
	if _, err := s.unpublish(ctx, c.IndexID, ids); err != nil && rag.CodeOf(err) != rag.NotFound {
		return err
	}
	s.changed(c.ID, 1)
	return s.o.Catalog.AckRemovals(ctx, due)
}

// Reconcile compares the index with the catalog and reports, collection by collection, what the index has too much and what it lacks; fix mends both. It
// may run while documents are taken in: what a worker has in hand is looked at again when the worker is done with it. It holds the ids of one
// collection in memory, some 100 bytes a chunk. With rebuild, every chunk is written again.
func (s *Service) Reconcile(ctx context.Context, fix, rebuild bool, report func(rag.Reconciliation) error) error {
	known := map[rag.CollectionID]bool{}
	after := ""
	for {
		page, err := s.o.Catalog.Collections(ctx, after, 100)
		if err != nil {
			return err
		}
		if len(page) == 0 {
			break
		}
		for _, c := range page {
			after = c.Name
			for _, id := range s.indexes(ctx, c) {
				known[id] = true
			}
			r, err := s.reconcile(ctx, c, fix, rebuild)
			if rag.CodeOf(err) == rag.NotFound {
				if _, gone := s.o.Catalog.CollectionByID(ctx, c.ID); rag.CodeOf(gone) == rag.NotFound {
					continue // deleted meanwhile
				}
			}
			if err != nil {
				return err
			}
			if err := report(r); err != nil {
				return err
			}
		}
	}
	stored, err := s.o.Index.Collections(ctx)
	if err != nil {
		return err
	}
	for _, id := range stored {
		if known[id] {
			continue
		}
		leftover, err := s.leftover(ctx, id, fix)
		if err != nil {
			return err
		}
		if leftover {
			if err := report(rag.Reconciliation{ID: id, Leftover: true, Fixed: fix}); err != nil {
				return err
			}
		}
	}
	if !fix {
		return nil
	}
	return s.sweep(ctx)
}

// leftover tells whether a collection of the index has none in the catalog, and drops it then when fix says so.
func (s *Service) leftover(ctx context.Context, id rag.CollectionID, fix bool) (bool, error) {
	unlock, err := s.o.Locks.Lock(ctx, string(id)) // it may be in the making
	if err != nil {
		return false, err
	}
	defer unlock()
	owner, _, _ := strings.Cut(string(id), ".") // rag.NewIndexID
	c, err := s.o.Catalog.CollectionByID(ctx, rag.CollectionID(owner))
	if err == nil && slices.Contains(s.indexes(ctx, c), id) {
		return false, nil
	}
	if err != nil && rag.CodeOf(err) != rag.NotFound {
		return false, err
	}
	if !fix {
		return true, nil
	}
	return true, s.o.Index.DropCollection(ctx, id)
}

func (s *Service) reconcile(ctx context.Context, c rag.Collection, fix, rebuild bool) (rag.Reconciliation, error) {
	r := rag.Reconciliation{ID: c.ID, Name: c.Name, Fixed: fix || rebuild}
	if r.Fixed {
		defer s.changed(c.ID, 1) // what is mended goes into the files, though the catalog notes no change
	}
	// The catalog first: what it listed before the index was read must be there, unless it was replaced meanwhile.
	listed := map[rag.ChunkID]rag.DocumentID{}
	err := s.o.Catalog.EachChunkID(ctx, c.ID, func(p rag.PointRef) error {
		listed[p.Chunk] = p.Document
		return nil
	})
	if err != nil {
		return r, err
	}
	r.Chunks = len(listed)
	suspects := map[rag.DocumentID][]rag.ChunkID{}
	err = s.o.Index.EachPoint(ctx, c.IndexID, func(p rag.PointRef) error {
		r.Points++
		if _, ok := listed[p.Chunk]; !ok {
			suspects[p.Document] = append(suspects[p.Document], p.Chunk)
		} else if !rebuild {
			delete(listed, p.Chunk)
		}
		return nil
	})
	if rag.CodeOf(err) == rag.NotFound {
		r.Missing, err = true, nil
	}
	if err == nil && (fix || rebuild) { // this also completes one that is there
		err = s.o.Index.EnsureCollection(ctx, c.IndexID, c.Embedding.Dimensions)
	}
	if err != nil {
		return r, err
	}
	for document, ids := range suspects {
		n, err := s.orphans(ctx, c.IndexID, document, ids, fix)
		if err != nil {
			return r, err
		}
		r.Orphans += n
	}
	holes := map[rag.DocumentID][]rag.ChunkID{}
	for chunk, document := range listed {
		holes[document] = append(holes[document], chunk)
	}
	for document, ids := range holes {
		n, err := s.holes(ctx, c, document, ids, fix || rebuild)
		if err != nil {
			return r, err
		}
		r.Holes += n
	}
	if rebuild {
		r.Holes, r.Rewritten = 0, r.Holes
	}
	return r, nil
}

// orphans counts those of the chunks that no active version lists, and takes them out of the index when fix says so.
func (s *Service) orphans(ctx context.Context, id rag.CollectionID, document rag.DocumentID, ids []rag.ChunkID, fix bool) (int, error) {
	unlock, err := s.o.Locks.Lock(ctx, string(document))
	if err != nil {
		return 0, err
	}
	defer unlock()
	if fix {
		return s.unpublish(ctx, id, ids)
	}
	orphans, err := s.unlisted(ctx, ids)
	return len(orphans), err
}

// holes counts those of the chunks that an active version lists, and writes them into the index when fix says so.
func (s *Service) holes(ctx context.Context, c rag.Collection, document rag.DocumentID, ids []rag.ChunkID, fix bool) (int, error) {
	unlock, err := s.o.Locks.Lock(ctx, string(document))
	if err != nil {
		return 0, err
	}
	defer unlock()
	if now, err := s.o.Catalog.CollectionByID(ctx, c.ID); err != nil || now.IndexID != c.IndexID {
		return 0, err // another model is in use by now, whose vectors belong elsewhere
	}
	const batch = 256
	n := 0
	for at := 0; at < len(ids); at += batch {
		part := ids[at:min(at+batch, len(ids))]
		hits, err := s.o.Catalog.Hydrate(ctx, c.ID, part)
		if err != nil {
			return n, err
		}
		n += len(hits)
		if !fix || len(hits) == 0 {
			continue
		}
		vectors, err := s.o.Catalog.Embeddings(ctx, part)
		if err != nil {
			return n, err
		}
		var points []rag.Point
		for _, h := range hits {
			if v, ok := vectors[h.Chunk.ID]; ok {
				points = append(points, point(h.Chunk, h.Chunk.Embedded(h.Document.Title), v, h.Document.Metadata))
			}
		}
		if err := s.o.Index.Upsert(ctx, c.IndexID, points); err != nil {
			return n, err
		}
	}
	return n, nil
}
