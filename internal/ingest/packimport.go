package ingest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"time"

	"footnote/internal/rag"
)

// Import makes a collection named name of a ragpack, which another service may have written. It appears when all of it is there, or not at all. Documents keep their ids, and so permalinks
// and order among equals, unless this catalog has documents with those ids already. reEmbed has the service's model embed the chunks anew; without it the pack must be of that
// model.
// Errors: rag.Conflict for a name that is taken; rag.Invalid for a pack that is damaged, cut short or of another form; rag.ModelMismatch.
func (s *Service) Import(ctx context.Context, name string, r io.Reader, reEmbed bool) (_ rag.Collection, err error) {
	if err := rag.ValidateCollectionName(name); err != nil {
		return rag.Collection{}, err
	}
	if _, err := s.o.Catalog.Collection(ctx, name); err == nil {
		return rag.Collection{}, rag.Errorf(rag.Conflict, "A collection named %q exists already; import under another name, or delete it first.", name)
	}
	p, err := openPack(r)
	if err != nil {
		return rag.Collection{}, err
	}
	e := s.o.Embedder
	if !reEmbed && p.header.Embedding.Fingerprint != e.Fingerprint() {
		return rag.Collection{}, rag.Errorf(rag.ModelMismatch, "The pack was embedded by %s (%s), and the service runs %s (%s). Import it with re_embed=true (--re-embed) to embed it anew, or start the service with that model.",
			p.header.Embedding.Model, p.header.Embedding.Fingerprint, e.Model(), e.Fingerprint())
	}
	c := rag.Collection{ID: rag.NewCollectionID(), Description: p.header.Description, Chunking: rag.Chunking(p.header.Chunking),
		Embedding: rag.EmbeddingSpec{Model: e.Model(), Fingerprint: e.Fingerprint(), Dimensions: e.Dimensions()}}
	if p.header.Prompt != nil {
		c.Prompt = rag.PromptTemplate(*p.header.Prompt)
		if c.Prompt.Version < 0 {
			return rag.Collection{}, damaged("version %d of its prompt", c.Prompt.Version)
		}
		if err := s.o.CheckPrompt(c.Prompt); err != nil {
			return rag.Collection{}, rag.Errorf(rag.Invalid, "The pack has a prompt that this release cannot use. %w", err)
		}
	}
	c.Name = rag.HiddenName("import", c.ID)
	if err := c.Chunking.Validate(); err != nil {
		return rag.Collection{}, err
	}
	unlock, err := s.o.Locks.Lock(ctx, string(c.ID))
	if err != nil {
		return c, err
	}
	defer unlock()
	if err := s.o.Index.EnsureCollection(ctx, c.ID, c.Embedding.Dimensions); err != nil {
		return c, err
	}
	defer func() {
		if err != nil {
			s.abandon(ctx, c)
		}
	}()
	if c, err = s.o.Catalog.CreateCollection(ctx, c); err != nil {
		return c, err
	}
	for {
		d, err := p.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return c, err
		}
		if err := s.importDocument(ctx, c, d, p.header.Embedding.Dimensions, reEmbed); err != nil {
			return c, err
		}
	}
	if err := s.o.Catalog.RenameCollection(ctx, c.ID, name); err != nil {
		return c, err
	}
	s.changed(c.ID, p.documents)
	return s.o.Catalog.DescribeCollection(ctx, name)
}

// abandon takes away what an import has made so far.
func (s *Service) abandon(ctx context.Context, c rag.Collection) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer cancel()
	_, err := s.o.Catalog.DeleteCollection(ctx, c.Name)
	if rag.CodeOf(err) == rag.NotFound {
		err = nil
	}
	if err := errors.Join(err, s.o.Index.DropCollection(ctx, c.ID)); err != nil {
		s.o.Logger.Warn("take away an import that failed", "collection", c.ID, "error", err)
	}
}

func (s *Service) importDocument(ctx context.Context, c rag.Collection, d packDocument, dims int, reEmbed bool) error {
	v, vectors, err := d.version(c, dims)
	if err != nil {
		return err
	}
	embedded := make([]string, len(v.Chunks))
	for i, k := range v.Chunks {
		embedded[i] = k.Embedded(v.Document.Title)
	}
	if reEmbed {
		found, err := s.vectors(ctx, s.o.Embedder, embedded, nil, noStep)
		if err != nil {
			return err
		}
		vectors = make([]rag.Embedding, len(embedded))
		for i, text := range embedded {
			vectors[i] = found[rag.HashText(text)]
		}
	}
	if len(d.Original) > 0 {
		sha, _, err := s.o.Blobs.Put(ctx, bytes.NewReader(d.Original), rag.MaxDocumentBytes)
		if err != nil {
			return err
		}
		if sha != d.SHA256 {
			return rag.Errorf(rag.Invalid, "The original of document %q of the pack is not the file that its sha256 names.", rag.Clip(d.ExternalID, 80))
		}
	}
	v.Embeddings, v.Imported, v.Fingerprint = vectors, !reEmbed, c.Embedding.Fingerprint
	for _, e := range vectors {
		if err := e.Validate(c.Embedding.Dimensions); err != nil {
			return rag.Errorf(rag.Invalid, "The pack has a bad vector in document %q: %w", rag.Clip(d.ExternalID, 80), err)
		}
	}
	taken, err := s.o.Catalog.HasDocument(ctx, v.Document.ID)
	if err != nil {
		return err
	}
	if taken {
		v.Document.ID = rag.NewDocumentID()
	}
	occurrences := map[string]int{}
	points := make([]rag.Point, len(v.Chunks))
	for i := range v.Chunks {
		k := &v.Chunks[i]
		k.Document = v.Document.ID
		// Never taken from the pack: an id that does not follow from the text would break what rests on it.
		k.ID = rag.NewChunkID(v.Document.ID, embedded[i], occurrences[embedded[i]])
		occurrences[embedded[i]]++
		points[i] = point(*k, embedded[i], vectors[i], v.Document.Metadata)
	}
	s.gate.RLock()
	defer s.gate.RUnlock()
	const batch = 512
	for at := 0; at < len(points); at += batch {
		if err := s.patiently(ctx, func() error { return s.o.Index.Upsert(ctx, c.ID, points[at:min(at+batch, len(points))]) }); err != nil {
			return err
		}
	}
	return s.o.Catalog.ImportDocument(ctx, v)
}
