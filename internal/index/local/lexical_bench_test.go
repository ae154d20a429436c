package local

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"footnote/internal/index/sample"
	"footnote/internal/lexical"
	"footnote/internal/rag"
)

// BenchmarkSearchLexical has 100,000 passages recombined from real sentences, and a hundred real questions without phrases. It tells what the process computes for one, which other work on the machine changes less
// than the time it takes. It needs EVAL_DATA.
func BenchmarkSearchLexical(b *testing.B) {
	dir := os.Getenv("EVAL_DATA")
	if dir == "" {
		b.Skip("EVAL_DATA is not set: the labelled sets are not here")
	}
	texts, err := sample.ReadTexts(filepath.Join(dir, "retrieval"), "scifact", "cranfield", "xquad-en", "rgb-zh", "dureader-robust-dev-half", "cmrc2018", "drcd-dev")
	if err != nil {
		b.Fatal(err)
	}
	x, err := New(Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer x.Close()
	if err := x.EnsureCollection(b.Context(), "c", 2); err != nil {
		b.Fatal(err)
	}
	for at := 0; at < 100_000; at += 500 {
		batch := make([]rag.Point, 500)
		for i := range batch {
			batch[i] = rag.Point{ID: rag.NewChunkID("d", fmt.Sprint(at+i), 0), Document: "d", Embedding: rag.Embedding{1, 0}, Sparse: lexical.DocumentVector(texts.Passage(at+i), lexical.DefaultParams)}
		}
		if err := x.Upsert(b.Context(), "c", batch); err != nil {
			b.Fatal(err)
		}
	}
	x.Wait()
	var queries []rag.SparseVector
	for _, q := range texts.Queries {
		if !strings.ContainsAny(q, `"“”「『«`) && len(queries) < 100 {
			queries = append(queries, lexical.QueryVector(q))
		}
	}
	for _, k := range []int{10, 100} {
		b.Run(fmt.Sprint("k=", k), func(b *testing.B) {
			i, before := 0, processorTime()
			for b.Loop() {
				if _, err := x.SearchLexical(b.Context(), "c", queries[i%len(queries)], nil, k); err != nil {
					b.Fatal(err)
				}
				i++
			}
			b.ReportMetric(float64(processorTime()-before)/1e3/float64(i), "computed-µs/op")
		})
	}
}
