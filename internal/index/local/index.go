// Package local is the embedded index: exact dense search and BM25 over postings, in memory.
//
// It is derived from the catalog and rebuilt from it at start; it owns nearness and term matching, never text or truth.
package local

import (
	"context"
	"maps"
	"slices"
	"sync"

	"footnote/internal/rag"
)

// Index holds collections. Any number of goroutines may use it; readers of a collection go side by side, a writer alone.
type Index struct {
	mu          sync.RWMutex
	collections map[rag.CollectionID]*collection
}

// New makes an empty index.
func New() *Index { return &Index{collections: map[rag.CollectionID]*collection{}} }

// collection holds points in slots. A freed slot is used again; its vector is overwritten, its postings are removed at once.
type collection struct {
	mu       sync.RWMutex
	dims     int
	slots    map[rag.ChunkID]int
	free     []int
	ids      []rag.ChunkID // [slot], "" when free
	vectors  []float32     // [slot·dims …]
	document []rag.DocumentID
	sparse   []rag.SparseVector
	metadata []rag.Metadata
	postings map[uint32]*postings
}

// EnsureCollection makes the collection unless it is there; ModelMismatch when it is there with other dimensions.
func (x *Index) EnsureCollection(_ context.Context, id rag.CollectionID, dims int) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	if c := x.collections[id]; c != nil {
		if c.dims != dims {
			return rag.Errorf(rag.ModelMismatch, "The collection's vectors have %d dimensions, not %d.", c.dims, dims)
		}
		return nil
	}
	x.collections[id] = &collection{dims: dims, slots: map[rag.ChunkID]int{}, postings: map[uint32]*postings{}}
	return nil
}

// DropCollection removes the collection; removing one that is not there is no error.
func (x *Index) DropCollection(_ context.Context, id rag.CollectionID) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	delete(x.collections, id)
	return nil
}

func (x *Index) collection(id rag.CollectionID) (*collection, error) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	c := x.collections[id]
	if c == nil {
		return nil, rag.Errorf(rag.NotFound, "The index has no such collection.")
	}
	return c, nil
}

// Upsert stores points, each replacing the one with its id whole. Every point is checked before the first is stored.
func (x *Index) Upsert(ctx context.Context, id rag.CollectionID, points []rag.Point) error {
	c, err := x.collection(id)
	if err != nil {
		return err
	}
	for _, p := range points {
		if err := p.Embedding.Validate(c.dims); err != nil {
			return err
		}
		if len(p.Sparse.Indices) != len(p.Sparse.Values) || !ascending(p.Sparse.Indices) {
			return rag.Errorf(rag.Internal, "A sparse vector's indices are not ascending, or not as many as its values.")
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, p := range points {
		c.remove(p.ID)
		c.insert(p)
	}
	return nil
}

func ascending(v []uint32) bool {
	for i := 1; i < len(v); i++ {
		if v[i] <= v[i-1] {
			return false
		}
	}
	return true
}

// Delete removes points; an id that is not there is passed over.
func (x *Index) Delete(_ context.Context, id rag.CollectionID, chunks []rag.ChunkID) error {
	c, err := x.collection(id)
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, chunk := range chunks {
		c.remove(chunk)
	}
	return nil
}

// Count is the number of points.
func (x *Index) Count(_ context.Context, id rag.CollectionID) (int, error) {
	c, err := x.collection(id)
	if err != nil {
		return 0, err
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	return len(c.slots), nil
}

// EachPoint calls f with every point of the collection as it is when the walk begins.
func (x *Index) EachPoint(_ context.Context, id rag.CollectionID, f func(rag.PointRef) error) error {
	c, err := x.collection(id)
	if err != nil {
		return err
	}
	c.mu.RLock()
	refs := make([]rag.PointRef, 0, len(c.slots))
	for chunk, slot := range c.slots {
		refs = append(refs, rag.PointRef{Chunk: chunk, Document: c.document[slot]})
	}
	c.mu.RUnlock()
	for _, r := range refs {
		if err := f(r); err != nil {
			return err
		}
	}
	return nil
}

// Collections lists the ids of the collections, sorted.
func (x *Index) Collections(context.Context) ([]rag.CollectionID, error) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return slices.Sorted(maps.Keys(x.collections)), nil
}

func (c *collection) insert(p rag.Point) {
	var slot int
	if n := len(c.free); n > 0 {
		slot, c.free = c.free[n-1], c.free[:n-1]
		c.ids[slot], c.document[slot], c.sparse[slot], c.metadata[slot] = p.ID, p.Document, p.Sparse, p.Metadata
		copy(c.vectors[slot*c.dims:], p.Embedding)
	} else {
		slot = len(c.ids)
		c.ids, c.document = append(c.ids, p.ID), append(c.document, p.Document)
		c.sparse, c.metadata = append(c.sparse, p.Sparse), append(c.metadata, p.Metadata)
		c.vectors = append(c.vectors, p.Embedding...)
	}
	c.slots[p.ID] = slot
	for i, term := range p.Sparse.Indices {
		list := c.postings[term]
		if list == nil {
			list = &postings{}
			c.postings[term] = list
		}
		list.put(uint32(slot), p.Sparse.Values[i])
	}
}

func (c *collection) remove(id rag.ChunkID) {
	slot, ok := c.slots[id]
	if !ok {
		return
	}
	for _, term := range c.sparse[slot].Indices {
		if list := c.postings[term]; list.cut(uint32(slot)) {
			delete(c.postings, term)
		}
	}
	delete(c.slots, id)
	c.ids[slot], c.sparse[slot], c.metadata[slot] = "", rag.SparseVector{}, nil
	c.free = append(c.free, slot)
}

// postings are the points that have a term: slots ascending, and BM25's document weights.
type postings struct {
	slots   []uint32
	weights []float32
}

func (p *postings) put(slot uint32, weight float32) {
	if n := len(p.slots); n == 0 || p.slots[n-1] < slot { // the common case: slots grow
		p.slots, p.weights = append(p.slots, slot), append(p.weights, weight)
		return
	}
	i, _ := slices.BinarySearch(p.slots, slot)
	p.slots, p.weights = slices.Insert(p.slots, i, slot), slices.Insert(p.weights, i, weight)
}

// cut removes a slot and tells whether none is left.
func (p *postings) cut(slot uint32) (empty bool) {
	if i, ok := slices.BinarySearch(p.slots, slot); ok {
		p.slots, p.weights = slices.Delete(p.slots, i, i+1), slices.Delete(p.weights, i, i+1)
	}
	return len(p.slots) == 0
}
