package local

import (
	"cmp"
	"container/heap"
	"context"
	"math"
	"reflect"
	"slices"

	"footnote/internal/lexical"
	"footnote/internal/rag"
	"footnote/internal/simd"
)

// SearchDense returns the k points nearest to v by cosine among those that satisfy filter, best first, ties by id. Exact.
func (x *Index) SearchDense(ctx context.Context, id rag.CollectionID, v rag.Embedding, filter *rag.Filter, k int) ([]rag.Candidate, error) {
	c, err := x.collection(id)
	if err != nil {
		return nil, err
	}
	if err := v.Validate(c.dims); err != nil {
		return nil, err
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	pass := c.passing(filter)
	best := newTop(k)
	for slot, chunk := range c.ids {
		if slot%4096 == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if chunk == "" || !pass(slot) {
			continue
		}
		best.offer(rag.Candidate{ID: chunk, Score: float64(simd.Dot(v, c.vectors[slot*c.dims:][:c.dims]))})
	}
	return best.sorted(), nil
}

// SearchLexical returns the k points with the greatest BM25 among those that satisfy filter and have a term of the query, best first, ties by id.
// query holds the frequencies of its terms; the IDF is of the collection as it is now, unfiltered.
func (x *Index) SearchLexical(ctx context.Context, id rag.CollectionID, query rag.SparseVector, filter *rag.Filter, k int) ([]rag.Candidate, error) {
	c, err := x.collection(id)
	if err != nil {
		return nil, err
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	scores := make([]float64, len(c.ids))
	var touched []uint32
	for i, term := range query.Indices {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		list := c.postings[term]
		if list == nil {
			continue
		}
		weight := float64(query.Values[i]) * lexical.IDF(len(c.slots), len(list.slots))
		for j, slot := range list.slots {
			if scores[slot] == 0 {
				touched = append(touched, slot)
			}
			scores[slot] += weight * float64(list.weights[j])
		}
	}
	pass := c.passing(filter)
	best := newTop(k)
	for _, slot := range touched {
		if pass(int(slot)) {
			best.offer(rag.Candidate{ID: c.ids[slot], Score: scores[slot]})
		}
	}
	return best.sorted(), nil
}

// passing tells of a slot whether it satisfies filter. Neighbouring slots are mostly chunks of one document, which share their metadata:
// the answer for the last one is kept.
func (c *collection) passing(filter *rag.Filter) func(slot int) bool {
	if filter == nil {
		return func(int) bool { return true }
	}
	last, answer := uintptr(0), false
	return func(slot int) bool {
		m := c.metadata[slot]
		p := reflect.ValueOf(m).Pointer()
		if p == 0 || p != last {
			last, answer = p, filter.Matches(m)
		}
		return answer
	}
}

// top keeps the k best candidates: a heap whose root is the worst of them.
type top struct {
	k     int
	items []rag.Candidate
}

func newTop(k int) *top { return &top{k: max(k, 0)} }

// order puts the better candidate first: greater score, then smaller id.
func order(a, b rag.Candidate) int {
	if a.Score != b.Score {
		return cmp.Compare(b.Score, a.Score)
	}
	return cmp.Compare(a.ID, b.ID)
}

func (t *top) offer(c rag.Candidate) {
	switch {
	case t.k == 0 || math.IsNaN(c.Score):
	case len(t.items) < t.k:
		heap.Push(t, c)
	case order(c, t.items[0]) < 0:
		t.items[0] = c
		heap.Fix(t, 0)
	}
}

func (t *top) sorted() []rag.Candidate {
	slices.SortFunc(t.items, order)
	return t.items
}

// heap.Interface, worst first.
func (t *top) Len() int           { return len(t.items) }
func (t *top) Less(i, j int) bool { return order(t.items[i], t.items[j]) > 0 }
func (t *top) Swap(i, j int)      { t.items[i], t.items[j] = t.items[j], t.items[i] }
func (t *top) Push(x any)         { t.items = append(t.items, x.(rag.Candidate)) }
func (t *top) Pop() any {
	last := t.items[len(t.items)-1]
	t.items = t.items[:len(t.items)-1]
	return last
}
