package indextest

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"footnote/internal/rag"
)

// filters has random trees over random metadata.
func filters(t *testing.T, x Index) {
	ctx, r := t.Context(), rand.New(rand.NewPCG(8, 8))
	check(t, x.EnsureCollection(ctx, "c", dims))
	all := points(r, 300)
	for i := range all {
		if i%3 != 0 { // neighbours share theirs, as chunks of a document do
			all[i].Metadata = all[i-1].Metadata
			continue
		}
		all[i].Metadata = rag.Metadata{}
		for _, key := range []string{"a", "b", "c"} {
			switch r.IntN(6) {
			case 0:
				all[i].Metadata[key] = float64(r.IntN(9) - 4)
			case 1:
				all[i].Metadata[key] = word(r)
			case 2:
				all[i].Metadata[key] = r.IntN(2) == 0
			case 3:
				list := make([]string, r.IntN(4))
				for j := range list {
					list[j] = word(r)
				}
				all[i].Metadata[key] = list
			}
		}
	}
	check(t, x.Upsert(ctx, "c", all))
	v := vector(r)
	for range 300 {
		f := tree(r, 3)
		check(t, f.Validate())
		got, err := x.SearchDense(ctx, "c", v, &f, 1000)
		check(t, err)
		same(t, fmt.Sprintf("%+v", f), got, reference(all, &f, cosine(v)), 1000)
		if t.Failed() {
			return
		}
	}
}

func word(r *rand.Rand) string {
	return []string{"2026-01-02", "2026-02-01", "a", "B", "人事", "b", "true", "1"}[r.IntN(8)]
}

func tree(r *rand.Rand, depth int) rag.Filter {
	scalar := func() any {
		return []any{float64(r.IntN(9) - 4), word(r), r.IntN(2) == 0}[r.IntN(3)]
	}
	key := []string{"a", "b", "c", "d"}[r.IntN(4)]
	if depth > 0 && r.IntN(3) > 0 {
		op := []rag.FilterOp{rag.OpAnd, rag.OpOr, rag.OpNot}[r.IntN(3)]
		f := rag.Filter{Op: op}
		for range 1 + r.IntN(3) {
			if f.Filters = append(f.Filters, tree(r, depth-1)); op == rag.OpNot {
				break
			}
		}
		return f
	}
	switch op := []rag.FilterOp{rag.OpEq, rag.OpNe, rag.OpGt, rag.OpGte, rag.OpLt, rag.OpLte, rag.OpIn, rag.OpNin, rag.OpExists}[r.IntN(9)]; op {
	case rag.OpIn, rag.OpNin:
		f := rag.Filter{Op: op, Key: key}
		for range 1 + r.IntN(3) {
			f.Values = append(f.Values, scalar())
		}
		return f
	case rag.OpExists:
		return rag.Filter{Op: op, Key: key}
	case rag.OpEq, rag.OpNe:
		return rag.Filter{Op: op, Key: key, Value: scalar()}
	default:
		return rag.Filter{Op: op, Key: key, Value: []any{float64(r.IntN(9) - 4), word(r)}[r.IntN(2)]}
	}
}

// many has more points than an index keeps in its simplest form, filters that leave from one of them to all, and replacements and deletions in between.
func many(t *testing.T, x Index) {
	ctx, r := t.Context(), rand.New(rand.NewPCG(9, 9))
	check(t, x.EnsureCollection(ctx, "c", dims))
	all := points(r, 10000)
	for at := 0; at < len(all); at += 500 {
		check(t, x.Upsert(ctx, "c", all[at:at+500]))
	}
	for i := range all[:1000] { // replaced by what has nothing of the old
		all[i].Embedding, all[i].Sparse = vector(r), sparse(r, 8)
	}
	check(t, x.Upsert(ctx, "c", all[:1000]))
	var gone []rag.ChunkID
	kept := all[:0:0]
	for i, p := range all {
		if i%7 == 0 {
			gone = append(gone, p.ID)
		} else {
			kept = append(kept, p)
		}
	}
	check(t, x.Delete(ctx, "c", gone))
	n, err := x.Count(ctx, "c")
	if err != nil || n != len(kept) {
		t.Fatalf("count %d, %v; want %d", n, err, len(kept))
	}
	for name, f := range map[string]*rag.Filter{
		"all": nil, "half": {Op: rag.OpEq, Key: "team", Value: "it"}, "a hundredth": {Op: rag.OpLt, Key: "n", Value: 20.0}, "one": {Op: rag.OpEq, Key: "n", Value: 777.0},
		"all but few": {Op: rag.OpGt, Key: "n", Value: 3.0}, "none": {Op: rag.OpLt, Key: "n", Value: -1.0},
	} {
		for range 5 {
			v, q := vector(r), sparse(r, 4)
			got, err := x.SearchDense(ctx, "c", v, f, 10)
			check(t, err)
			same(t, "dense, "+name, got, reference(kept, f, cosine(v)), 10)
			if got, err = x.SearchLexical(ctx, "c", q, f, 10); err != nil {
				t.Fatal(err)
			}
			found := reference(kept, f, bm25(kept, q))
			if len(got) != min(10, len(found)) {
				t.Errorf("lexical, %s: got %d candidates, want %d", name, len(got), min(10, len(found)))
			}
		}
	}
}
