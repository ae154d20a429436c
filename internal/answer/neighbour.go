package answer

import (
	"context"
	"slices"
	"time"

	"footnote/internal/rag"
)

// Bounds of the passages that are added for standing beside a found one.
const (
	neighbouredPassages = 4    // of the best passages get neighbours
	neighbourTokens     = 1500 // of all neighbours together, as the embedding model counts
)

// addNeighbours adds up to n chunks before and n after each of the best passages as passages of their own, the nearest first, as far as they are of the same version and
// under the same headings, until the budget is spent. They are not joined with the passage: a citation names the one chunk that holds its quote, and chunks end where
// sentences end unless a sentence is longer than a chunk.
func (s *Service) addNeighbours(ctx context.Context, n int, a *rag.Answer) error {
	if n == 0 || len(a.Passages) == 0 {
		return nil
	}
	defer func(started time.Time) { a.Timings["neighbours"] = time.Since(started) }(time.Now())
	have := map[rag.ChunkID]bool{}
	for _, p := range a.Passages {
		have[p.Hit.Chunk.ID] = true
	}
	budget := neighbourTokens
	for _, p := range a.Passages[:min(len(a.Passages), neighbouredPassages)] {
		found := p.Hit.Chunk
		near, err := s.o.Catalog.Chunks(ctx, p.Hit.Document.ID, found.Ordinal-n-1, 2*n+1)
		if rag.CodeOf(err) == rag.NotFound {
			continue
		}
		if err != nil {
			return err
		}
		slices.SortStableFunc(near, func(a, b rag.Chunk) int { return distance(a, found) - distance(b, found) })
		for _, c := range near {
			if have[c.ID] || c.Version != found.Version || distance(c, found) > n || !slices.Equal(c.HeadingPath, found.HeadingPath) {
				continue
			}
			tokens := s.o.Embedder.CountTokens(c.Text)
			if tokens > budget {
				return nil
			}
			budget -= tokens
			have[c.ID] = true
			a.Passages = append(a.Passages, rag.Passage{
				Number: len(a.Passages) + 1, NeighbourOf: p.Number,
				Hit: rag.Hit{Score: p.Hit.Score, Collection: p.Hit.Collection, Document: p.Hit.Document, Chunk: c},
			})
		}
	}
	return nil
}

// distance is how many chunks further on, or back, a chunk stands.
func distance(a, b rag.Chunk) int { return max(a.Ordinal-b.Ordinal, b.Ordinal-a.Ordinal) }

// found are the passages that the search found.
func found(passages []rag.Passage) []rag.Passage {
	i := slices.IndexFunc(passages, func(p rag.Passage) bool { return p.NeighbourOf > 0 })
	if i < 0 {
		return passages
	}
	return passages[:i]
}

// beside are the first n found passages and the neighbours of those.
func beside(passages []rag.Passage, n int) (out []rag.Passage) {
	for _, p := range passages {
		if p.NeighbourOf == 0 && p.Number <= n || p.NeighbourOf > 0 && p.NeighbourOf <= n {
			out = append(out, p)
		}
	}
	return out
}
