package main

import (
	"context"
	"slices"
	"strings"
	"unicode/utf8"

	"footnote/internal/rag"
	"footnote/internal/text"
)

// Bounds of the gate of a re-embedding.
const (
	gateQueries = 100 // questions made of the documents' own sentences, when none are given
	gateDepth   = 10
)

// evaluate compares a collection's search as it is with its search under a re-embedding's other model: the mean reciprocal rank, among ten hits, of the first right document. Questions are
// those of the plan, or sentences out of the middle of documents, which their own document should answer.
func (a *app) evaluate(ctx context.Context, c rag.Collection, r rag.Reembedding) (rag.Gate, error) {
	queries := r.Plan.Queries
	if len(queries) == 0 {
		var err error
		if queries, err = a.ownQuestions(ctx, c); err != nil {
			return rag.Gate{}, err
		}
	}
	g := rag.Gate{Queries: len(queries), MinRatio: r.Plan.MinRatio}
	shadow := c
	shadow.Embedding, shadow.IndexID = r.Other, r.IndexID
	for _, q := range queries {
		for into, as := range map[*float64]rag.Collection{&g.Before: c, &g.After: shadow} {
			found, err := a.search.SearchAs(ctx, rag.Query{Text: q.Query, TopK: gateDepth}, as)
			if err != nil {
				return g, err
			}
			for i, h := range found.Hits {
				if slices.Contains(q.Documents, h.Document.ExternalID) {
					*into += 1 / float64(i+1) / float64(len(queries))
					break
				}
			}
		}
	}
	g.Passed = g.After >= g.MinRatio*g.Before
	return g, nil
}

// ownQuestions makes a question of a sentence of each of some documents.
func (a *app) ownQuestions(ctx context.Context, c rag.Collection) ([]rag.JudgedQuery, error) {
	docs, err := a.catalog.Documents(ctx, c.ID, nil, "", gateQueries)
	if err != nil {
		return nil, err
	}
	var out []rag.JudgedQuery
	for _, d := range docs {
		body, err := a.catalog.Text(ctx, d.ID)
		if rag.CodeOf(err) == rag.NotFound {
			continue // deleted meanwhile
		}
		if err != nil {
			return nil, err
		}
		runes := []rune(body)
		sentences := text.Sentences(body)
		for i := range sentences {
			s := sentences[(len(sentences)/2+i)%len(sentences)]
			q := strings.TrimSpace(string(runes[s.Start:s.End]))
			if n := utf8.RuneCountInString(q); n >= 12 && n <= rag.MaxQueryLength {
				out = append(out, rag.JudgedQuery{Query: q, Documents: []string{d.ExternalID}})
				break
			}
		}
	}
	return out, nil
}
