package search

import (
	"context"
	"errors"
	"math"
	"slices"
	"time"

	"footnote/internal/rag"
	"footnote/internal/simd"
)

const (
	lateWeight = 0.3 // of the late interaction's z-score beside the fused one's; .5 gains more across languages and loses where many passages are relevant
	stateShare = 0.5 // of the mean state that is subtracted from each
)

// rerank orders the first RerankDepth of what was kept anew. Those below stay in their order, below. When the reranker fails or is too slow, all stay in the
// fused order, and the answer says so: a search without its last stage is better than none.
func (r *request) rerank(ctx context.Context) error {
	if r.query.Rerank == rag.RerankNone || len(r.kept) == 0 {
		return nil
	}
	top := r.kept[:min(r.query.RerankDepth, len(r.kept))]
	texts := make([]string, len(top))
	for i, h := range top {
		texts[i] = h.Chunk.Embedded(h.Document.Title)
	}
	var reranker Reranker = r.o.Endpoint
	if r.query.Rerank == rag.RerankLate {
		reranker = late{r.o.Tokens}
	}
	scores, err := r.guarded(ctx, reranker, texts)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		if !errors.Is(err, errLeftAlone) {
			r.o.Logger.Warn("the reranker failed, the fused order stands", "reranker", string(r.query.Rerank), "candidates", len(texts), "error", err)
		}
		r.o.Degraded("rerank")
		r.degraded = append(r.degraded, "rerank")
		return nil
	}
	for i, h := range top {
		r.reranked = append(r.reranked, rag.Candidate{ID: h.Chunk.ID, Score: scores[i]})
	}
	final := scores
	if r.query.Rerank == rag.RerankLate {
		final = mixed(top, scores)
	}
	r.reorder(top, final)
	return nil
}

var errLeftAlone = errors.New("the endpoint failed lately and is left alone for now")

// guarded is score behind the endpoint's breaker. The model in this process needs none: who waits for it waits for work that is done.
func (r *request) guarded(ctx context.Context, reranker Reranker, texts []string) ([]float64, error) {
	if r.query.Rerank != rag.RerankEndpoint {
		return r.score(ctx, reranker, texts)
	}
	if !r.endpoint.allow() {
		return nil, errLeftAlone
	}
	how := abandoned
	defer func() {
		if r.endpoint.done(how) {
			r.o.Logger.Warn("the rerank endpoint failed several times in a row and is left alone for a while", "failures", breakerFailures, "for", breakerCooling)
		}
	}()
	scores, err := r.score(ctx, reranker, texts)
	switch {
	case err == nil:
		how = succeeded
	case ctx.Err() == nil:
		how = failed
	}
	return scores, err
}

func (r *request) score(ctx context.Context, reranker Reranker, texts []string) ([]float64, error) {
	defer r.timed("rerank", time.Now())
	ctx, cancel := context.WithTimeout(ctx, r.o.RerankTimeout)
	defer cancel()
	scores, err := reranker.Rerank(ctx, r.text, texts)
	if err != nil {
		return nil, err
	}
	if len(scores) != len(texts) || slices.ContainsFunc(scores, func(s float64) bool { return math.IsNaN(s) || math.IsInf(s, 0) }) {
		return nil, errors.New("the reranker did not give each text a number")
	}
	return scores, nil
}

// reorder sorts top, the first of what was kept, by scores, ties by chunk id. What lies below keeps its distances and ends below the last of them, so that scores
// fall all the way down.
func (r *request) reorder(top []rag.Hit, scores []float64) {
	bottom, last := slices.Min(scores), top[len(top)-1].Score
	for i := range r.kept {
		h := &r.kept[i]
		if i >= len(top) {
			h.Score = bottom + h.Score - last
			continue
		}
		h.Score = scores[i]
	}
	slices.SortFunc(top, func(a, b rag.Hit) int {
		return order(rag.Candidate{ID: a.Chunk.ID, Score: a.Score}, rag.Candidate{ID: b.Chunk.ID, Score: b.Score})
	})
	slices.SortFunc(r.reranked, order)
	ranks := ranks(r.reranked)
	for i := range top {
		n := ranks[top[i].Chunk.ID]
		top[i].Rerank = &rag.Stage{Rank: n, Score: r.reranked[n-1].Score}
	}
}

// mixed are the weighted sums of the z-scores of a late interaction and of the fused scores.
func mixed(top []rag.Hit, scores []float64) []float64 {
	fused, late := make([]rag.Candidate, len(top)), make([]rag.Candidate, len(top))
	for i := range top {
		fused[i].Score, late[i].Score = top[i].Score, scores[i]
	}
	fused, late = standardised(fused), standardised(late)
	out := make([]float64, len(top))
	for i := range out {
		out[i] = (1-lateWeight)*fused[i].Score + lateWeight*late[i].Score
	}
	return out
}

// late scores by late interaction (Khattab & Zaharia, SIGIR 2020) over the token states of a model that was not trained for it: the mean over the query's tokens of
// the best cosine with a token of the text. The states share a large mean, which hides the differences that matter; half of that of the texts at hand, and of the
// query's own, is subtracted.
type late struct{ tokens TokenEmbedder }

func (l late) Rerank(ctx context.Context, query string, texts []string) ([]float64, error) {
	asked, err := l.tokens.TokenStates(ctx, []string{query}, true)
	if err != nil {
		return nil, err
	}
	states, err := l.tokens.TokenStates(ctx, texts, false)
	if err != nil {
		return nil, err
	}
	if len(asked[0]) == 0 {
		return nil, errors.New("the query has no tokens")
	}
	centre(asked)
	centre(states)
	scores := make([]float64, len(texts))
	for i, text := range states {
		for _, q := range asked[0] {
			best := float32(-1)
			for _, t := range text {
				best = max(best, simd.Dot(q, t))
			}
			scores[i] += float64(best)
		}
		scores[i] /= float64(len(asked[0]))
	}
	return scores, nil
}

// centre subtracts the share of their mean from all states and scales them to norm 1 again.
func centre(texts [][]rag.Embedding) {
	var mean rag.Embedding
	n := 0
	for _, states := range texts {
		for _, s := range states {
			if mean == nil {
				mean = make(rag.Embedding, len(s))
			}
			for i, x := range s {
				mean[i] += x
			}
			n++
		}
	}
	for _, states := range texts {
		for _, s := range states {
			var squares float64
			for i := range s {
				s[i] -= stateShare * mean[i] / float32(n)
				squares += float64(s[i]) * float64(s[i])
			}
			if squares > 0 {
				norm := float32(1 / math.Sqrt(squares))
				for i := range s {
					s[i] *= norm
				}
			}
		}
	}
}
