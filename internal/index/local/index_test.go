package local

import (
	"bytes"
	"cmp"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"footnote/internal/index/indextest"
	"footnote/internal/lexical"
	"footnote/internal/rag"
)

func openIndex(t *testing.T, o Options, shape func(*layout)) *Index {
	t.Helper()
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	x, err := open(o, shape)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := x.Close(); err != nil {
			t.Error(err)
		}
	})
	return x
}

func asShipped(*layout) {}

// small makes heads, codes and compaction come into play with a few hundred points.
func small(l *layout) { l.headPoints, l.minCoded, l.exactBelow = 32, 48, 0 }

func TestIndex_PassesTheConformanceSuite(t *testing.T) {
	for name, open := range map[string]func(t *testing.T) indextest.Index{
		"memory": func(t *testing.T) indextest.Index { return openIndex(t, Options{}, asShipped) },
		"files":  func(t *testing.T) indextest.Index { return openIndex(t, Options{Dir: t.TempDir()}, asShipped) },
		"small segments": func(t *testing.T) indextest.Index {
			return openIndex(t, Options{Margin: 20}, func(l *layout) { l.headPoints, l.minCoded = 64, 128 }) // 16 bits choose badly
		},
	} {
		t.Run(name, func(t *testing.T) { indextest.Run(t, open) })
	}
}

// point makes one whose every part depends on n and version.
func point(r *rand.Rand, n, dims int) rag.Point {
	doc := rag.DocumentID(fmt.Sprint("doc", n/4))
	p := rag.Point{ID: rag.NewChunkID(doc, fmt.Sprint(n), 0), Document: doc, Embedding: make(rag.Embedding, dims), Metadata: rag.Metadata{"n": float64(n / 4), "even": n/4%2 == 0}}
	norm := 0.0
	for i := range p.Embedding {
		x := r.NormFloat64()
		p.Embedding[i] = float32(x)
		norm += x * x
	}
	for i := range p.Embedding {
		p.Embedding[i] /= float32(math.Sqrt(norm))
	}
	weight := 0.4 + r.Float32()
	for id := range uint32(60) {
		if r.IntN(60) < 1+60/int(id+1) { // some terms are frequent
			p.Sparse.Indices = append(p.Sparse.Indices, id*71e6)
			p.Sparse.Values = append(p.Sparse.Values, weight*float32(1+r.IntN(3)))
		}
	}
	return p
}

// compare holds every answer of x to the definitions over what it should have.
func compare(t *testing.T, x *Index, r *rand.Rand, want map[rag.ChunkID]rag.Point, dims int) {
	t.Helper()
	n, err := x.Count(t.Context(), "c")
	if err != nil || n != len(want) {
		t.Fatalf("count %d, %v; want %d", n, err, len(want))
	}
	walked := 0
	if err := x.EachPoint(t.Context(), "c", func(p rag.PointRef) error {
		walked++
		if want[p.Chunk].Document != p.Document {
			t.Errorf("%s is of %q, want %q", p.Chunk, p.Document, want[p.Chunk].Document)
		}
		return nil
	}); err != nil || walked != len(want) {
		t.Fatalf("walked over %d, %v; want %d", walked, err, len(want))
	}
	df := map[uint32]int{}
	for _, p := range want {
		for _, id := range p.Sparse.Indices {
			df[id]++
		}
	}
	q := point(r, r.IntN(1000), dims)
	terms := rag.SparseVector{}
	for i, id := range q.Sparse.Indices {
		if i%3 == 0 {
			terms.Indices, terms.Values = append(terms.Indices, id), append(terms.Values, float32(1+i%2))
		}
	}
	for _, filter := range []*rag.Filter{nil, {Op: rag.OpEq, Key: "even", Value: true}, {Op: rag.OpLt, Key: "n", Value: 9.0}} {
		var dense, sparse []rag.Candidate
		for id, p := range want {
			if !filter.Matches(p.Metadata) {
				continue
			}
			s, any := 0.0, false
			for i, v := range q.Embedding {
				s += float64(v) * float64(p.Embedding[i])
			}
			dense = append(dense, rag.Candidate{ID: id, Score: s})
			s = 0
			for i, term := range p.Sparse.Indices {
				if j, ok := slices.BinarySearch(terms.Indices, term); ok {
					s += float64(terms.Values[j]) * float64(p.Sparse.Values[i]) * lexical.IDF(len(want), df[term])
					any = true
				}
			}
			if any {
				sparse = append(sparse, rag.Candidate{ID: id, Score: s})
			}
		}
		const k = 12
		got, err := x.SearchDense(t.Context(), "c", q.Embedding, filter, k)
		agree(t, "dense", got, err, dense, k)
		got, err = x.SearchLexical(t.Context(), "c", terms, filter, k)
		agree(t, "lexical", got, err, sparse, k)
	}
}

func agree(t *testing.T, what string, got []rag.Candidate, err error, all []rag.Candidate, k int) {
	t.Helper()
	slices.SortFunc(all, func(a, b rag.Candidate) int { return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.ID, b.ID)) })
	want := all[:min(k, len(all))]
	if err != nil || len(got) != len(want) {
		t.Fatalf("%s: got %d candidates, %v; want %d", what, len(got), err, len(want))
	}
	for i, c := range got {
		if math.Abs(c.Score-want[i].Score) > 1e-4 {
			t.Fatalf("%s at %d: got %v, want %v", what, i, c, want[i])
		}
	}
}

// TestIndex_IsAMap writes, deletes, checkpoints and opens again at random, and holds every answer to the definitions.
func TestIndex_IsAMap(t *testing.T) {
	t.Parallel()
	for _, dims := range []int{5, 16, 300} {
		for seed := range uint64(4) {
			t.Run(fmt.Sprintf("%d dimensions, seed %d", dims, seed), func(t *testing.T) {
				t.Parallel()
				isAMap(t, dims, seed)
			})
		}
	}
}

func isAMap(t *testing.T, dims int, seed uint64) {
	ctx, r := t.Context(), rand.New(rand.NewPCG(seed, 1))
	o := Options{Dir: t.TempDir(), Margin: 20}
	if seed%2 == 0 {
		o.Dir = ""
	}
	x := openIndex(t, o, small)
	if err := x.EnsureCollection(ctx, "c", dims); err != nil {
		t.Fatal(err)
	}
	want, durable := map[rag.ChunkID]rag.Point{}, map[rag.ChunkID]rag.Point{}
	sequence := int64(0)
	for range 80 {
		switch action := r.IntN(10); {
		case action < 6:
			var batch []rag.Point
			for range 1 + r.IntN(20) {
				p := point(r, r.IntN(600), dims)
				batch, want[p.ID] = append(batch, p), p
			}
			if err := x.Upsert(ctx, "c", batch); err != nil {
				t.Fatal(err)
			}
		case action < 8:
			var ids []rag.ChunkID
			for id := range want {
				if ids = append(ids, id); len(ids) > r.IntN(20) {
					break
				}
			}
			for _, id := range ids {
				delete(want, id)
			}
			if err := x.Delete(ctx, "c", ids); err != nil {
				t.Fatal(err)
			}
		case action == 8 && o.Dir != "":
			sequence++
			if err := x.Checkpoint(ctx, "c", sequence); err != nil {
				t.Fatal(err)
			}
			clear(durable)
			for id, p := range want {
				durable[id] = p
			}
		case action == 9 && sequence > 0 && o.Dir != "":
			if err := x.Close(); err != nil {
				t.Fatal(err)
			}
			x = openIndex(t, o, small)
			if got, ok := x.Applied("c"); !ok || got != sequence || len(x.Damaged()) > 0 {
				t.Fatalf("applied %d, %t, damaged %v; want %d", got, ok, x.Damaged(), sequence)
			}
			// A compaction may have saved a part of what came after the checkpoint: the catalog replays it, and what was never written goes.
			var batch []rag.Point
			var gone []rag.ChunkID
			for _, p := range durable {
				batch = append(batch, p)
			}
			if err := x.EachPoint(ctx, "c", func(p rag.PointRef) error {
				if _, ok := durable[p.Chunk]; !ok {
					gone = append(gone, p.Chunk)
				}
				return nil
			}); err != nil {
				t.Fatal(err)
			}
			if err := x.Delete(ctx, "c", gone); err != nil {
				t.Fatal(err)
			}
			if err := x.Upsert(ctx, "c", batch); err != nil {
				t.Fatal(err)
			}
			clear(want)
			for id, p := range durable {
				want[id] = p
			}
		}
		compare(t, x, r, want, dims)
	}
	x.Wait()
	compare(t, x, r, want, dims)
}

// TestIndex_ReadersSeeWholeBatches has readers beside a writer that replaces all points by another generation in every batch, and compaction under way.
func TestIndex_ReadersSeeWholeBatches(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	x := openIndex(t, Options{Dir: t.TempDir()}, small)
	if err := x.EnsureCollection(ctx, "c", 8); err != nil {
		t.Fatal(err)
	}
	generation := func(g int) []rag.Point {
		r := rand.New(rand.NewPCG(1, 1))
		batch := make([]rag.Point, 40)
		for i := range batch {
			batch[i] = point(r, i, 8)
			batch[i].Metadata = rag.Metadata{"generation": float64(g)}
			batch[i].Sparse = rag.SparseVector{Indices: []uint32{7}, Values: []float32{1}}
		}
		return batch
	}
	if err := x.Upsert(ctx, "c", generation(0)); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	var readers sync.WaitGroup
	for range 3 {
		readers.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				c, err := x.collection("c")
				if err != nil {
					t.Error(err)
					return
				}
				s := c.current.Load()
				got, err := s.lexical(ctx, rag.SparseVector{Indices: []uint32{7}, Values: []float32{1}}, nil, 100)
				if err != nil || len(got) != 40 || s.live != 40 {
					t.Errorf("got %d of 40 points, %v", len(got), err)
					return
				}
				if got, err = s.dense(ctx, generation(0)[0].Embedding, nil, 100, 20); err != nil || len(got) != 40 {
					t.Errorf("got %d of 40 points, %v", len(got), err)
					return
				}
			}
		})
	}
	for g := range 60 {
		if err := x.Upsert(ctx, "c", generation(g)); err != nil {
			t.Fatal(err)
		}
		if g%10 == 9 {
			if err := x.Checkpoint(ctx, "c", int64(g)); err != nil {
				t.Fatal(err)
			}
		}
	}
	close(done)
	readers.Wait()
}

func TestPointID_OrdersAsItsText(t *testing.T) {
	t.Parallel()
	var all []rag.ChunkID
	for i := range 100 {
		all = append(all, rag.NewChunkID("d", fmt.Sprint(i), 0))
	}
	slices.Sort(all)
	var last pointID
	for i, s := range all {
		id, ok := parseID(s)
		if !ok || id.chunk() != s || i > 0 && bytes.Compare(last[:], id[:]) >= 0 {
			t.Fatalf("%s: got %s, %t", s, id.chunk(), ok)
		}
		last = id
	}
	for _, s := range []rag.ChunkID{"", "x", all[0][:35], all[0] + "0", "00000000-0000-5000-8000-00000000000G", "00000000-0000-5000-8000-00000000000A", "00000000+0000-5000-8000-000000000000"} {
		if _, ok := parseID(s); ok {
			t.Errorf("%q passed", s)
		}
	}
}
