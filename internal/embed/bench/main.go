// Command bench measures the built-in embedding engine beside ONNX Runtime on an encoder of the same shape, 12 layers × 384, in
// turns in one run, and beside the ceiling that its own kernel reaches when it does nothing else. `make bench-embed` calls it; docs/performance.md shows what it prints.
package main

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"runtime/pprof"
	"slices"
	"strings"
	"time"

	"footnote/internal/embed/local"
	"footnote/internal/simd"
)

// opsPerToken is what the linear layers of the model cost: 12 layers of 4 products of 384 × 384 and 2 of 384 × 1536, two operations a weight.
const opsPerToken = 2 * 12 * (4*384*384 + 2*384*1536)

func main() {
	dir := flag.String("onnx", "", "folder with NAME.onnx (float32) and NAME-q.onnx (8 bits), encoders of 12 × 384; without it only ours run")
	python := flag.String("python", "python3", "a Python that has onnxruntime and numpy")
	texts := flag.String("texts", "examples", "folder whose text files give the passages")
	rounds := flag.Int("rounds", 7, "turns; each figure is the median")
	best := simd.Paths()
	slices.Reverse(best)
	paths := flag.String("paths", strings.Join(best, ","), "kernel paths to run")
	profile := flag.String("profile", "", "file for a CPU profile of the first path's passages, instead of the comparison: go tool pprof -top FILE")
	flag.Parse()
	var err error
	if *profile != "" {
		err = record(*profile, *texts, strings.Split(*paths, ",")[0])
	} else {
		err = run(*dir, *python, *texts, *rounds, strings.Split(*paths, ","))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(dir, python, folder string, rounds int, paths []string) error {
	threads := runtime.GOMAXPROCS(0)
	e, err := local.New(local.Options{})
	if err != nil {
		return err
	}
	words, paragraphs, err := readTexts(folder)
	if err != nil {
		return err
	}
	work := []workload{passages(e, words, 32, 256), query(e, words, 16), ragged(e, paragraphs, 256)}
	var p *peer
	if dir != "" {
		if p, err = openPeer(python, dir); err != nil {
			return err
		}
		defer p.close()
		fmt.Printf("ONNX Runtime %s, ", p.version)
	}
	fmt.Printf("%d threads, %d rounds; medians\n", threads, rounds)
	ceiling := map[string]float64{}
	for _, path := range paths {
		if path != simd.Generic {
			ceiling[path] = products(path, threads)
		}
	}
	for _, w := range work {
		if err := w.measure(e, p, paths, ceiling, rounds, threads); err != nil {
			return err
		}
	}
	return nil
}

// record profiles some seconds of passages.
func record(file, folder, path string) error {
	e, err := local.New(local.Options{})
	if err != nil {
		return err
	}
	words, _, err := readTexts(folder)
	if err != nil {
		return err
	}
	if err := simd.Select(path); err != nil {
		return err
	}
	w := passages(e, words, 32, 256)
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := pprof.StartCPUProfile(f); err != nil {
		return err
	}
	defer pprof.StopCPUProfile()
	for begun := time.Now(); time.Since(begun) < 10*time.Second; {
		if _, err := w.once(e); err != nil {
			return err
		}
	}
	return nil
}

func sum(n []int) (total int) {
	for _, v := range n {
		total += v
	}
	return total
}

func median(v []float64) float64 {
	s := slices.Sorted(slices.Values(v))
	return s[len(s)/2]
}
