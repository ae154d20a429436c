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

// manyForeign is the share of documents in another language from which on a query's vector is made to compare alike with all. Of a question that is answered in another language that finds the document, worth some .3 of nDCG, and
// each other question in Chinese loses some .002 of it: below one document in a hundred, which may be one whose language was taken for another, that does not pay.
const manyForeign = 0.01

// mixed tells whether so many documents of the collections are in another language than the query that its vector has to compare alike with all; of a query without a language, whether there are so many of a second one.
func (r *request) mixed() bool {
	counts, total := map[string]int{}, 0
	for _, c := range r.collections {
		for l, n := range c.languages {
			counts[l] += n
			total += n
		}
	}
	delete(counts, "")
	language := r.language
	if language == "" { // that of most documents stands in for it
		for l, n := range counts {
			if n > counts[language] || n == counts[language] && l < language {
				language = l
			}
		}
	}
	for l, n := range counts {
		if l != language && float64(n) >= manyForeign*float64(total) {
			return true
		}
	}
	return false
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
	other := func(language string) bool { return language != "" && language != r.language }
	if r.language == "" || len(r.dense) == 0 || len(r.lexical) == 0 || !slices.ContainsFunc(r.collections, func(c spec) bool { return c.hasLanguage(other) }) {
		return nil, nil
	}
	ids := make([][]rag.ChunkID, len(r.collections))
	for _, c := range r.dense {
		ids[r.home[c.ID]] = append(ids[r.home[c.ID]], c.ID)
	}
	out := map[rag.ChunkID]bool{}
	for i, c := range r.collections {
		if len(ids[i]) == 0 || !c.hasLanguage(other) {
			continue
		}
		var of map[rag.ChunkID]string // nil: all are in another
		if c.hasLanguage(func(l string) bool { return !other(l) }) {
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
