package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"footnote/internal/embed/local"
	"footnote/internal/simd"
)

// workload is texts of ours and the lengths, in tokens with marks and prefix, that the peer gets.
type workload struct {
	name    string
	query   bool
	texts   []string
	lengths []int
	tokens  int
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
