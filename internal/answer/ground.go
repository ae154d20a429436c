package answer

import (
	"context"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"footnote/internal/rag"
	"footnote/internal/text"
)

// Bounds of the work for a text that is grounded.
const (
	groundTopK     = 5
	searchesAtOnce = 4
	groundSources  = 3 // of a claim, at most
)

// Ground checks a text that anybody wrote: each claim is tied to the passages that bear it out best, and scored. Markers that stand in the text are its author's and name nothing
// here; they stay, and count as white space. Citations of collections are kept, as those of answers are.
// Errors: rag.Invalid for a request out of bounds, a text of more than rag.MaxGroundedClaims claims, and for a judge that is not there; those of search.
func (s *Service) Ground(ctx context.Context, r rag.GroundRequest) (rag.Grounding, error) {
	if err := r.Validate(); err != nil {
		return rag.Grounding{}, err
	}
	if err := s.allowed(r.Verify, rag.PolicyMark); err != nil {
		return rag.Grounding{}, err
	}
	started := time.Now()
	out := rag.Grounding{Text: r.Text, Language: text.Language(r.Text), Timings: rag.Timings{}}
	marks := markerSpans(r.Text)
	runes := []rune(masked(r.Text))
	a := attribution{most: groundSources, verify: r.Verify}
	var spans []rag.Span
	for _, p := range segment(r.Text, marks) {
		if p.claim {
			spans = append(spans, p.span)
			a.claims = append(a.claims, p.statement(runes[p.span.Start:p.span.End]))
		}
	}
	if n := len(spans); n > rag.MaxGroundedClaims {
		return out, rag.FieldErrorf("/text", "text has %d claims; at most %d are checked at a time: send it in parts.", n, rag.MaxGroundedClaims)
	}
	if len(r.Given) > 0 {
		a.passages = given(r.Given)
		a.near = func(int) []int { return indices(len(a.passages)) }
	} else {
		near, err := s.near(ctx, r, a.claims, &out)
		if err != nil {
			return out, err
		}
		a.passages, a.near = out.Passages, func(claim int) []int { return near[claim] }
	}
	a.marked = make([][]mark, len(spans))
	checking := time.Now()
	ties, degraded, err := s.attribute(ctx, a)
	if err != nil {
		return out, err
	}
	if degraded {
		out.Degraded = append(out.Degraded, "judge")
	}
	out.Passages = a.passages
	w := &writer{Service: s, ctx: ctx, question: rag.Question{Verify: r.Verify}, answer: &rag.Answer{Text: r.Text, Passages: a.passages}, emit: func(rag.Event) error { return nil }, sources: map[rag.DocumentID]source{}}
	if err := w.citeAll(spans, ties, 0); err != nil {
		return out, err
	}
	if len(r.Given) == 0 {
		if err := s.o.Catalog.SaveCitations(ctx, w.answer.Citations); err != nil {
			return out, err
		}
	}
	out.Claims, out.Citations = w.answer.Claims, w.answer.Citations
	out.Status = standing(out.Claims)
	out.Timings["verify"] = time.Since(checking)
	out.Timings["total"] = time.Since(started)
	s.o.Observe("verify", out.Timings["verify"])
	return out, nil
}

// standing says how much of a text is borne out.
func standing(claims []rag.Claim) rag.AnswerStatus {
	good := 0
	for _, c := range claims {
		if c.Verdict == rag.VerdictSupported {
			good++
		}
	}
	switch {
	case good == 0:
		return rag.Abstained
	case good == len(claims):
		return rag.Answered
	}
	return rag.Partial
}

// given makes passages of what a caller brings along. They have no document and no chunk.
func given(ps []rag.GivenPassage) []rag.Passage {
	out := make([]rag.Passage, len(ps))
	for i, p := range ps {
		out[i] = rag.Passage{Number: i + 1, Hit: rag.Hit{
			Document: rag.Document{ExternalID: p.ID, Title: p.Title},
			Chunk:    rag.Chunk{Text: p.Text, Span: rag.Span{End: text.Len(p.Text)}},
		}}
	}
	return out
}

// near searches for each claim and numbers the passages in the order in which they first appear. near[i] are the indices of those found for claim i, the best first.
func (s *Service) near(ctx context.Context, r rag.GroundRequest, claims []statement, out *rag.Grounding) ([][]int, error) {
	started := time.Now()
	if r.TopK == 0 {
		r.TopK = groundTopK
	}
	if len(claims) == 0 { // names and filter are checked all the same
		claims = []statement{{Text: rag.Clip(strings.TrimSpace(r.Text), rag.MaxQueryLength)}}
	}
	queries := make([]rag.Query, len(claims))
	texts := make([]string, len(claims))
	for i, c := range claims {
		texts[i] = rag.Clip(strings.Join(strings.Fields(c.Text), " "), rag.MaxQueryLength-1)
		queries[i] = rag.Query{Text: texts[i], Collections: r.Collections, Filter: r.Filter, TopK: r.TopK, IgnorePhrases: true}
	}
	if err := queries[0].WithDefaults().Validate(); err != nil { // before anything is embedded
		return nil, err
	}
	if e, ok := s.o.Embedder.(interface{ Fingerprint() string }); ok && len(texts) > 1 { // all at once rather than one by one
		vectors, err := s.o.Embedder.EmbedQueries(ctx, texts)
		if err != nil {
			return nil, err
		}
		for i, v := range vectors {
			queries[i].Vectors = map[string]rag.Embedding{e.Fingerprint(): v}
		}
	}
	found := make([]rag.Hits, len(claims))
	g, searching := errgroup.WithContext(ctx)
	g.SetLimit(searchesAtOnce)
	for i, q := range queries {
		g.Go(func() (err error) {
			found[i], err = s.o.Search.Search(searching, q)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	near := make([][]int, len(claims))
	place := map[rag.ChunkID]int{}
	for i, hits := range found {
		for _, stage := range hits.Degraded {
			if !slices.Contains(out.Degraded, stage) {
				out.Degraded = append(out.Degraded, stage)
			}
		}
		for _, h := range hits.Hits {
			at, ok := place[h.Chunk.ID]
			if !ok {
				at = len(out.Passages)
				place[h.Chunk.ID] = at
				out.Passages = append(out.Passages, rag.Passage{Number: at + 1, Hit: h})
			}
			near[i] = append(near[i], at)
		}
	}
	out.Timings["search"] = time.Since(started)
	return near, nil
}
