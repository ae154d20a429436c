package ingest

import (
	"context"

	"footnote/internal/rag"
)

// DeleteDocument removes a document; versions of it that are still being taken in will not appear. NotFound when there is no such collection or document.
func (s *Service) DeleteDocument(ctx context.Context, collection, externalID string) error {
	c, err := s.o.Catalog.Collection(ctx, collection)
	if err != nil {
		return err
	}
	s.gate.RLock()
	defer s.gate.RUnlock()
	removed, err := s.o.Catalog.DeleteDocument(ctx, c.ID, externalID)
	if err != nil {
		return err
	}
	s.changed(c.ID, 1)
	s.bell.ring()
	// No lock: the document's id will not come back, so neither will its chunks'.
	if err := s.remove(ctx, c, removed); err != nil {
		// It is gone for its users; the sweeper takes its chunks out of the index.
		s.o.Logger.Warn("take a deleted document's chunks out of the index", "collection", c.ID, "error", err)
	}
	return nil
}

// DeleteMatching removes the documents that satisfy filter and tells how many there were. On an error, those that it counts are gone. Errors: rag.Invalid for a filter that cannot be; rag.NotFound for the collection.
func (s *Service) DeleteMatching(ctx context.Context, collection string, filter rag.Filter) (int, error) {
	if err := filter.Validate(); err != nil {
		return 0, err
	}
	c, err := s.o.Catalog.Collection(ctx, collection)
	if err != nil {
		return 0, err
	}
	n, after := 0, ""
	for {
		docs, err := s.o.Catalog.Documents(ctx, c.ID, &filter, after, 100)
		if err != nil || len(docs) == 0 {
			return n, err
		}
		for _, d := range docs {
			after = d.ExternalID
			err := s.DeleteDocument(ctx, collection, d.ExternalID)
			if rag.CodeOf(err) == rag.NotFound {
				continue // somebody else was quicker
			}
			if err != nil {
				return n, err
			}
			n++
		}
	}
}

// remove takes chunks out of the index and then off the list of removals. The caller holds the document's lock, unless the document is deleted.
func (s *Service) remove(ctx context.Context, c rag.Collection, chunks []rag.ChunkID) error {
	if len(chunks) == 0 {
		return nil
	}
	if err := s.o.Index.Delete(ctx, c.IndexID, chunks); err != nil {
		return err
	}
	s.o.Failpoint("remove")
	done := make([]rag.Removal, len(chunks))
	for i, chunk := range chunks {
		done[i] = rag.Removal{Collection: c.ID, Chunk: chunk}
	}
	return s.o.Catalog.AckRemovals(ctx, done)
}
