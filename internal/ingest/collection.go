package ingest

import (
	"context"
	"errors"

	"footnote/internal/rag"
)

// CreateCollection makes a collection for the embedder's model, with the default chunking unless c names one.
// Errors: rag.Invalid for a bad name or chunking; rag.Conflict for a name that is taken.
func (s *Service) CreateCollection(ctx context.Context, c rag.Collection) (rag.Collection, error) {
	if err := rag.ValidateCollectionName(c.Name); err != nil {
		return c, err
	}
	e := s.o.Embedder
	c.Embedding = rag.EmbeddingSpec{Model: e.Model(), Fingerprint: e.Fingerprint(), Dimensions: e.Dimensions()}
	if c.Chunking == (rag.Chunking{}) {
		c.Chunking = rag.DefaultChunking
	}
	if err := c.Chunking.Validate(); err != nil {
		return c, err
	}
	if _, err := s.o.Catalog.Collection(ctx, c.Name); err == nil {
		return c, rag.Errorf(rag.Conflict, "A collection named %q exists already.", c.Name)
	}
	// The index first: a collection that is in the catalog can be used. The lock keeps reconciling from taking the index's part for a leftover.
	c.ID = rag.NewCollectionID()
	unlock, err := s.o.Locks.Lock(ctx, string(c.ID))
	if err != nil {
		return c, err
	}
	defer unlock()
	if err := s.o.Index.EnsureCollection(ctx, c.ID, e.Dimensions()); err != nil {
		return c, err
	}
	made, err := s.o.Catalog.CreateCollection(ctx, c)
	if rag.CodeOf(err) == rag.Conflict {
		return c, errors.Join(err, s.o.Index.DropCollection(ctx, c.ID))
	}
	return made, err
}

// DeleteCollection removes a collection with all that it holds. NotFound when there is none of that name. What the index cannot drop now, reconciling takes away.
func (s *Service) DeleteCollection(ctx context.Context, name string) error {
	c, err := s.o.Catalog.Collection(ctx, name)
	if err != nil {
		return err
	}
	indexes := s.indexes(ctx, c)
	if _, err := s.o.Catalog.DeleteCollection(ctx, name); err != nil {
		return err
	}
	s.bell.ring()
	for _, id := range indexes {
		if err := s.o.Index.DropCollection(ctx, id); err != nil {
			// It is gone for its users; reconciling takes the rest away.
			s.o.Logger.Warn("drop a deleted collection from the index", "collection", c.ID, "error", err)
		}
	}
	return nil
}

// indexes are the names by which the index has the collection's vectors: those in use, and those of a re-embedding.
func (s *Service) indexes(ctx context.Context, c rag.Collection) []rag.CollectionID {
	ids := []rag.CollectionID{c.IndexID}
	if r, err := s.o.Catalog.Reembedding(ctx, c.ID); err == nil {
		ids = append(ids, r.IndexID)
	}
	return ids
}

// embedder finds the model that embedded a collection. ModelMismatch when the service does not have it.
func (s *Service) embedder(c rag.Collection) (Embedder, error) {
	if e := s.model(c.Embedding.Fingerprint); e != nil {
		return e, nil
	}
	e := s.o.Embedder
	return nil, rag.Errorf(rag.ModelMismatch, "Collection %q was embedded by %s (%s), and the service runs %s (%s): their vectors cannot be compared. Start the service with the former model, "+
		"or make a new collection for the documents.", c.Name, c.Embedding.Model, c.Embedding.Fingerprint, e.Model(), e.Fingerprint())
}

// model is the embedder with a fingerprint; nil when there is none.
func (s *Service) model(fingerprint string) Embedder {
	for _, e := range append([]Embedder{s.o.Embedder}, s.o.Others...) {
		if e.Fingerprint() == fingerprint {
			return e
		}
	}
	return nil
}
