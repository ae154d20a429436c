package search

import (
	"context"
	"slices"

	"footnote/internal/rag"
	"footnote/internal/text"
)

// foreign are the dense candidates whose document is in another language than the query, for Fuse. Where all documents are in the query's language, or none is, the catalog is not asked for each.
func (r *request) foreign(ctx context.Context) (map[rag.ChunkID]bool, error) {
	language := text.Language(r.text)
	other := func(l string) bool { return l != "" && l != language }
	mixed := slices.ContainsFunc(r.collections, func(c spec) bool { return slices.ContainsFunc(c.languages, other) })
	if language == "" || !mixed || len(r.dense) == 0 || len(r.lexical) == 0 {
		return nil, nil
	}
	ids := make([][]rag.ChunkID, len(r.collections))
	for _, c := range r.dense {
		ids[r.home[c.ID]] = append(ids[r.home[c.ID]], c.ID)
	}
	out := map[rag.ChunkID]bool{}
	for i, c := range r.collections {
		if len(ids[i]) == 0 || !slices.ContainsFunc(c.languages, other) {
			continue
		}
		var of map[rag.ChunkID]string // nil: all are in another
		if slices.ContainsFunc(c.languages, func(l string) bool { return !other(l) }) {
			var err error
			if of, err = r.o.Catalog.ChunkLanguages(ctx, c.ID, ids[i]); err != nil {
				return nil, err
			}
		}
		for _, id := range ids[i] {
			if of == nil || other(of[id]) {
				out[id] = true
			}
		}
	}
	return out, nil
}
