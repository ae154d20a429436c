package local

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"footnote/internal/index/sample"
	"footnote/internal/lexical"
	"footnote/internal/rag"
)

// BenchmarkUpsert inserts 10,000 and 100,000 passages recombined from real sentences in batches of 256, with all the sealing and merging that follows, and reports processor time: other work may share the machine.
// It needs EVAL_DATA.
func BenchmarkUpsert(b *testing.B) {
	dir := os.Getenv("EVAL_DATA")
	if dir == "" {
		b.Skip("EVAL_DATA is not set: the labelled sets are not here")
	}
	texts, err := sample.ReadTexts(filepath.Join(dir, "retrieval"), "scifact", "pubmedqa", "rgb-zh", "dureader-robust-dev-half")
	if err != nil {
		b.Fatal(err)
	}
	const dims, most = 384, 100_000
	r := rand.New(rand.NewPCG(1, 2))
	vectors := make([]rag.Embedding, 1000)
	for i := range vectors {
		vectors[i] = make(rag.Embedding, dims)
		for j := range vectors[i] {
			vectors[i][j] = float32(r.NormFloat64()) / 20
		}
	}
	points := make([]rag.Point, most)
	for i := range points {
		document := i / 10
		points[i] = rag.Point{
			ID: rag.NewChunkID("d", fmt.Sprint(i), 0), Document: rag.DocumentID(fmt.Sprint("doc", document)), Embedding: vectors[i%len(vectors)], Sparse: lexical.DocumentVector(texts.Passage(i), lexical.DefaultParams),
			Metadata: rag.Metadata{"bucket": float64(document * 7919 % 10000), "source": fmt.Sprintf("reports/%05d.md", document)},
		}
	}
	for _, n := range []int{10_000, most} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			spent := int64(0)
			for b.Loop() {
				x, err := New(Options{Dir: b.TempDir()})
				if err != nil {
					b.Fatal(err)
				}
				if err := x.EnsureCollection(b.Context(), "c", dims); err != nil {
					b.Fatal(err)
				}
				before := processorTime()
				for at := 0; at < n; at += 256 {
					if err := x.Upsert(b.Context(), "c", points[at:min(at+256, n)]); err != nil {
						b.Fatal(err)
					}
				}
				x.Wait()
				spent += processorTime() - before
				if err := x.Close(); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(spent)/1e3/float64(b.N)/float64(n), "cpu-us/chunk")
		})
	}
}

// processorTime is what the process has computed, in nanoseconds.
func processorTime() int64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return u.Utime.Nano() + u.Stime.Nano()
}
