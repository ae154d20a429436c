package search

import (
	"context"

	"footnote/internal/lexical"
	"footnote/internal/rag"
)

// coverageDepth is how many of the best of a short lexical list are looked at for what they have of the query.
const coverageDepth = 5

// coverage is the greatest share of the query's terms that one of the best lexical candidates has, for Fuse; 1 when one has an identifier of the query whole, which nothing has by chance.
// It matters, and is looked for, only when the lexical list is short.
func (r *request) coverage(ctx context.Context) (float64, error) {
	if r.query.Fusion == rag.RRF || len(r.dense) == 0 || len(r.lexical) == 0 || len(r.lexical) >= fusionDepth {
		return 0, nil
	}
	best := r.lexical[:min(coverageDepth, len(r.lexical))]
	if err := r.hydrate(ctx, best); err != nil {
		return 0, err
	}
	asked := map[string]bool{} // term → whether it is a whole identifier
	for _, t := range lexical.Terms(r.text) {
		asked[t.Text] = t.Identifier()
	}
	greatest := 0.0
	for _, c := range best {
		h := r.hydrated[c.ID]
		if h == nil {
			continue
		}
		has := map[string]bool{}
		for _, t := range lexical.Terms(h.Chunk.Embedded(h.Document.Title)) {
			identifier, ok := asked[t.Text]
			if identifier {
				return 1, nil
			}
			if ok {
				has[t.Text] = true
			}
		}
		greatest = max(greatest, float64(len(has))/float64(len(asked)))
	}
	return greatest, nil
}
