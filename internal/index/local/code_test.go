package local

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"footnote/internal/rag"
	"footnote/internal/simd"
)

func gaussian(r *rand.Rand, dims int, norm float64) []float32 {
	v, squares := make([]float32, dims), 0.0
	for i := range v {
		x := r.NormFloat64()
		v[i] = float32(x)
		squares += x * x
	}
	for i := range v {
		v[i] *= float32(norm / math.Sqrt(squares))
	}
	return v
}

// TestCode_EstimatesScores holds the ranks that a query and codes come to to the scores that they stand for: without bias, and as far off as errorGain says.
func TestCode_EstimatesScores(t *testing.T) {
	t.Parallel()
	for _, dims := range []int{128, 130, 384, 1024, codedTo} {
		t.Run(fmt.Sprint(dims, " dimensions"), func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(uint64(dims), 1))
			l := newLayout(dims)
			mean := gaussian(r, dims, 0.7)
			const n, queries = 400, 30
			vectors, codes, gains := make([][]float32, n), make([]uint64, n*l.words), make([]uint16, n)
			for i := range vectors {
				v := gaussian(r, dims, 0.3+0.5*r.Float64())
				for j := range v {
					v[j] += mean[j]
				}
				vectors[i] = v
				group := codes[i/8*8*l.words:][:8*l.words]
				gains[i] = l.encodeCode(group, i%8, v, mean)
			}
			var bias, squares, expected float64
			for range queries {
				v := gaussian(r, dims, 1)
				q := l.codeQuery(v)
				if q.unit*rankZero < 1 || q.unit*rankZero >= 2 {
					t.Fatalf("a rank is worth %g: scores from -1 to 1 should fill half of the ranks at least", q.unit)
				}
				ranks := make([]uint16, n)
				simd.CodeDistances(ranks, codes, q.planes)
				simd.Rank(ranks, gains, q.centre, q.base(mean), q.shift)
				for i, v := range vectors {
					estimate := float64(rankZero-int(ranks[i])) * q.unit
					off := estimate - float64(simd.Dot(q.v, v))
					bias += off / n / queries
					squares += off * off / n / queries
					expected += math.Pow(errorGain*float64(gains[i])*gainUnit, 2) / n / queries
				}
			}
			off, want := math.Sqrt(squares), math.Sqrt(expected)
			t.Logf("bias %.5f, standard error %.5f, expected %.5f", bias, off, want)
			if math.Abs(bias) > 0.05*want+0.001 || off < 0.9*want || off > 1.1*want {
				t.Errorf("bias %.5f, standard error %.5f, want none and %.5f", bias, off, want)
			}
		})
	}
}

func TestCode_OfTheMean(t *testing.T) {
	t.Parallel()
	l := newLayout(128)
	mean := gaussian(rand.New(rand.NewPCG(1, 1)), 128, 1)
	group := make([]uint64, 8*l.words)
	if gain := l.encodeCode(group, 3, mean, mean); gain != 0 || slices.ContainsFunc(group, func(w uint64) bool { return w != 0 }) {
		t.Errorf("got gain %d, code %x; want none", gain, group)
	}
	q := l.codeQuery(mean)
	if got := q.base(mean); math.Abs(float64(rankZero-got)*q.unit-1) > q.unit {
		t.Errorf("the mean ranks at %d of itself, which is %.4f; want 1", got, float64(rankZero-got)*q.unit)
	}
}

// TestSearchDense_TwoClouds has points in two clouds that lie apart along one direction, as passages in two languages do, taken in one cloud after the other, and queries that lack that direction: the best lie in both, and the codes,
// centred where the first cloud lies, have to find them all the same.
func TestSearchDense_TwoClouds(t *testing.T) {
	t.Parallel()
	const dims, n, queries, k = 192, 12000, 40, 10
	r := rand.New(rand.NewPCG(7, 8))
	apart := gaussian(r, dims, 1)
	centres := make([][]float32, 60)
	for i := range centres {
		centres[i] = gaussian(r, dims, 0.6)
	}
	vector := func(side float32) []float32 {
		v, noise := slices.Clone(centres[r.IntN(len(centres))]), gaussian(r, dims, 0.5)
		for j := range v {
			v[j] += noise[j] + side*apart[j]
		}
		return v
	}
	x := openIndex(t, Options{}, asShipped)
	if err := x.EnsureCollection(t.Context(), "c", dims); err != nil {
		t.Fatal(err)
	}
	all := map[rag.ChunkID][]float32{}
	for i := range n {
		v := vector([]float32{-0.4, 0.4}[i*2/n])
		p := rag.Point{ID: rag.NewChunkID("d", fmt.Sprint(i), 0), Document: "d", Embedding: v}
		all[p.ID] = v
		if err := x.Upsert(t.Context(), "c", []rag.Point{p}); err != nil {
			t.Fatal(err)
		}
	}
	x.Wait()
	hits, coded := 0, 0
	for _, s := range x.collections["c"].current.Load().segments {
		if s.mean != nil {
			coded += s.n
		}
	}
	for range queries {
		q := vector(0)
		along := simd.Dot(q, apart)
		for j := range q {
			q[j] -= along * apart[j]
		}
		var scores []float64
		for _, v := range all {
			scores = append(scores, float64(simd.Dot(q, v)))
		}
		slices.Sort(scores)
		got, err := x.SearchDense(t.Context(), "c", q, nil, k)
		if err != nil || len(got) != k {
			t.Fatalf("got %d candidates, %v", len(got), err)
		}
		for _, c := range got {
			if c.Score >= scores[n-k]-1e-4 {
				hits++
			}
		}
	}
	recall := float64(hits) / (queries * k)
	t.Logf("recall@%d %.4f, %d of %d points coded", k, recall, coded, n)
	if recall < 0.98 || coded < n/2 {
		t.Errorf("recall@%d %.4f with %d of %d points coded; want .98 and most", k, recall, coded, n)
	}
}
