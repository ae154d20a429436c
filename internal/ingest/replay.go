package ingest

import (
	"context"
	"slices"
	"time"

	"footnote/internal/rag"
)

// Durable is what an index that is kept in files can do besides. Applied is the number of the last checkpoint, of the files when the service has just started; ok is false when there is none.
type Durable interface {
	Applied(id rag.CollectionID) (seq int64, ok bool)
	Checkpoint(ctx context.Context, id rag.CollectionID, seq int64) error
	Count(ctx context.Context, id rag.CollectionID) (int, error)
	Damaged() []rag.CollectionID
}

// Changes is the catalog's log of the documents that changed what the index must hold. A change is noted in the transaction that makes it.
type Changes interface {
	ChangeSeq(ctx context.Context, collection rag.CollectionID) (int64, error)
	ChangedDocuments(ctx context.Context, collection rag.CollectionID, after int64, f func(rag.DocumentID) error) (whole bool, err error)
	PruneChanges(ctx context.Context, collection rag.CollectionID, upTo int64) error
	EachChunkOf(ctx context.Context, document rag.DocumentID, f func(rag.StoredChunk) error) error
	EachOtherOf(ctx context.Context, collection rag.CollectionID, document rag.DocumentID, f func(rag.StoredChunk) error) error
}

// vectorSet is one of the sets of vectors that a collection has in the index: that in use, or a re-embedding's other one. A swap exchanges their roles, not what they hold.
type vectorSet struct {
	collection rag.CollectionID
	name       string
	index      rag.CollectionID
	dims       int
	chunks     int // that the catalog has for it
	other      bool
}

// sets are the collection's sets of vectors; c has its counts.
func (s *Service) sets(ctx context.Context, c rag.Collection) ([]vectorSet, error) {
	out := []vectorSet{{c.ID, c.Name, c.IndexID, c.Embedding.Dimensions, c.Chunks, false}}
	r, err := s.o.Catalog.Reembedding(ctx, c.ID)
	if err == nil {
		out = append(out, vectorSet{c.ID, c.Name, r.IndexID, r.Other.Dimensions, r.Done, true})
	} else if rag.CodeOf(err) == rag.NotFound {
		err = nil
	}
	return out, err
}

// each calls f with every chunk of the set.
func (s *Service) each(ctx context.Context, v vectorSet, f func(rag.StoredChunk) error) error {
	if v.other {
		return s.o.Catalog.EachOther(ctx, v.collection, f)
	}
	return s.o.Catalog.EachChunk(ctx, v.collection, f)
}

// eachOf calls f with the set's chunks of one document.
func (s *Service) eachOf(ctx context.Context, v vectorSet, d rag.DocumentID, f func(rag.StoredChunk) error) error {
	if v.other {
		return s.o.Changes.EachOtherOf(ctx, v.collection, d, f)
	}
	return s.o.Changes.EachChunkOf(ctx, d, f)
}

// Replay brings an index that lives in this process up to date when the service starts: what its files have is taken over, and the catalog's changes since then are made. A collection of which
// the files are missing, damaged or of another history is filled from the catalog, with a line in the log that says why. Nothing else may use the service meanwhile.
func (s *Service) Replay(ctx context.Context) error {
	var all []vectorSet
	for after := ""; ; {
		collections, err := s.o.Catalog.Collections(ctx, after, 100)
		if err != nil {
			return err
		}
		if len(collections) == 0 {
			break
		}
		for _, c := range collections {
			after = c.Name
			sets, err := s.sets(ctx, c)
			if err != nil {
				return err
			}
			for _, v := range sets {
				if err := s.catchUp(ctx, v); err != nil {
					return err
				}
			}
			all = append(all, sets...)
		}
	}
	indexed, err := s.o.Index.Collections(ctx)
	if err != nil {
		return err
	}
	for _, id := range indexed {
		if !slices.ContainsFunc(all, func(v vectorSet) bool { return v.index == id }) {
			s.o.Logger.Info("the index has a collection that the catalog does not know; it is dropped", "collection", id)
			if err := s.o.Index.DropCollection(ctx, id); err != nil {
				return err
			}
		}
	}
	if err := s.sweep(ctx); err != nil || s.o.Durable == nil {
		return err
	}
	// A cheap look at the whole: what went by unnoticed, whatever it was, must not make answers wrong.
	for _, v := range all {
		if n, err := s.o.Durable.Count(ctx, v.index); err != nil || n != v.chunks {
			if err := s.refill(ctx, v, "it does not have as many points as the catalog has chunks", "points", n); err != nil {
				return err
			}
		}
	}
	return nil
}

// catchUp makes the catalog's changes since the set's last checkpoint, or fills the set from the catalog where that is not possible.
func (s *Service) catchUp(ctx context.Context, v vectorSet) error {
	if s.o.Durable == nil {
		return s.refill(ctx, v, "")
	}
	seq, ok := s.o.Durable.Applied(v.index)
	if !ok {
		reason := "it has no files"
		if slices.Contains(s.o.Durable.Damaged(), v.index) {
			reason = "its files are damaged"
		}
		if v.chunks == 0 {
			reason = "" // it is new
		}
		return s.refill(ctx, v, reason)
	}
	if err := s.o.Index.EnsureCollection(ctx, v.index, v.dims); err != nil {
		if rag.CodeOf(err) != rag.ModelMismatch {
			return err
		}
		return s.refill(ctx, v, "its files have vectors of another length")
	}
	changed := map[rag.DocumentID]bool{}
	whole, err := s.o.Changes.ChangedDocuments(ctx, v.collection, seq, func(d rag.DocumentID) error {
		changed[d] = true
		return nil
	})
	if err != nil {
		return err
	}
	if !whole {
		return s.refill(ctx, v, "its files are of another time than the catalog's log of changes")
	}
	s.changed(v.collection, len(changed))
	return s.settle(ctx, v, changed)
}

const replayBatch = 512

// refill drops the set from the index and fills it from the catalog. reason "" is nothing to speak of.
func (s *Service) refill(ctx context.Context, v vectorSet, reason string, more ...any) error {
	started := time.Now()
	if err := s.o.Index.DropCollection(ctx, v.index); err != nil {
		return err
	}
	if err := s.o.Index.EnsureCollection(ctx, v.index, v.dims); err != nil {
		return err
	}
	n := 0
	var points []rag.Point
	err := s.each(ctx, v, func(k rag.StoredChunk) error {
		points = append(points, storedPoint(k))
		n++
		if len(points) < replayBatch {
			return nil
		}
		err := s.o.Index.Upsert(ctx, v.index, points)
		points = points[:0]
		return err
	})
	if err == nil && len(points) > 0 {
		err = s.o.Index.Upsert(ctx, v.index, points)
	}
	s.changed(v.collection, n)
	if reason != "" {
		s.o.Logger.Warn("a collection of the index is filled from the catalog", append([]any{"collection", v.collection, "name", v.name, "reason", reason, "chunks", n,
			"after", time.Since(started).Round(time.Millisecond)}, more...)...)
	}
	return err
}

// settle makes the index hold of these documents what the catalog lists and nothing else. Nobody else may be writing them.
func (s *Service) settle(ctx context.Context, v vectorSet, documents map[rag.DocumentID]bool) error {
	if len(documents) == 0 {
		return nil
	}
	started := time.Now()
	listed := map[rag.ChunkID]bool{}
	var points []rag.Point
	flush := func() error {
		if len(points) == 0 {
			return nil
		}
		err := s.o.Index.Upsert(ctx, v.index, points)
		points = points[:0]
		return err
	}
	for d := range documents {
		err := s.eachOf(ctx, v, d, func(k rag.StoredChunk) error {
			listed[k.Chunk.ID] = true
			points = append(points, storedPoint(k))
			return nil
		})
		if err == nil && len(points) >= replayBatch {
			err = flush()
		}
		if err != nil {
			return err
		}
	}
	if err := flush(); err != nil {
		return err
	}
	// One walk over all points, for the index does not find them by document.
	var gone []rag.ChunkID
	err := s.o.Index.EachPoint(ctx, v.index, func(p rag.PointRef) error {
		if documents[p.Document] && !listed[p.Chunk] {
			gone = append(gone, p.Chunk)
		}
		return nil
	})
	if err == nil && len(gone) > 0 {
		err = s.o.Index.Delete(ctx, v.index, gone)
	}
	s.o.Logger.Info("changes were made up for in the index", "collection", v.collection, "documents", len(documents), "chunks", len(listed), "removed", len(gone),
		"after", time.Since(started).Round(time.Millisecond))
	return err
}
