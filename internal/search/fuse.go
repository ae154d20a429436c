package search

import (
	"cmp"
	"math"
	"slices"

	"footnote/internal/rag"
)

const (
	denseWeight  = 0.6 // of ZScore and Convex; the lexical half has the rest. .5–.7 measure alike
	fusionDepth  = 100 // candidates of a list that its mean and deviation are taken over
	fewZeros     = 9   // of the candidates without any of the query's terms, how many count beside a short lexical list that says little of the query
	rankConstant = 60  // of RRF; ranks count from 1
)

// Fuse makes one ranking of a dense and a lexical one, both best first: best first, ties by id. An empty list leaves the other's order and
// its scores.
//
// A lexical list of fewer than fusionDepth candidates has everything that has any of the query's terms, so the dense candidates that it lacks are known to score 0 in it. coverage, from 0 to 1, is
// how much of the query the best of the list have; it decides how many of those zeros count among the scores. Alone in its list a candidate has no z-score; among many zeros, one of up to 10. That
// is right for the only chunk with the identifier that was asked for, and wrong for the only one that shares a number with a question in another language.
//
// What is foreign is in another language than the query, and that the lexical list lacks it, or has it for a number that they share, says nothing of it: its lexical score is at least what its dense one is.
//
// rag.ZScore, the default, measured above rag.RRF on six of eight sets and nowhere below the better half by more than .003; docs/quality.md has
// rag.Convex beside them.
func Fuse(how rag.Fusion, dense, lexical []rag.Candidate, coverage float64, foreign map[rag.ChunkID]bool) []rag.Candidate {
	switch {
	case len(lexical) == 0:
		return slices.Clone(dense)
	case len(dense) == 0:
		return slices.Clone(lexical)
	}
	scores := make(map[rag.ChunkID]float64, len(dense)+len(lexical))
	switch how {
	case rag.RRF:
		reciprocal(scores, dense, lexical, foreign)
	case rag.Convex:
		sum(scores, dense, limits(dense, 0), lexical, limits(lexical, zeros(dense, lexical, coverage)), foreign)
	default:
		sum(scores, dense, moments(dense, 0), lexical, moments(lexical, zeros(dense, lexical, coverage)), foreign)
	}
	out := make([]rag.Candidate, 0, len(scores))
	for id, s := range scores {
		out = append(out, rag.Candidate{ID: id, Score: s})
	}
	slices.SortFunc(out, order)
	return out
}

func order(a, b rag.Candidate) int {
	return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.ID, b.ID))
}

// zeros is how many of the dense candidates that a short lexical list lacks count among its scores, as 0: fewZeros for a coverage of 0, as many as make fusionDepth for one of 1. In between
// the square keeps it near fewZeros for what shares a word or two with the query.
func zeros(dense, lexical []rag.Candidate, coverage float64) int {
	if len(lexical) >= fusionDepth {
		return 0
	}
	in := make(map[rag.ChunkID]bool, len(lexical))
	for _, c := range lexical {
		in[c.ID] = true
	}
	known := 0
	for _, c := range dense {
		if !in[c.ID] {
			known++
		}
	}
	want := fewZeros + int((fusionDepth-fewZeros)*coverage*coverage)
	return min(known, fusionDepth-len(lexical), want)
}

// scale maps a list's scores to (score − zero)/unit; what the list lacks gets least.
type scale struct{ zero, unit, least float64 }

func (s scale) of(score float64) float64 { return (score - s.zero) / s.unit }

// all maps the scores of list, and of the candidates that only other has: those get the scale's least, or what the last of list got, if that is less.
func (s scale) all(list, other []rag.Candidate) map[rag.ChunkID]float64 {
	out := make(map[rag.ChunkID]float64, len(list)+len(other))
	least := s.least
	for _, c := range list {
		v := s.of(c.Score)
		least = min(least, v)
		out[c.ID] = v
	}
	for _, c := range other {
		if _, ok := out[c.ID]; !ok {
			out[c.ID] = least
		}
	}
	return out
}

// sum adds the scaled scores of both lists by their weights.
func sum(scores map[rag.ChunkID]float64, dense []rag.Candidate, byDense scale, lexical []rag.Candidate, byLexical scale, foreign map[rag.ChunkID]bool) {
	d, l := byDense.all(dense, lexical), byLexical.all(lexical, dense)
	for id, x := range d {
		y := l[id]
		if foreign[id] {
			y = max(y, x)
		}
		scores[id] = denseWeight*x + (1-denseWeight)*y
	}
}

// reciprocal adds the reciprocal ranks.
func reciprocal(scores map[rag.ChunkID]float64, dense, lexical []rag.Candidate, foreign map[rag.ChunkID]bool) {
	found := make(map[rag.ChunkID]float64, len(lexical))
	for i, c := range lexical {
		found[c.ID] = 1 / float64(rankConstant+i+1)
		scores[c.ID] = found[c.ID]
	}
	for i, c := range dense {
		rank := 1 / float64(rankConstant+i+1)
		if foreign[c.ID] {
			scores[c.ID] = max(found[c.ID], rank)
		}
		scores[c.ID] += rank
	}
}

// limits scales the scores of list's top, and of so many zeros beside them, to 0–1.
func limits(list []rag.Candidate, zeros int) scale {
	top := list[:min(fusionDepth, len(list))]
	least := top[len(top)-1].Score
	if zeros > 0 {
		least = min(least, 0)
	}
	width := top[0].Score - least
	if width < 1e-12 {
		return scale{least - 1, 1, 0} // all alike: each was found, which is more than the others can say
	}
	return scale{least, width, 0}
}

// moments scales to z-scores over the scores of list's top and so many zeros beside them. What the list lacks gets the z of the least.
func moments(list []rag.Candidate, zeros int) scale {
	top := list[:min(fusionDepth, len(list))]
	n := float64(len(top) + zeros)
	var sum, squares float64
	for _, c := range top {
		sum += c.Score
	}
	mean := sum / n
	for _, c := range top {
		squares += (c.Score - mean) * (c.Score - mean)
	}
	squares += float64(zeros) * mean * mean
	deviation := math.Sqrt(squares / n)
	switch {
	case deviation < 1e-12:
		return scale{mean, 1, -1} // all alike: every z is 0, and the others were not found
	case zeros > 0:
		return scale{mean, deviation, -mean / deviation}
	}
	return scale{mean, deviation, math.Inf(1)}
}

// standardised puts a list's z-scores in the place of its scores, so that lists of different models can be merged.
func standardised(list []rag.Candidate) []rag.Candidate {
	if len(list) == 0 {
		return nil
	}
	z := moments(list, 0)
	out := slices.Clone(list)
	for i := range out {
		out[i].Score = z.of(out[i].Score)
	}
	return out
}
