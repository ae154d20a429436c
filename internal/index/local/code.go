package local

import (
	"math"

	"footnote/internal/rag"
	"footnote/internal/simd"
)

// A code stands for a vector v by the signs s of r = v − mean, one bit a dimension, and a gain, f = |r|²/‖r‖₁: a query's dot product with r is about f·(q·s), without bias when what the
// signs leave out is at right angles to the query (Gao & Long, "RaBitQ", SIGMOD 2024, without its rotation: the dimensions of text embeddings are alike enough). Of r's with Gaussian components the estimate has
// a standard error of √(1−2/π)·f·|q|.
const (
	gainUnit  = 1.0 / 16383 // gains of vectors of norm 1 are at most 2, and fit 15 bits
	errorGain = 0.6028      // √(1−2/π)
	codedTo   = 64 * simd.MaxCodeWords
)

// encodeCode writes the code of v to its lane of a group whose bits are zero.
func (l *layout) encodeCode(group []uint64, lane int, v, mean []float32) (gain uint16) {
	var sum, squares float64
	for j, x := range v {
		r := x - mean[j]
		if r > 0 {
			group[j/64*simd.CodeGroup+lane] |= 1 << (j % 64)
		}
		sum += math.Abs(float64(r))
		squares += float64(float64(r) * float64(r))
	}
	if sum == 0 {
		return 0 // the mean itself: its product is that of the mean
	}
	return uint16(min(squares/sum/gainUnit+0.5, math.MaxInt16))
}

// codeQuery is a query ready to be compared with codes: four bits a dimension, from −2½ standard deviations of its components to 2½. Three bits find the best ten among a quarter more
// candidates, two among twice as many; more than four change nothing.
type codeQuery struct {
	v      rag.Embedding
	planes []uint64 // [4][words]
	centre int32    // 15 × dims
	shift  uint
	norm   float64
	unit   float64 // what a rank is worth
}

// A rank is an estimated score, counted downwards in steps of some 2,000th of the query's norm: rankZero is that of score 0.
const rankZero = (simd.MaxRank + 1) / 2

func (l *layout) codeQuery(v rag.Embedding) *codeQuery {
	const levels, clip = 1<<simd.CodePlanes - 1, 2.5
	q := &codeQuery{v: v, planes: make([]uint64, simd.CodePlanes*l.words), centre: int32(levels * len(v))}
	var squares float64
	for _, x := range v {
		squares += float64(x) * float64(x)
	}
	q.norm = math.Sqrt(squares)
	step := 2 * clip / levels * q.norm / math.Sqrt(float64(len(v)))
	for j, x := range v {
		level := int(max(0, min(levels, math.Round(float64(x)/step+levels/2.0))))
		for p := range simd.CodePlanes {
			q.planes[p*l.words+j/64] |= uint64(level>>p&1) << (j % 64)
		}
	}
	// A distance's share in the score is a step and a gain's unit; the products are shifted until they count in ranks.
	for q.unit = step / 2 * gainUnit; q.unit*rankZero < q.norm; q.unit *= 2 {
		q.shift++
	}
	return q
}

// base is the rank of a point that lies at the mean.
func (q *codeQuery) base(mean []float32) int32 {
	var along float64
	for j, x := range q.v {
		along += float64(x) * float64(mean[j])
	}
	return q.rank(along)
}

// rank is that of a score.
func (q *codeQuery) rank(score float64) int32 {
	return rankZero - int32(max(-rankZero, min(rankZero, math.Round(score/q.unit))))
}
