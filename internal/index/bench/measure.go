package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"footnote/internal/index/local"
	"footnote/internal/index/sample"
	"footnote/internal/lexical"
	"footnote/internal/rag"
	"footnote/internal/simd"
)

const collection = rag.CollectionID("bench")

// bench is one size.
type bench struct {
	vectors *sample.Vectors
	texts   *sample.Texts
	n       int
	rounds  int
	dir     string
	peers   bool

	flat  []float32 // [n][dims], what is indexed
	place map[rag.ChunkID]int
	index *local.Index
}

func (b *bench) vector(i int) []float32 { return b.flat[i*b.vectors.Dims:][:b.vectors.Dims] }

func chunkID(i int) rag.ChunkID { return rag.NewChunkID("d", fmt.Sprint(i), 0) }

// point is the i-th: ten neighbours are of one document; "bucket" spreads the documents evenly over 0 to 9,999.
func (b *bench) point(i int) rag.Point {
	document := i / 10
	return rag.Point{
		ID: chunkID(i), Document: rag.DocumentID(fmt.Sprint("doc", document)), Embedding: b.vector(i), Sparse: lexical.DocumentVector(b.texts.Passage(i), lexical.DefaultParams),
		Metadata: rag.Metadata{"bucket": float64(document * 7919 % 10000), "source": fmt.Sprintf("reports/%05d.md", document), "team": []string{"hr", "it", "law"}[document%3]},
	}
}

func (b *bench) open(margin float64) (err error) {
	b.index, err = local.New(local.Options{Dir: b.dir, Margin: margin, Logger: slog.New(slog.NewTextHandler(os.Stderr, nil))})
	return err
}

func (b *bench) run() error {
	ctx := context.Background()
	fmt.Printf("\n## %d chunks\n\n", b.n)
	b.flat = b.vectors.Grow(b.n, 1)
	if err := b.open(0); err != nil {
		return err
	}
	if err := b.index.EnsureCollection(ctx, collection, b.vectors.Dims); err != nil {
		return err
	}
	if err := b.build(ctx); err != nil {
		return err
	}
	for _, step := range []func(context.Context) error{b.sizes, b.dense, b.curve, b.lexical, b.filtered, b.busy, b.restart} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return b.index.Close()
}

// build inserts everything in batches of 256 and tells what the index took, compaction and all: processor time, since other work shares the machine. Points are made
// beforehand, a slab at a time.
func (b *bench) build(ctx context.Context) error {
	const slab = 50000
	b.place = make(map[rag.ChunkID]int, b.n)
	var spent, wall time.Duration
	for at := 0; at < b.n; at += slab {
		points := make([]rag.Point, min(slab, b.n-at))
		for i := range points {
			points[i] = b.point(at + i)
			b.place[points[i].ID] = at + i
		}
		runtime.GC()
		cpu, t := processor(), time.Now()
		for from := 0; from < len(points); from += 256 {
			if err := b.index.Upsert(ctx, collection, points[from:min(from+256, len(points))]); err != nil {
				return err
			}
		}
		b.index.Wait()
		spent, wall = spent+processor()-cpu, wall+time.Since(t)
	}
	t := time.Now()
	if err := b.index.Checkpoint(ctx, collection, 1); err != nil {
		return err
	}
	per := func(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e3 / float64(b.n) }
	fmt.Printf("build: %.1f µs of processor time a chunk (%.1f µs by the clock), checkpoint %.3f s\n", per(spent), per(wall), time.Since(t).Seconds())
	return nil
}

// processor is the time that the process has spent computing.
func processor() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func (b *bench) sizes(ctx context.Context) error {
	s, err := b.index.Sizes(ctx, collection)
	if err != nil {
		return err
	}
	per := func(n int) float64 { return float64(n) / float64(b.n) }
	runtime.GC()
	fmt.Printf("bytes a chunk: vectors %.0f, postings %.0f, other %.0f; %d segments; process: %s\n", per(s.Vectors), per(s.Postings), per(s.Other), s.Segments, memory())
	return nil
}

// exact is the scan in float32: the floor that memory sets.
func (b *bench) exact(q []float32, k int) []int {
	type scored struct {
		score float32
		at    int
	}
	best := make([]scored, 0, k+1)
	for i := range b.n {
		s := simd.Dot(q, b.vector(i))
		if len(best) == k && s <= best[k-1].score {
			continue
		}
		at := len(best)
		for at > 0 && best[at-1].score < s {
			at--
		}
		if best = slices.Insert(best, at, scored{s, i}); len(best) > k {
			best = best[:k]
		}
	}
	out := make([]int, len(best))
	for i, s := range best {
		out[i] = s.at
	}
	return out
}

func (b *bench) found(got []rag.Candidate, want []int) (hits int) {
	for _, c := range got {
		if slices.Contains(want, b.place[c.ID]) {
			hits++
		}
	}
	return hits
}

func (b *bench) dense(ctx context.Context) error {
	var peer func([]float32) error
	if b.peers {
		var err error
		if peer, err = b.chromem(ctx); err != nil {
			return err
		}
	}
	var ours, deep, floor, theirs []time.Duration
	hits, rounds := 0, b.rounds
	for i := -5; i < rounds; i++ { // the first warm up
		q := b.vectors.Query(i + 5)
		t := time.Now()
		got, err := b.index.SearchDense(ctx, collection, q, nil, 10)
		if err != nil {
			return err
		}
		a := time.Since(t)
		t = time.Now()
		want := b.exact(q, 10)
		f := time.Since(t)
		t = time.Now()
		if _, err := b.index.SearchDense(ctx, collection, q, nil, 100); err != nil {
			return err
		}
		h := time.Since(t)
		if i < 0 {
			continue
		}
		ours, floor, deep = append(ours, a), append(floor, f), append(deep, h)
		hits += b.found(got, want)
		if peer != nil && i%10 == 0 {
			t = time.Now()
			if err := peer(q); err != nil {
				return err
			}
			theirs = append(theirs, time.Since(t))
		}
	}
	fmt.Printf("dense, k=10: %s; recall@10 %.4f\ndense, k=100: %s\nscan in float32: %s; ratio %.4f\n", times(ours), float64(hits)/float64(10*rounds), times(deep), times(floor), ratio(ours, floor))
	if peer != nil {
		fmt.Printf("chromem-go: %s; %.0f× ours\n", times(theirs), 1/ratio(ours, theirs))
	}
	return nil
}

// curve opens the index with other settings of Margin.
func (b *bench) curve(ctx context.Context) error {
	const queries = 100
	want := make([][]int, queries)
	for i := range want {
		want[i] = b.exact(b.vectors.Query(i), 10)
	}
	settings := []float64{0.5, 1, 1.25, 1.5, 1.75, 2, 2.25, 2.5, 3, 4}
	for _, margin := range append(settings, 0) {
		if err := b.index.Close(); err != nil {
			return err
		}
		if err := b.open(margin); err != nil {
			return err
		}
		if margin == 0 {
			break
		}
		hits := 0
		var ours []time.Duration
		for i := range want {
			t := time.Now()
			got, err := b.index.SearchDense(ctx, collection, b.vectors.Query(i), nil, 10)
			if err != nil {
				return err
			}
			ours = append(ours, time.Since(t))
			hits += b.found(got, want[i])
		}
		fmt.Printf("margin %.2f: recall@10 %.4f, %s\n", margin, float64(hits)/(10*queries), times(ours))
	}
	return nil
}

func (b *bench) lexical(ctx context.Context) error {
	var peer func(string) error
	if b.peers {
		p, done, err := b.bleve()
		if err != nil {
			return err
		}
		defer done()
		peer = p
	}
	var ours, deep, theirs []time.Duration
	for i := -5; i < b.rounds; i++ {
		text := b.texts.Queries[i+5]
		q := lexical.QueryVector(text)
		t := time.Now()
		if _, err := b.index.SearchLexical(ctx, collection, q, nil, 10); err != nil {
			return err
		}
		a := time.Since(t)
		t = time.Now()
		if _, err := b.index.SearchLexical(ctx, collection, q, nil, 100); err != nil {
			return err
		}
		h := time.Since(t)
		var p time.Duration
		if peer != nil {
			t = time.Now()
			if err := peer(text); err != nil {
				return err
			}
			p = time.Since(t)
		}
		if i >= 0 {
			ours, deep, theirs = append(ours, a), append(deep, h), append(theirs, p)
		}
	}
	fmt.Printf("lexical, k=10: %s\nlexical, k=100: %s\n", times(ours), times(deep))
	if peer != nil {
		fmt.Printf("bleve, the same terms: %s; %.0f× ours\n", times(theirs), 1/ratio(ours, theirs))
	}
	return nil
}

func times(d []time.Duration) string {
	if len(d) == 0 {
		return "–"
	}
	s := slices.Sorted(slices.Values(d))
	ms := func(q float64) float64 { return float64(s[min(int(q*float64(len(s))), len(s)-1)].Nanoseconds()) / 1e6 }
	return fmt.Sprintf("p50 %.3f ms, p99 %.3f ms", ms(0.5), ms(0.99))
}

// ratio is that of the medians.
func ratio(a, b []time.Duration) float64 {
	mid := func(d []time.Duration) float64 { return float64(slices.Sorted(slices.Values(d))[len(d)/2]) }
	return mid(a) / mid(b)
}

// memory is what the process has resident: its own, and what is mapped from files.
func memory() string {
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return "unknown here"
	}
	var out []string
	for line := range strings.Lines(string(b)) {
		if strings.HasPrefix(line, "RssAnon") || strings.HasPrefix(line, "RssFile") {
			out = append(out, strings.Join(strings.Fields(line), " "))
		}
	}
	return strings.Join(out, ", ")
}
