// Package indextest is the conformance suite of indexes: whatever passes it may stand behind the service.
package indextest

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"footnote/internal/lexical"
	"footnote/internal/rag"
)

// Index is all that the service asks of one.
type Index interface {
	EnsureCollection(ctx context.Context, id rag.CollectionID, dims int) error
	DropCollection(ctx context.Context, id rag.CollectionID) error
	Upsert(ctx context.Context, id rag.CollectionID, points []rag.Point) error
	Delete(ctx context.Context, id rag.CollectionID, chunks []rag.ChunkID) error
	SearchDense(ctx context.Context, id rag.CollectionID, v rag.Embedding, filter *rag.Filter, k int) ([]rag.Candidate, error)
	SearchLexical(ctx context.Context, id rag.CollectionID, query rag.SparseVector, filter *rag.Filter, k int) ([]rag.Candidate, error)
	Count(ctx context.Context, id rag.CollectionID) (int, error)
	EachPoint(ctx context.Context, id rag.CollectionID, f func(rag.PointRef) error) error
	Collections(ctx context.Context) ([]rag.CollectionID, error)
}

const dims = 16

// Run runs the suite; open gives an empty index.
func Run(t *testing.T, open func(t *testing.T) Index) {
	for name, test := range map[string]func(*testing.T, Index){
		"agrees with brute force": bruteForce, "upsert and delete": upsertDelete, "refuses": refuses, "text": realText, "concurrent": concurrent,
		"walk": walk, "metadata": metadata, "filters": filters, "many": many,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open(t))
		})
	}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func vector(r *rand.Rand) rag.Embedding {
	v := make(rag.Embedding, dims)
	var s float64
	for i := range v {
		v[i] = float32(r.NormFloat64())
		s += float64(v[i] * v[i])
	}
	for i := range v {
		v[i] /= float32(math.Sqrt(s))
	}
	return v
}

func sparse(r *rand.Rand, n int) rag.SparseVector {
	var s rag.SparseVector
	for id := range uint32(40) {
		if r.IntN(40) < n {
			s.Indices, s.Values = append(s.Indices, id*1e8), append(s.Values, r.Float32()+0.1)
		}
	}
	return s
}

func points(r *rand.Rand, n int) []rag.Point {
	out := make([]rag.Point, n)
	for i := range out {
		doc := rag.DocumentID(fmt.Sprint("doc", i/5))
		out[i] = rag.Point{ID: rag.NewChunkID(doc, fmt.Sprint(i), 0), Document: doc, Embedding: vector(r), Sparse: sparse(r, 8),
			Metadata: rag.Metadata{"n": float64(i / 5), "team": []string{"人事", "it"}[i/5%2]}}
	}
	return out
}

func upsertDelete(t *testing.T, x Index) {
	ctx, r := t.Context(), rand.New(rand.NewPCG(2, 2))
	all := points(r, 60)
	check(t, x.EnsureCollection(ctx, "c", dims))
	check(t, x.EnsureCollection(ctx, "c", dims))
	check(t, x.Upsert(ctx, "c", all))
	check(t, x.Upsert(ctx, "c", all[:20])) // repeated
	count := func(want int) {
		t.Helper()
		n, err := x.Count(ctx, "c")
		if err != nil || n != want {
			t.Errorf("count %d, %v; want %d", n, err, want)
		}
	}
	count(60)
	var gone []rag.ChunkID
	for _, p := range all[:30] {
		gone = append(gone, p.ID)
	}
	check(t, x.Delete(ctx, "c", append(gone, "00000000-0000-5000-8000-000000000000")))
	count(30)
	// A replaced point has nothing of the old one.
	changed := all[40]
	changed.Embedding, changed.Sparse, changed.Metadata = vector(r), rag.SparseVector{Indices: []uint32{7}, Values: []float32{1}}, rag.Metadata{"n": -1.0}
	check(t, x.Upsert(ctx, "c", []rag.Point{changed}))
	check(t, x.Upsert(ctx, "c", points(r, 10)[:10])) // into the freed room
	got, err := x.SearchLexical(ctx, "c", rag.SparseVector{Indices: []uint32{7}, Values: []float32{1}}, nil, 10)
	if err != nil || len(got) != 1 || got[0].ID != changed.ID {
		t.Errorf("got %v, %v", got, err)
	}
	old := all[40].Sparse
	got, err = x.SearchLexical(ctx, "c", rag.SparseVector{Indices: old.Indices, Values: old.Values}, nil, 1000)
	check(t, err)
	if slices.ContainsFunc(got, func(c rag.Candidate) bool { return c.ID == changed.ID }) {
		t.Error("a replaced point is found by its old terms")
	}
	dense, err := x.SearchDense(ctx, "c", changed.Embedding, &rag.Filter{Op: rag.OpEq, Key: "n", Value: -1.0}, 5)
	if err != nil || len(dense) != 1 || math.Abs(dense[0].Score-1) > 1e-5 {
		t.Errorf("got %v, %v", dense, err)
	}
	check(t, x.DropCollection(ctx, "c"))
	check(t, x.DropCollection(ctx, "c"))
	if _, err := x.Count(ctx, "c"); rag.CodeOf(err) != rag.NotFound {
		t.Errorf("a dropped collection: %v", err)
	}
}

func refuses(t *testing.T, x Index) {
	ctx, r := t.Context(), rand.New(rand.NewPCG(3, 3))
	check(t, x.EnsureCollection(ctx, "c", dims))
	good := points(r, 2)
	for name, spoil := range map[string]func(*rag.Point){
		"dimensions": func(p *rag.Point) { p.Embedding = p.Embedding[1:] },
		"NaN":        func(p *rag.Point) { p.Embedding[3] = float32(math.NaN()) },
		"infinity":   func(p *rag.Point) { p.Embedding[3] = float32(math.Inf(-1)) },
		"zero":       func(p *rag.Point) { clear(p.Embedding) },
		"order":      func(p *rag.Point) { p.Sparse = rag.SparseVector{Indices: []uint32{2, 1}, Values: []float32{1, 1}} },
		"lengths":    func(p *rag.Point) { p.Sparse = rag.SparseVector{Indices: []uint32{2}, Values: nil} },
	} {
		bad := good[1]
		bad.Embedding = slices.Clone(bad.Embedding)
		spoil(&bad)
		if err := x.Upsert(ctx, "c", []rag.Point{good[0], bad}); err == nil {
			t.Errorf("%s: stored", name)
		}
	}
	if n, err := x.Count(ctx, "c"); err != nil || n != 0 {
		t.Errorf("a refused batch left %d points, %v", n, err)
	}
	nan := vector(r)
	nan[0] = float32(math.NaN())
	if _, err := x.SearchDense(ctx, "c", nan, nil, 1); err == nil {
		t.Error("a NaN query was answered")
	}
	if err := x.Upsert(ctx, "none", good); rag.CodeOf(err) != rag.NotFound {
		t.Errorf("an unknown collection: %v", err)
	}
	if _, err := x.SearchDense(ctx, "none", vector(r), nil, 1); rag.CodeOf(err) != rag.NotFound {
		t.Errorf("searching an unknown collection: %v", err)
	}
}

func realText(t *testing.T, x Index) {
	ctx, r := t.Context(), rand.New(rand.NewPCG(4, 4))
	check(t, x.EnsureCollection(ctx, "c", dims))
	var all []rag.Point
	docs := []string{"Parental leave lasts sixteen weeks.", "育儿假为十六周。", "育嬰假為十六週，全薪。", "Error ERR_404 in v1.18.3", "Replace the seal AB-1234/X every year.", "联系人：欧阳震华，电话 555-0199。"}
	for i, s := range docs {
		all = append(all, rag.Point{ID: rag.NewChunkID("d", s, i), Embedding: vector(r), Sparse: lexical.DocumentVector(s, lexical.DefaultParams)})
	}
	check(t, x.Upsert(ctx, "c", all))
	for q, want := range map[string]int{"parental leaves": 0, "育兒假": 1, "育婴": 2, "err_404": 3, "V1.18.3": 3, "ab-1234/x": 4, "AB-1234": 4, "欧阳震华": 5, "歐陽": 5, "555-0199": 5} {
		got, err := x.SearchLexical(ctx, "c", lexical.QueryVector(q), nil, 1)
		if err != nil || len(got) != 1 || got[0].ID != all[want].ID {
			t.Errorf("%s: got %v, %v, want %q", q, got, err, docs[want])
		}
	}
}

func concurrent(t *testing.T, x Index) {
	ctx, r := t.Context(), rand.New(rand.NewPCG(5, 5))
	check(t, x.EnsureCollection(ctx, "c", dims))
	all, v, q := points(r, 200), vector(r), sparse(r, 5)
	var work sync.WaitGroup
	for i := range 4 {
		work.Go(func() {
			for j := range 20 {
				part := all[(i*20+j)%180:][:20]
				if err := x.Upsert(ctx, "c", part); err != nil {
					t.Error(err)
				}
				if err := x.Delete(ctx, "c", []rag.ChunkID{part[0].ID}); err != nil {
					t.Error(err)
				}
				if _, err := x.SearchDense(ctx, "c", v, nil, 10); err != nil {
					t.Error(err)
				}
				if _, err := x.SearchLexical(ctx, "c", q, nil, 10); err != nil {
					t.Error(err)
				}
			}
		})
	}
	work.Wait()
}

func walk(t *testing.T, x Index) {
	ctx, r := t.Context(), rand.New(rand.NewPCG(6, 6))
	check(t, x.EnsureCollection(ctx, "c-1", dims))
	check(t, x.EnsureCollection(ctx, "b", dims))
	all := points(r, 2300) // more than a page
	check(t, x.Upsert(ctx, "c-1", all))
	seen := map[rag.ChunkID]rag.DocumentID{}
	check(t, x.EachPoint(ctx, "c-1", func(p rag.PointRef) error {
		if _, twice := seen[p.Chunk]; twice {
			t.Errorf("%s came twice", p.Chunk)
		}
		seen[p.Chunk] = p.Document
		return nil
	}))
	for _, p := range all {
		if seen[p.ID] != p.Document {
			t.Fatalf("%s is of %q, want %q", p.ID, seen[p.ID], p.Document)
		}
	}
	if len(seen) != len(all) {
		t.Errorf("walked over %d of %d points", len(seen), len(all))
	}
	ids, err := x.Collections(ctx)
	if err != nil || !slices.Equal(ids, []rag.CollectionID{"b", "c-1"}) {
		t.Errorf("got collections %v, %v", ids, err)
	}
	if err := x.EachPoint(ctx, "none", func(rag.PointRef) error { return nil }); rag.CodeOf(err) != rag.NotFound {
		t.Errorf("an unknown collection: %v", err)
	}
}

// metadata has filters of every kind over values of every kind.
func metadata(t *testing.T, x Index) {
	ctx, r := t.Context(), rand.New(rand.NewPCG(7, 7))
	check(t, x.EnsureCollection(ctx, "c", dims))
	shapes := []rag.Metadata{
		nil, {"team": "人事"}, {"team": "hr", "year": 2026.0}, {"team": []string{"hr", "it"}}, {"team": []string{}}, {"year": 2025.5}, {"draft": true},
		{"draft": false, "date": "2026-01-02"}, {"date": "2026-02-01"}, {"date": "2026-01-02T10:00:00Z", "year": 0.0}, {"a.b": "x", "a": "y"}, {"鍵 \"q\"[]": "值 😀"},
		{"team": "HR"}, {"year": "2026"}, {"long": string(make([]byte, 0)) + "an external name of quite some length, longer than any token may be: " + fmt.Sprint(make([]int, 60))},
	}
	all := points(r, len(shapes))
	for i := range all {
		all[i].Metadata = shapes[i]
	}
	check(t, x.Upsert(ctx, "c", all))
	eq := func(key string, v any) rag.Filter { return rag.Filter{Op: rag.OpEq, Key: key, Value: v} }
	filters := []rag.Filter{
		eq("team", "hr"), eq("team", "人事"), eq("year", 2026.0), eq("year", "2026"), eq("draft", true), eq("draft", false), eq("a.b", "x"), eq("a", "y"),
		eq("鍵 \"q\"[]", "值 😀"), eq("long", shapes[14]["long"]), eq("none", 1.0), eq("year", 0.0),
		{Op: rag.OpNe, Key: "team", Value: "hr"}, {Op: rag.OpIn, Key: "team", Values: []any{"HR", "人事", 3.0}}, {Op: rag.OpNin, Key: "team", Values: []any{"hr", "HR"}},
		{Op: rag.OpExists, Key: "team"}, {Op: rag.OpExists, Key: "draft"}, {Op: rag.OpExists, Key: "none"},
		{Op: rag.OpGt, Key: "year", Value: 2025.5}, {Op: rag.OpGte, Key: "year", Value: 2025.5}, {Op: rag.OpLt, Key: "year", Value: 2026.0}, {Op: rag.OpLte, Key: "year", Value: 2026.0},
		{Op: rag.OpGte, Key: "date", Value: "2026-01-02"}, {Op: rag.OpGt, Key: "date", Value: "2026-01-02"}, {Op: rag.OpLt, Key: "date", Value: "2026-02"}, {Op: rag.OpLte, Key: "date", Value: "2026-02-01"},
		{Op: rag.OpLte, Key: "team", Value: "hr"},
	}
	for _, f := range slices.Clone(filters) {
		filters = append(filters, rag.Filter{Op: rag.OpNot, Filters: []rag.Filter{f}}, rag.Filter{Op: rag.OpAnd, Filters: []rag.Filter{f, {Op: rag.OpExists, Key: "year"}}},
			rag.Filter{Op: rag.OpOr, Filters: []rag.Filter{f, eq("draft", true)}})
	}
	v := vector(r)
	for _, f := range filters {
		got, err := x.SearchDense(ctx, "c", v, &f, 100)
		check(t, err)
		same(t, fmt.Sprintf("%+v", f), got, reference(all, &f, cosine(v)), 100)
	}
}
