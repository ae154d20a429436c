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
		scale(scores, dense, denseWeight)
		scale(scores, lexical, 1-denseWeight)
	default:
		standardise(scores, dense, denseWeight, lexical)
		standardise(scores, lexical, 1-denseWeight, dense)
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

// scale adds weight·s to the scores of list's candidates, s = (score − least)/(greatest − least) over its top: from 0 to 1, and what lies below the top, or
// is not in the list, adds nothing.
func scale(scores map[rag.ChunkID]float64, list []rag.Candidate, weight float64) {
	top := list[:min(fusionDepth, len(list))]
	greatest, least := top[0].Score, top[len(top)-1].Score
	for _, c := range list {
		switch {
		case greatest-least > 1e-12:
			scores[c.ID] += weight * max(0, (c.Score-least)/(greatest-least))
		default:
			scores[c.ID] += weight // all alike: they were found, and the others were not
		}
	}
}

// standardise adds weight·z to the scores of list's candidates, z = (score − mean)/standard deviation over its top; the candidates that only other has
// get the lowest z.
func standardise(scores map[rag.ChunkID]float64, list []rag.Candidate, weight float64, other []rag.Candidate) {
	mean, deviation := moments(list)
	in := make(map[rag.ChunkID]bool, len(list))
	lowest := math.Inf(1)
	for _, c := range list {
		z := (c.Score - mean) / deviation
		lowest = min(lowest, z)
		in[c.ID] = true
		scores[c.ID] += weight * z
	}
	for _, c := range other {
		if !in[c.ID] {
			scores[c.ID] += weight * lowest
		}
	}
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
