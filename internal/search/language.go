package search

import (
	"context"
	"slices"

	"footnote/internal/rag"
)

// acrossLanguages is a model that can make the vector of a query compare alike with passages in its own language and in others.
type acrossLanguages interface {
	AcrossLanguages(query rag.Embedding) rag.Embedding
}

// other tells whether a language is known and is not the query's.
func (r *request) other(language string) bool { return language != "" && language != r.language }

// mixed tells whether some documents of the collections are in another language than the query; of a query without a language, whether they are in more than one.
func (r *request) mixed() bool {
	var known []string
	for _, c := range r.collections {
		for _, l := range c.languages {
			if l != "" && !slices.Contains(known, l) {
				known = append(known, l)
			}
		}
	}
	if r.language == "" {
		return len(known) > 1
	}
	return slices.ContainsFunc(known, r.other)
}

// vector is the query's for the collections of a model: one for all, so that their scores compare.
func (r *request) vector(fingerprint string) rag.Embedding {
	v := r.vectors[fingerprint]
	if m, ok := r.model(fingerprint).(acrossLanguages); ok && r.mixed() {
		return m.AcrossLanguages(v)
	}
	return v
}

// foreign are the dense candidates whose document is in another language than the query, for Fuse. Where all documents are in the query's language, or none is, the catalog is not asked for each.
func (r *request) foreign(ctx context.Context) (map[rag.ChunkID]bool, error) {
	if r.language == "" || !r.mixed() || len(r.dense) == 0 || len(r.lexical) == 0 {
		return nil, nil
	}
	ids := make([][]rag.ChunkID, len(r.collections))
	for _, c := range r.dense {
		ids[r.home[c.ID]] = append(ids[r.home[c.ID]], c.ID)
	}
	out := map[rag.ChunkID]bool{}
	for i, c := range r.collections {
		if len(ids[i]) == 0 || !slices.ContainsFunc(c.languages, r.other) {
			continue
		}
		var of map[rag.ChunkID]string // nil: all are in another
		if slices.ContainsFunc(c.languages, func(l string) bool { return !r.other(l) }) {
			var err error
			if of, err = r.o.Catalog.ChunkLanguages(ctx, c.ID, ids[i]); err != nil {
				return nil, err
			}
		}
		for _, id := range ids[i] {
			if of == nil || r.other(of[id]) {
				out[id] = true
			}
		}
	}
	return out, nil
}
