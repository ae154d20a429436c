package ingest

import (
	"context"
	"fmt"

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
