package eval

import (
	"context"
	"fmt"
	"slices"

	"footnote/internal/rag"
	"footnote/internal/text"
)

// Placed is where the stored texts have a set's gold spans.
type Placed struct {
	stored map[string]string // texts of documents with gold spans
	gold   map[string][]placed
	lost   int // gold spans that the stored text does not have
}

// placed is a gold span in the stored text, and the sentences that it touches.
type placed struct {
	document       string
	span, sentence rag.Span
}

// PlaceGold finds the gold spans in the texts as they are stored, by the documents' ids in the set.
func PlaceGold(ctx context.Context, set AnswerSet, stored func(ctx context.Context, document string) (string, error)) (Placed, error) {
	original := make(map[string]string, len(set.Documents))
	for _, d := range set.Documents {
		original[d.ID] = d.Text
	}
	p := Placed{stored: map[string]string{}, gold: map[string][]placed{}}
	sentences := map[string][]rag.Span{}
	for _, q := range set.Queries {
		for _, g := range set.Gold[q.ID].Spans {
			if _, ok := p.stored[g.Document]; !ok {
				body, err := stored(ctx, g.Document)
				if err != nil {
					return p, fmt.Errorf("read document %s: %w", g.Document, err)
				}
				p.stored[g.Document], sentences[g.Document] = body, text.Sentences(body)
			}
			span, ok := place(original[g.Document], p.stored[g.Document], g.Span)
			if !ok {
				p.lost++
				continue
			}
			at := placed{g.Document, span, span}
			for _, s := range sentences[g.Document] {
				if s.Overlaps(span) {
					at.sentence = rag.Span{Start: min(at.sentence.Start, s.Start), End: max(at.sentence.End, s.End)}
				}
			}
			p.gold[q.ID] = append(p.gold[q.ID], at)
		}
	}
	return p, nil
}

// Overlaps tells whether a span of a stored document overlaps the sentences of a gold span of the question.
func (p Placed) Overlaps(question, document string, span rag.Span) bool {
	return slices.ContainsFunc(p.gold[question], func(g placed) bool {
		return g.document == document && g.sentence.Overlaps(span)
	})
}
