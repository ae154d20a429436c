package qdrant

import (
	"cmp"
	"context"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/qdrant/go-client/qdrant"
)

// Query searches one named vector, exactly. Points of equal score come in random order; a NaN ranks first.
func (p points) Query(_ context.Context, r *qdrant.QueryPoints) (*qdrant.QueryResponse, error) {
	c, err := p.s.find(r.GetCollectionName())
	if err != nil {
		return nil, err
	}
	limit := 10
	if r.Limit != nil {
		if limit = int(r.GetLimit()); limit == 0 {
			return nil, invalid("Validation error in body: [limit: value 0 invalid, must be 1 or larger]")
		}
	}
	if r.Using == nil {
		return nil, invalid("Wrong input: Not existing vector name error: ")
	}
	if len(r.GetPrefetch()) > 0 {
		return nil, invalid("prefetch is not implemented by this test server")
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	score, err := c.scorer(r)
	if err != nil {
		return nil, err
	}
	var found []*qdrant.ScoredPoint
	for _, q := range c.points {
		if s, ok := score(q); ok && matches(r.GetFilter(), q) {
			found = append(found, &qdrant.ScoredPoint{Id: qdrant.NewIDUUID(q.id), Score: s, Payload: selected(q.payload, r.GetWithPayload(), false)})
		}
	}
	rand.Shuffle(len(found), func(i, j int) { found[i], found[j] = found[j], found[i] })
	slices.SortStableFunc(found, func(a, b *qdrant.ScoredPoint) int {
		if nanA, nanB := math.IsNaN(float64(a.Score)), math.IsNaN(float64(b.Score)); nanA != nanB {
			return map[bool]int{true: -1, false: 1}[nanA]
		}
		return cmp.Compare(b.Score, a.Score)
	})
	return &qdrant.QueryResponse{Result: found[min(int(r.GetOffset()), len(found)):min(int(r.GetOffset())+limit, len(found))]}, nil
}

// scorer makes the function that scores a point; ok is false for one that the query does not touch.
func (c *collection) scorer(r *qdrant.QueryPoints) (func(*point) (float32, bool), error) {
	name, nearest := r.GetUsing(), r.GetQuery().GetNearest()
	switch {
	case c.dense[name] != nil:
		query := nearest.GetDense().GetData()
		if len(query) != int(c.dense[name].GetSize()) {
			return nil, invalid("Wrong input: Vector dimension error: expected dim: %d, got %d", c.dense[name].GetSize(), len(query))
		}
		query = normalised(query)
		return func(q *point) (float32, bool) {
			v, ok := q.dense[name]
			if !ok {
				return 0, false
			}
			var dot float32
			for i := range v {
				dot += v[i] * query[i]
			}
			return dot, true
		}, nil
	case c.sparse[name] != nil:
		query, err := sparseOf(nearest.GetSparse())
		if err != nil {
			return nil, err
		}
		if c.sparse[name].GetModifier() == qdrant.Modifier_Idf {
			c.weigh(name, query)
		}
		return func(q *point) (float32, bool) {
			var sum float32
			touched := false
			for id, weight := range query {
				if w, ok := q.sparse[name][id]; ok {
					sum += weight * w
					touched = true
				}
			}
			return sum, touched
		}, nil
	}
	return nil, invalid("Wrong input: Not existing vector name error: %s", name)
}

// weigh multiplies a query's values by ln((n − df + ½)/(df + ½) + 1).
func (c *collection) weigh(name string, query map[uint32]float32) {
	df := map[uint32]int{}
	n := 0
	for _, q := range c.points {
		if q.sparse[name] == nil {
			continue
		}
		n++
		for id := range query {
			if _, ok := q.sparse[name][id]; ok {
				df[id]++
			}
		}
	}
	for id := range query {
		query[id] *= float32(math.Log((float64(n)-float64(df[id])+0.5)/(float64(df[id])+0.5) + 1))
	}
}
