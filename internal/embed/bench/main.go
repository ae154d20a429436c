// Command bench measures the built-in embedding engine beside ONNX Runtime on an encoder of the same shape, 12 layers × 384, in
// turns in one run, and beside the ceiling that its own kernel reaches when it does nothing else. `make bench-embed` calls it; docs/performance.md shows what it prints.
package main

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"slices"
	"strings"
	"sync"
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

// workload is texts of ours and the lengths, in tokens with marks and prefix, that the peer gets.
type workload struct {
	name    string
	query   bool
	texts   []string
	lengths []int
	tokens  int
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

// contender is one way to do a workload; run does it once and returns the seconds it took.
type contender struct {
	name    string
	path    string // ours: the kernels' path
	run     func() (float64, error)
	seconds []float64
}

func (w workload) measure(e *local.Embedder, p *peer, paths []string, ceiling map[string]float64, rounds, threads int) error {
	var all []*contender
	for _, path := range paths {
		share := w
		if path == simd.Generic { // a hundred times slower: a part tells its rate
			n := min(len(w.texts), 4)
			share.texts, share.lengths, share.tokens = w.texts[:n], w.lengths[:n], sum(w.lengths[:n])
		}
		all = append(all, &contender{name: "footnote " + path, path: path, run: func() (float64, error) {
			if err := simd.Select(path); err != nil {
				return 0, err
			}
			s, err := share.once(e)
			return s * float64(w.tokens) / float64(share.tokens), err
		}})
	}
	if p != nil {
		for _, model := range []string{"int8", "f32"} {
			if p.models[model] == "" {
				continue
			}
			batch, err := 1, error(nil)
			if len(w.texts) > 1 {
				if batch, err = p.bestBatch(model, w.lengths, threads); err != nil {
					return err
				}
			}
			all = append(all, &contender{name: fmt.Sprintf("onnxruntime %s, batches of %d", model, batch), run: func() (float64, error) {
				s, err := p.run(model, w.lengths, batch, w.repeat(), threads)
				return median(s), err
			}})
		}
	}
	for round := range rounds + 1 { // the first warms up
		for _, c := range all {
			if c.path == simd.Generic && round > 1 {
				continue
			}
			time.Sleep(30 * time.Millisecond) // the peer's threads spin for a while after their work
			s, err := c.run()
			if err != nil {
				return err
			}
			if round > 0 {
				c.seconds = append(c.seconds, s)
			}
		}
	}
	fmt.Printf("\n%s\n| engine | ms | tokens/s | to the first | of the ceiling |\n| --- | --- | --- | --- | --- |\n", w.name)
	for _, c := range all {
		rate := make([]float64, len(c.seconds))
		for i, s := range c.seconds {
			rate[i] = all[0].seconds[i] / s
		}
		s := median(c.seconds)
		of := "" // what a peer's products reach is the same machine's ceiling
		best := ceiling[c.path]
		if c.path == "" {
			best = ceiling[all[0].path]
		}
		if best > 0 && (c.path != "" || strings.Contains(c.name, "int8")) {
			of = fmt.Sprintf("%.0f %%", 100*float64(w.tokens)/s*opsPerToken/best)
		}
		fmt.Printf("| %s | %.2f | %.0f | %.2f | %s |\n", c.name, 1000*s, float64(w.tokens)/s, median(rate), of)
	}
	return nil
}

// repeat is how often a workload is done in a turn: short ones often.
func (w workload) repeat() int {
	if len(w.texts) == 1 {
		return 50
	}
	return 1
}

// once does the workload as often as repeat says and returns the median seconds.
func (w workload) once(e *local.Embedder) (float64, error) {
	var seconds []float64
	for range w.repeat() {
		embed := e.EmbedDocuments
		if w.query {
			embed = e.EmbedQueries
		}
		started := time.Now()
		if _, err := embed(context.Background(), w.texts); err != nil {
			return 0, err
		}
		seconds = append(seconds, time.Since(started).Seconds())
	}
	return median(seconds), nil
}

// products measures the ceiling: the path's 8-bit product alone, on all threads, with operands that stay in the second-level cache. It is the best
// of many short runs, in operations a second.
func products(path string, threads int) float64 {
	if simd.Select(path) != nil {
		return 0
	}
	const m, n, k, times = 252, 384, 384, 40
	best := 0.0
	for range 15 {
		var all sync.WaitGroup
		rates := make([]float64, threads)
		for t := range threads {
			all.Go(func() {
				r := rand.New(rand.NewPCG(uint64(t), 1))
				x, w := make([]float32, m*k), make([]float32, n*k)
				for i := range x {
					x[i] = float32(r.NormFloat64())
				}
				for i := range w {
					w[i] = float32(r.NormFloat64())
				}
				var a simd.Rows
				a.Resize(m, k)
				for i := range m {
					a.Quantise(i, x[i*k:][:k])
				}
				b, dst, bias := simd.PackInt8(w, n, k), make([]float32, (m+simd.RowAlign)*n), make([]float32, n)
				begun := time.Now()
				for range times {
					simd.MatMulInt8(dst, n, 32, &a, 0, m, b, 0, n/32, bias)
				}
				rates[t] = 2 * m * n * k * times / time.Since(begun).Seconds()
			})
		}
		all.Wait()
		total := 0.0
		for _, r := range rates {
			total += r
		}
		best = max(best, total)
	}
	fmt.Printf("the ceiling, %s: %.0f GOP/s in 8-bit products alone\n", path, best/1e9)
	return best
}

func passages(e *local.Embedder, words []string, n, tokens int) workload {
	w := workload{name: fmt.Sprintf("%d passages of %d tokens", n, tokens)}
	overhead := 512 - e.MaxTokens()
	for range n {
		var text string
		text, words = exactly(e, words, tokens-overhead)
		w.add(text, tokens)
	}
	return w
}

func query(e *local.Embedder, words []string, tokens int) workload {
	w := workload{name: fmt.Sprintf("a lone query of %d tokens", tokens), query: true}
	text, _ := exactly(e, words, tokens-(512-e.MaxTokens()))
	w.add(text, tokens)
	return w
}

func ragged(e *local.Embedder, paragraphs []string, n int) workload {
	w := workload{name: fmt.Sprintf("%d real paragraphs of any length", n)}
	for i := range n {
		text := paragraphs[i%len(paragraphs)]
		w.add(text, e.CountTokens(text)+512-e.MaxTokens())
	}
	return w
}

func (w *workload) add(text string, tokens int) {
	w.texts, w.lengths, w.tokens = append(w.texts, text), append(w.lengths, tokens), w.tokens+tokens
}

// exactly joins words until they make n tokens, and returns the words that follow.
func exactly(e *local.Embedder, words []string, n int) (text string, rest []string) {
	for i := 0; ; i++ {
		next := strings.TrimSpace(text + " " + words[i%len(words)])
		if e.CountTokens(next) > n {
			continue // too long a word: another one may fit
		}
		if text = next; e.CountTokens(text) == n {
			return text, append(words[i+1:len(words):len(words)], words[:i+1]...)
		}
	}
}

// readTexts reads the words of all files and the paragraphs that the model takes whole.
func readTexts(folder string) (words, paragraphs []string, err error) {
	err = filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		s := bufio.NewScanner(f)
		s.Buffer(nil, 1<<20)
		for s.Scan() {
			fields := strings.Fields(s.Text())
			words = append(words, fields...)
			if n := len([]rune(s.Text())); n >= 40 && n < 350 {
				paragraphs = append(paragraphs, s.Text())
			}
		}
		return s.Err()
	})
	if err == nil && (len(words) < 1000 || len(paragraphs) < 20) {
		err = fmt.Errorf("%s holds too little text", folder)
	}
	return words, paragraphs, err
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
