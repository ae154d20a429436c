package local

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"footnote/internal/rag"
	"footnote/internal/simd"
)

// TestSearchLexical_IsTheSumOfEveryPosting holds lists of one, ten and a hundred, and longer than what is found, to the sums of all postings: the same points with the same scores, ties and all. The terms
// are as frequent as in texts, from every other point to three in all; there are several segments with many windows, a head, dead points, narrow and wide filters, and each path of the CPU.
func TestSearchLexical_IsTheSumOfEveryPosting(t *testing.T) {
	ctx, r := t.Context(), rand.New(rand.NewPCG(3, 9))
	const n, terms = 13000, 400
	x := openIndex(t, Options{}, asShipped)
	if err := x.EnsureCollection(ctx, "c", 2); err != nil {
		t.Fatal(err)
	}
	points := map[rag.ChunkID]rag.Point{}
	var ids []rag.ChunkID
	var batch []rag.Point
	for i := range n {
		p := rag.Point{ID: rag.NewChunkID("d", fmt.Sprint(i), 0), Document: "d", Embedding: rag.Embedding{1, 0}, Metadata: rag.Metadata{"n": float64(i / 3)}}
		length := 0.7 + 0.1*float32(r.IntN(6)) // few, so that there are ties
		for term := range uint32(terms) {
			if p1 := max(0.6/float64(term+1), 3.0/n); r.Float64() < p1 {
				p.Sparse.Indices, p.Sparse.Values = append(p.Sparse.Indices, term*10e6), append(p.Sparse.Values, length*float32(1+r.ExpFloat64()/3*float64(r.IntN(2))))
			}
		}
		points[p.ID], ids, batch = p, append(ids, p.ID), append(batch, p)
		if len(batch) == 500 || i == n-1 {
			if err := x.Upsert(ctx, "c", batch); err != nil {
				t.Fatal(err)
			}
			batch = nil
		}
	}
	x.Wait()
	gone := ids[:0:0]
	for i, id := range ids {
		if i%11 == 0 || i > 5000 && i < 7000 {
			gone = append(gone, id)
			delete(points, id)
		}
	}
	if err := x.Delete(ctx, "c", gone); err != nil {
		t.Fatal(err)
	}
	for _, path := range simd.Paths() {
		if err := simd.Select(path); err != nil {
			t.Fatal(err)
		}
		for q := 0; q < 40; q += 5 {
			var query rag.SparseVector
			for term := range uint32(terms) {
				if r.IntN(terms) < 3+q || term < uint32(q/4) {
					query.Indices, query.Values = append(query.Indices, term*10e6), append(query.Values, float32(1+r.IntN(2)))
				}
			}
			s := x.collections["c"].current.Load()
			l := lexicalSearch{snapshot: s, lexicalScratch: new(lexicalScratch)}
			l.weigh(query)
			for _, filter := range []*rag.Filter{nil, {Op: rag.OpGt, Key: "n", Value: 2500.0}, {Op: rag.OpLt, Key: "n", Value: 20.0}} {
				var all []rag.Candidate
				for _, p := range points {
					sum := uint32(0)
					for _, t := range l.terms {
						if i, ok := slices.BinarySearch(p.Sparse.Indices, t.id); ok {
							sum += uint32(p.Sparse.Values[i]*t.factor) + 1
						}
					}
					if sum > 0 && filter.Matches(p.Metadata) {
						all = append(all, rag.Candidate{ID: p.ID, Score: float64(sum) * l.unit})
					}
				}
				slices.SortFunc(all, func(a, b rag.Candidate) int { return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.ID, b.ID)) })
				for _, k := range []int{1, 10, 100, n} {
					got, err := x.SearchLexical(ctx, "c", query, filter, k)
					if err != nil {
						t.Fatal(err)
					}
					if want := all[:min(k, len(all))]; !slices.Equal(got, want) {
						at := 0
						for at < min(len(got), len(want)) && got[at] == want[at] {
							at++
						}
						t.Fatalf("%s, query %d of %d terms, filter %v, k %d: got %d, want %d; they differ from the %d-th on: %v, %v", path, q, len(query.Indices), filter, k, len(got), len(want), at, got[at:min(at+2, len(got))], want[at:min(at+2, len(want))])
					}
				}
			}
		}
	}
	if err := simd.Select(""); err != nil {
		t.Fatal(err)
	}
}
