package ingest

import (
	"context"
	"fmt"
	"time"

	"footnote/internal/rag"
)

// embedBatch is how many texts the embedder gets at a time: enough that the cores, which share them out by length, idle only at the end of a long stretch.
const embedBatch = 256

// vectors returns the vector of each text under e's model, by the text's hash. It embeds no text twice, and none whose vector is known already: from before, which may be nil, or to the catalog,
// of whatever document and collection. step is called before each call of the embedder with how many of the texts are done.
func (s *Service) vectors(ctx context.Context, e Embedder, texts []string, before map[rag.TextHash]rag.Embedding, step func(done int) error) (map[rag.TextHash]rag.Embedding, error) {
	out := make(map[rag.TextHash]rag.Embedding, len(texts))
	var missing []rag.TextHash
	textOf := map[rag.TextHash]string{}
	for _, text := range texts {
		h := rag.HashText(text)
		if v, ok := before[h]; ok {
			out[h] = v
		} else if _, twice := textOf[h]; !twice {
			textOf[h] = text
			missing = append(missing, h)
		}
	}
	if len(missing) == 0 {
		return out, nil
	}
	known, err := s.o.Catalog.EmbeddingsByText(ctx, e.Fingerprint(), missing)
	if err != nil {
		return nil, err
	}
	var left []rag.TextHash
	for _, h := range missing {
		if v, ok := known[h]; ok {
			out[h] = v
		} else {
			left = append(left, h)
		}
	}
	calls := (len(left) + embedBatch - 1) / embedBatch
	for call := range calls { // of one size, give or take one
		at, end := call*len(left)/calls, (call+1)*len(left)/calls
		if err := step(len(texts) - len(left) + at); err != nil {
			return nil, err
		}
		part := left[at:end]
		batch := make([]string, len(part))
		for i, h := range part {
			batch[i] = textOf[h]
		}
		var made []rag.Embedding
		err := s.patiently(ctx, func() (err error) {
			return s.timed("embed_documents", func() error {
				made, err = e.EmbedDocuments(ctx, batch)
				return err
			})
		})
		if err != nil {
			return nil, fmt.Errorf("embed %d chunks: %w", len(batch), err)
		}
		for i, v := range made {
			if err := v.Validate(e.Dimensions()); err != nil {
				return nil, fmt.Errorf("embed: %w", err)
			}
			out[part[i]] = v
		}
	}
	return out, nil
}

// noStep is for who reports no progress.
func noStep(int) error { return nil }

// embedGroups gives the groups their vectors and sends them on.
func (s *work) embedGroups(ctx context.Context, in <-chan []*draft, out chan<- []*draft) error {
	// The catalog may not have the vectors of the group before yet; those of earlier groups it has, since this one was not taken on before they were published.
	var before map[rag.TextHash]rag.Embedding
	for group := range in {
		var err error
		started := time.Now()
		if before, err = s.embed(ctx, group, before); err != nil {
			return err
		}
		if len(group) == 1 {
			s.took(group[0].n, rag.StageEmbed, time.Since(started))
		}
		select {
		case out <- group:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

// embed fills the group's vectors: a chunk's own where the catalog has it, else that of its text. It returns the latter, by text; before are those of the group before.
func (s *work) embed(ctx context.Context, group []*draft, before map[rag.TextHash]rag.Embedding) (map[rag.TextHash]rag.Embedding, error) {
	var ids []rag.ChunkID
	for _, d := range group {
		for _, k := range d.version.Chunks {
			ids = append(ids, k.ID)
		}
	}
	known, err := s.o.Catalog.Embeddings(ctx, ids)
	if err != nil {
		return nil, err
	}
	var texts []string
	for _, d := range group {
		d.points = make([]rag.Embedding, len(d.version.Chunks))
		d.version.Embeddings = make([]rag.Embedding, len(d.version.Chunks))
		for i, k := range d.version.Chunks {
			if v, ok := known[k.ID]; ok {
				d.points[i] = v
			} else {
				texts = append(texts, d.embedded[i])
			}
		}
	}
	s.mu.Lock()
	embedded := s.counts.Embedded
	s.mu.Unlock()
	found, err := s.vectors(ctx, s.embedder, texts, before, func(done int) error {
		s.count(func(c *rag.StageCounts) { c.Embedded = embedded + len(ids) - len(texts) + done })
		return s.progress(ctx, rag.StageEmbed, len(ids)-len(texts)+done, len(ids))
	})
	if err != nil {
		return nil, err
	}
	for _, d := range group {
		for i, text := range d.embedded {
			if d.points[i] == nil {
				v := found[rag.HashText(text)]
				d.points[i], d.version.Embeddings[i] = v, v
			}
		}
	}
	s.count(func(c *rag.StageCounts) { c.Embedded = embedded + len(ids) })
	s.o.Failpoint("embed")
	return found, nil
}
