package indextest

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"footnote/internal/lexical"
	"footnote/internal/rag"
)

// tolerance is how far an index's score may be from the exact one: it may round vectors.
const tolerance = 1e-4

// reference scores every point by the definitions, best first.
func reference(all []rag.Point, filter *rag.Filter, score func(rag.Point) (float64, bool)) []rag.Candidate {
	var out []rag.Candidate
	for _, p := range all {
		if s, ok := score(p); ok && filter.Matches(p.Metadata) {
			out = append(out, rag.Candidate{ID: p.ID, Score: s})
		}
	}
	slices.SortFunc(out, func(a, b rag.Candidate) int { return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.ID, b.ID)) })
	return out
}

// same holds the k best that an index found to all that there are, best first. Every score is within tolerance of the exact one, the order is that of the scores that it gave, ties
// by id, and nothing is missing that is better, by more than rounding, than what came.
func same(t *testing.T, what string, got, all []rag.Candidate, k int) {
	t.Helper()
	want := all[:min(k, len(all))]
	if len(got) != len(want) {
		t.Errorf("%s: got %d candidates, want %d", what, len(got), len(want))
		return
	}
	exact := make(map[rag.ChunkID]float64, len(all))
	for _, c := range all {
		exact[c.ID] = c.Score
	}
	for i, c := range got {
		score, known := exact[c.ID]
		switch {
		case !known:
			t.Errorf("%s at %d: %v does not belong there", what, i, c)
		case math.Abs(c.Score-score) > tolerance:
			t.Errorf("%s at %d: got the score %g, want %g", what, i, c.Score, score)
		case math.Abs(c.Score-want[i].Score) > 2*tolerance:
			t.Errorf("%s at %d: got %v, want %v", what, i, c, want[i])
		case i > 0 && (got[i-1].Score < c.Score || got[i-1].Score == c.Score && got[i-1].ID >= c.ID):
			t.Errorf("%s at %d: %v comes after %v", what, i, c, got[i-1])
		default:
			delete(exact, c.ID) // it may not come twice
			continue
		}
		return
	}
}

func cosine(v rag.Embedding) func(rag.Point) (float64, bool) {
	return func(p rag.Point) (float64, bool) {
		s := 0.0
		for i := range v {
			s += float64(v[i]) * float64(p.Embedding[i])
		}
		return s, true
	}
}

// bm25 scores by the points' weights and the IDF over all.
func bm25(all []rag.Point, q rag.SparseVector) func(rag.Point) (float64, bool) {
	df := map[uint32]int{}
	for _, p := range all {
		for _, id := range p.Sparse.Indices {
			df[id]++
		}
	}
	return func(p rag.Point) (float64, bool) {
		s, found := 0.0, false
		for i, id := range p.Sparse.Indices {
			if j, ok := slices.BinarySearch(q.Indices, id); ok {
				s += float64(q.Values[j]) * float64(p.Sparse.Values[i]) * lexical.IDF(len(all), df[id])
				found = true
			}
		}
		return s, found
	}
}

func bruteForce(t *testing.T, x Index) {
	ctx, r := t.Context(), rand.New(rand.NewPCG(1, 1))
	all := points(r, 500)
	check(t, x.EnsureCollection(ctx, "c", dims))
	check(t, x.Upsert(ctx, "c", all))
	filters := map[string]*rag.Filter{
		"none": nil, "half": {Op: rag.OpEq, Key: "team", Value: "人事"}, "one document": {Op: rag.OpEq, Key: "n", Value: 42.0},
		"nothing": {Op: rag.OpGt, Key: "n", Value: 1e9}, "not": {Op: rag.OpNot, Filters: []rag.Filter{{Op: rag.OpLt, Key: "n", Value: 90.0}}},
	}
	for range 10 {
		v, q := vector(r), sparse(r, 4)
		for name, f := range filters {
			for _, k := range []int{0, 1, 10, 1000} {
				got, err := x.SearchDense(ctx, "c", v, f, k)
				check(t, err)
				same(t, "dense, "+name, got, reference(all, f, cosine(v)), k)
				got, err = x.SearchLexical(ctx, "c", q, f, k)
				check(t, err)
				same(t, "lexical, "+name, got, reference(all, f, bm25(all, q)), k)
			}
		}
	}
	got, err := x.SearchLexical(ctx, "c", rag.SparseVector{}, nil, 10)
	if err != nil || len(got) != 0 {
		t.Errorf("an empty query: %v, %v", got, err)
	}
}
