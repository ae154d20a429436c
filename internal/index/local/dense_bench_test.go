package local

import (
	"fmt"
	"os"
	"slices"
	"testing"

	"footnote/internal/index/sample"
	"footnote/internal/rag"
	"footnote/internal/simd"
)

// BenchmarkSearchDense has 100,000 vectors grown from real embeddings, and real queries, beside a scan of the same in float32; recall is of what the scan finds. It needs INDEX_VECTORS, as TestSearchDense_FindsWhatAnExactScanFinds does.
func BenchmarkSearchDense(b *testing.B) {
	path := os.Getenv("INDEX_VECTORS")
	if path == "" {
		b.Skip("INDEX_VECTORS is not set: `make bench-index` makes a file of real embeddings and says where")
	}
	v, err := sample.ReadVectors(path)
	if err != nil {
		b.Fatal(err)
	}
	const n, queries = 100_000, 100
	all := v.Grow(n, 1)
	vector := func(i int) []float32 { return all[i*v.Dims:][:v.Dims] }
	x, err := New(Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer x.Close()
	if err := x.EnsureCollection(b.Context(), "c", v.Dims); err != nil {
		b.Fatal(err)
	}
	for at := 0; at < n; at += 500 {
		batch := make([]rag.Point, 500)
		for i := range batch {
			batch[i] = rag.Point{ID: rag.NewChunkID("d", fmt.Sprint(at+i), 0), Document: "d", Embedding: vector(at + i)}
		}
		if err := x.Upsert(b.Context(), "c", batch); err != nil {
			b.Fatal(err)
		}
	}
	x.Wait()
	if err := x.Checkpoint(b.Context(), "c", 1); err != nil {
		b.Fatal(err)
	}
	scores := make([]float32, n)
	scan := func(q []float32) {
		for i := range scores {
			scores[i] = simd.Dot(q, vector(i))
		}
	}
	b.Run("float32", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			scan(v.Query(i % queries))
		}
	})
	for _, k := range []int{10, 100} {
		b.Run(fmt.Sprint("k=", k), func(b *testing.B) {
			for i := 0; b.Loop(); i++ {
				if _, err := x.SearchDense(b.Context(), "c", v.Query(i%queries), nil, k); err != nil {
					b.Fatal(err)
				}
			}
			b.StopTimer()
			hits := 0
			for q := range queries {
				scan(v.Query(q))
				slices.Sort(scores)
				found, err := x.SearchDense(b.Context(), "c", v.Query(q), nil, k)
				if err != nil {
					b.Fatal(err)
				}
				for _, c := range found {
					if c.Score >= float64(scores[n-k])-5e-5 {
						hits++
					}
				}
			}
			b.ReportMetric(float64(hits)/float64(k*queries), "recall")
		})
	}
}
