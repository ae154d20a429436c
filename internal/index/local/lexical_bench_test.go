package local

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"footnote/internal/index/sample"
	"footnote/internal/lexical"
	"footnote/internal/rag"
)

// BenchmarkSearchLexical has 50,000 passages recombined from real sentences, and real questions. It needs EVAL_DATA.
func BenchmarkSearchLexical(b *testing.B) {
	dir := os.Getenv("EVAL_DATA")
	if dir == "" {
		b.Skip("EVAL_DATA is not set: the labelled sets are not here")
	}
	texts, err := sample.ReadTexts(filepath.Join(dir, "retrieval"), "scifact", "pubmedqa", "rgb-zh", "dureader-robust-dev-half")
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
	for at := 0; at < 50000; at += 500 {
		batch := make([]rag.Point, 500)
		for i := range batch {
			batch[i] = rag.Point{ID: rag.NewChunkID("d", fmt.Sprint(at+i), 0), Document: "d", Embedding: rag.Embedding{1, 0}, Sparse: lexical.DocumentVector(texts.Passage(at+i), lexical.DefaultParams)}
		}
		if err := x.Upsert(b.Context(), "c", batch); err != nil {
			b.Fatal(err)
		}
	}
	x.Wait()
	queries := make([]rag.SparseVector, 500)
	for i := range queries {
		queries[i] = lexical.QueryVector(texts.Queries[i])
	}
	for _, k := range []int{10, 100} {
		b.Run(fmt.Sprint("k=", k), func(b *testing.B) {
			i := 0
			for b.Loop() {
				if _, err := x.SearchLexical(b.Context(), "c", queries[i%len(queries)], nil, k); err != nil {
					b.Fatal(err)
				}
				i++
			}
		})
	}
}
