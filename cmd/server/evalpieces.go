package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"footnote/internal/eval"
	"footnote/internal/rag"
)

// openChunks makes or finds the collection of a set that is cut in one way.
func (s *evalStore) openChunks(ctx context.Context, name string, c rag.Chunking, documents []eval.Document) (*evaluated, error) {
	h := sha256.New()
	fmt.Fprintln(h, s.program, s.embedder.Fingerprint(), name)
	if _, err := hashDocuments(h, documents); err != nil {
		return nil, err
	}
	e := &evaluated{app: s.app, collection: "eval-chunks-" + hex.EncodeToString(h.Sum(nil)[:12])}
	_, err := s.catalog.Collection(ctx, e.collection)
	if rag.CodeOf(err) == rag.NotFound {
		_, err = s.ingest.CreateCollection(ctx, rag.Collection{Name: e.collection, Chunking: c})
	}
	return e, err
}

// add takes sources in; those that are there already cost nothing.
func (e *evaluated) add(ctx context.Context, sources []rag.Source) error {
	c, err := e.catalog.DescribeCollection(ctx, e.collection)
	if err != nil || c.Documents == len(sources) {
		return err
	}
	const most = 256
	for at := 0; at < len(sources); at += most {
		if err := e.takeIn(ctx, sources[at:min(at+most, len(sources))]); err != nil {
			return err
		}
	}
	return nil
}

// sizes counts the collection's chunks, and reads the stored texts of a set's documents when it has them whole.
func (e *evaluated) sizes(ctx context.Context, read bool, d eval.Dataset, texts []string) (chunks int, mean, weighted float64, err error) {
	c, err := e.catalog.Collection(ctx, e.collection)
	if err != nil {
		return 0, 0, 0, err
	}
	var lengths []int
	err = e.catalog.EachChunk(ctx, c.ID, func(k rag.StoredChunk) error {
		lengths = append(lengths, k.Chunk.Span.Len())
		return nil
	})
	if err != nil {
		return 0, 0, 0, err
	}
	if read {
		for i, doc := range d.Documents {
			stored, err := e.catalog.Document(ctx, c.ID, doc.ID)
			if err != nil {
				return 0, 0, 0, err
			}
			if texts[i], err = e.catalog.Text(ctx, stored.ID); err != nil {
				return 0, 0, 0, err
			}
		}
	}
	return len(lengths), eval.MeanLength(lengths, false), eval.MeanLength(lengths, true), nil
}

// passages are the chunks that a search finds, in the set's documents, and then up to so many neighbours on each side of each, as an answer's are.
func (e *evaluated) passages(ctx context.Context, query string, q rag.Query, neighbours int, base map[string]int) ([]eval.Found, error) {
	q.Text, q.Collections, q.IgnorePhrases = rag.Clip(query, rag.MaxQueryLength-1), []string{e.collection}, true
	found, err := e.search.Search(ctx, q)
	if err != nil {
		return nil, err
	}
	if len(found.Degraded) > 0 {
		return nil, fmt.Errorf("the search left out: %s; the log says why", strings.Join(found.Degraded, ", "))
	}
	var out []eval.Found
	have := map[rag.ChunkID]bool{}
	add := func(d rag.Document, c rag.Chunk) {
		if !have[c.ID] {
			have[c.ID] = true
			id, _, _ := strings.Cut(d.ExternalID, "#")
			out = append(out, eval.Found{Document: id, Span: c.Span.Shift(base[d.ExternalID])})
		}
	}
	for _, h := range found.Hits {
		add(h.Document, h.Chunk)
	}
	if neighbours == 0 {
		return out, nil
	}
	for _, h := range found.Hits {
		near, err := e.catalog.Chunks(ctx, h.Document.ID, h.Chunk.Ordinal-neighbours-1, 2*neighbours+1)
		if err != nil {
			return nil, err
		}
		for _, c := range near {
			if max(c.Ordinal-h.Chunk.Ordinal, h.Chunk.Ordinal-c.Ordinal) <= neighbours && slices.Equal(c.HeadingPath, h.Chunk.HeadingPath) {
				add(h.Document, c)
			}
		}
	}
	return out, nil
}
