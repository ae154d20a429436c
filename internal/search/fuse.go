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
	rankConstant = 60  // of RRF; ranks count from 1
)

// Fuse makes one ranking of a dense and a lexical one, both best first: best first, ties by id. An empty list leaves the other's order and
// its scores.
//
// rag.ZScore, the default, measured above rag.RRF on six of eight sets and nowhere below the better half by more than .003; docs/quality.md has
// rag.Convex beside them.
func Fuse(how rag.Fusion, dense, lexical []rag.Candidate) []rag.Candidate {
	switch {
	case len(lexical) == 0:
		return slices.Clone(dense)
	case len(dense) == 0:
		return slices.Clone(lexical)
	}
	scores := map[rag.ChunkID]float64{}
	switch how {
	case rag.RRF:
		for _, list := range [][]rag.Candidate{dense, lexical} {
			for i, c := range list {
				scores[c.ID] += 1 / float64(rankConstant+i+1)
			}
		}
	case rag.Convex:
		add(scores, dense, denseWeight, lexical, limits, 0)
		add(scores, lexical, 1-denseWeight, dense, limits, 0)
	default:
		add(scores, dense, denseWeight, lexical, moments, math.Inf(1))
		add(scores, lexical, 1-denseWeight, dense, moments, math.Inf(1))
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

// add adds weight·(score − zero)/unit to the scores of list's candidates, zero and unit being measured on its top; the candidates that only other has get weight·least,
// or what the last of list got, if that is less.
func add(scores map[rag.ChunkID]float64, list []rag.Candidate, weight float64, other []rag.Candidate, measure func(list []rag.Candidate) (zero, unit float64), least float64) {
	zero, unit := measure(list)
	in := make(map[rag.ChunkID]bool, len(list))
	for _, c := range list {
		s := (c.Score - zero) / unit
		least = min(least, s)
		in[c.ID] = true
		scores[c.ID] += weight * s
	}
	for _, c := range other {
		if !in[c.ID] {
			scores[c.ID] += weight * least
		}
	}
}

// limits are the least score of list's top and its distance from the greatest.
func limits(list []rag.Candidate) (least, width float64) {
	top := list[:min(fusionDepth, len(list))]
	least = top[len(top)-1].Score
	if width = top[0].Score - least; width < 1e-12 {
		return least - 1, 1 // all alike: each was found, which is more than the others can say
	}
	return least, width
}

// moments are the mean and the standard deviation of the scores of list's top.
func moments(list []rag.Candidate) (mean, deviation float64) {
	top := list[:min(fusionDepth, len(list))]
	var sum, squares float64
	for _, c := range top {
		sum += c.Score
	}
	mean = sum / float64(len(top))
	for _, c := range top {
		squares += (c.Score - mean) * (c.Score - mean)
	}
	if deviation = math.Sqrt(squares / float64(len(top))); deviation < 1e-12 {
		deviation = 1 // all alike: every z is 0
	}
	return mean, deviation
}

// standardised puts a list's z-scores in the place of its scores, so that lists of different models can be merged.
func standardised(list []rag.Candidate) []rag.Candidate {
	mean, deviation := moments(list)
	out := slices.Clone(list)
	for i := range out {
		out[i].Score = (out[i].Score - mean) / deviation
	}
	return out
}
