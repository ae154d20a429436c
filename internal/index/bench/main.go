// Command bench measures the embedded index at several sizes on vectors grown from real embeddings and texts recombined from real sentences, beside
// a scan of the same vectors in float32, chromem-go and bleve, in turns in one run. It is a module of its own, so that those do not
// become dependencies of the product. `make bench-index` calls it; docs/index.md shows what it prints.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"footnote/internal/index/sample"
	"footnote/internal/simd"
)

func main() {
	vectors := flag.String("vectors", "", "file of real embeddings, as internal/e2e/vectors writes it")
	data := flag.String("data", os.Getenv("EVAL_DATA"), "folder with retrieval/NAME/{corpus,queries}.jsonl")
	sizes := flag.String("sizes", "10000,100000", "points, comma separated; the largest takes some 4 KiB of memory a point")
	peersTo := flag.Int("peers", 100000, "up to which size chromem-go and bleve take part")
	rounds := flag.Int("rounds", 200, "queries of each kind")
	folder := flag.String("folder", "", "where the index's files go; empty: a temporary folder")
	flag.Parse()
	if err := run(*vectors, *data, *sizes, *peersTo, *rounds, *folder); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

var sets = []string{"scifact", "cranfield", "pubmedqa", "clapnq-dev-half", "xquad-en", "rgb-zh", "dureader-robust-dev-half", "cmrc2018", "drcd-dev"}

func run(vectors, data, sizes string, peersTo, rounds int, folder string) error {
	v, err := sample.ReadVectors(vectors)
	if err != nil {
		return err
	}
	texts, err := sample.ReadTexts(filepath.Join(data, "retrieval"), sets...)
	if err != nil {
		return err
	}
	if folder == "" {
		if folder, err = os.MkdirTemp("", "bench-index"); err != nil {
			return err
		}
		defer os.RemoveAll(folder)
	}
	fmt.Printf("%d real passages, %d dimensions; kernels %s, %d cores, %d queries of each kind\n", len(v.Passages)/v.Dims, v.Dims, simd.Path(), runtime.GOMAXPROCS(0), rounds)
	for _, s := range strings.Split(sizes, ",") {
		n, err := strconv.Atoi(s)
		if err != nil {
			return err
		}
		b := &bench{vectors: v, texts: texts, n: n, rounds: rounds, dir: filepath.Join(folder, s), peers: n <= peersTo}
		if err := b.run(); err != nil {
			return err
		}
		runtime.GC()
	}
	return nil
}
