// Package local is the embedded index: dense search over quantised vectors and BM25 over compressed postings, in segments that never change.
//
// It is derived from the catalog and can always be rebuilt from it; it owns nearness, term matching and filters, never text or truth. A collection is
// a head, which takes what is new, and segments, which heads become and compaction merges. Readers take a snapshot and wait for nobody. With
// a folder, segments are files that are mapped into memory, and Checkpoint makes a collection durable. docs/index.md draws it.
package local

import (
	"context"
	"log/slog"
	"math"
	"sync"

	"footnote/internal/rag"
)

// Options configures an Index. The zero value keeps everything in memory.
type Options struct {
	// Dir is the folder for segment files; it belongs to one process at a time. Empty: memory only.
	Dir string
	// Margin is by how many standard errors a point's score, estimated by its code, may be below the k-th best for the point to be compared exactly, in collections that are too large to compare all. More is
	// slower and finds more; docs/index.md has the curve. 0 is 2.5.
	Margin float64
	// Logger is told of damage and of failures in the background; nil is slog.Default().
	Logger *slog.Logger
}

// Index holds collections. Any number of goroutines may use it; writers of a collection take turns, readers wait for nobody.
type Index struct {
	o           Options
	mu          sync.RWMutex
	collections map[rag.CollectionID]*collection
	damaged     []rag.CollectionID
	shape       func(*layout) // tests make everything smaller

	slot chan struct{} // one compaction at a time, so that searches keep a core
	work sync.WaitGroup
	stop context.Context
	end  context.CancelFunc
}

// New opens the index. Collections that were damaged are dropped, with a line in the log; Damaged lists them.
// Errors: the folder cannot be made or read.
func New(o Options) (*Index, error) { return open(o, func(*layout) {}) }

func open(o Options, shape func(*layout)) (*Index, error) {
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	stop, end := context.WithCancel(context.Background())
	x := &Index{o: o, collections: map[rag.CollectionID]*collection{}, shape: shape, slot: make(chan struct{}, 1), stop: stop, end: end}
	if o.Dir != "" {
		if err := x.openFolder(); err != nil {
			end()
			return nil, err
		}
	}
	return x, nil
}

// Close ends the work in the background and waits for it. What was not checkpointed is lost.
func (x *Index) Close() error {
	x.end()
	x.work.Wait()
	return nil
}

// Wait waits until nothing is left to compact, as long as nobody writes.
func (x *Index) Wait() { x.work.Wait() }

// EnsureCollection makes the collection unless it is there; ModelMismatch when it is there with other dimensions.
func (x *Index) EnsureCollection(_ context.Context, id rag.CollectionID, dims int) error {
	if dims < 1 || dims > maxDims {
		return rag.Errorf(rag.Invalid, "Vectors have 1 to %d dimensions, not %d.", maxDims, dims)
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if c := x.collections[id]; c != nil {
		if c.layout.dims != dims {
			return rag.Errorf(rag.ModelMismatch, "The collection's vectors have %d dimensions, not %d.", c.layout.dims, dims)
		}
		return nil
	}
	c := newCollection(id, dims)
	x.shape(c.layout)
	if x.o.Dir != "" {
		var err error
		if c.files, err = newFolder(x.o.Dir, id, x.o.Logger); err != nil {
			x.o.Logger.Warn("a collection of the index is kept in memory: its folder cannot be made", "collection", id, "error", err)
		}
	}
	x.collections[id] = c
	return nil
}

// maxDims is far above any model's.
const maxDims = 16384

// DropCollection removes the collection; removing one that is not there is no error.
func (x *Index) DropCollection(_ context.Context, id rag.CollectionID) error {
	x.mu.Lock()
	c := x.collections[id]
	delete(x.collections, id)
	x.mu.Unlock()
	if c == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.dropped = true
	if c.files != nil {
		return c.files.remove()
	}
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

// Upsert stores points, each replacing the one with its id whole. Every point is checked before the first is stored, and a reader sees all of them
// or none. The metadata must not be changed afterwards.
func (x *Index) Upsert(ctx context.Context, id rag.CollectionID, points []rag.Point) error {
	c, err := x.collection(id)
	if err != nil {
		return err
	}
	ids := make([]pointID, len(points))
	for i := range points {
		if ids[i], err = check(&points[i], c.layout.dims); err != nil {
			return err
		}
	}
	if err := ctx.Err(); err != nil || len(points) == 0 {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.upsert(ids, points)
	x.compactSoon(c)
	return nil
}

func check(p *rag.Point, dims int) (pointID, error) {
	id, ok := parseID(p.ID)
	if !ok {
		return id, rag.Errorf(rag.Internal, "A point's id is not a UUID in lower case.")
	}
	if err := p.Embedding.Validate(dims); err != nil {
		return id, err
	}
	if len(p.Sparse.Indices) != len(p.Sparse.Values) || !ascending(p.Sparse.Indices) {
		return id, rag.Errorf(rag.Internal, "A sparse vector's indices are not ascending, or not as many as its values.")
	}
	for _, w := range p.Sparse.Values {
		if !(w >= 0 && w <= math.MaxFloat32) {
			return id, rag.Errorf(rag.Internal, "A sparse vector's weight is negative or not finite.")
		}
	}
	return id, nil
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
	ids := make([]pointID, 0, len(chunks))
	for _, chunk := range chunks {
		if id, ok := parseID(chunk); ok {
			ids = append(ids, id)
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.remove(ids)
	x.compactSoon(c)
	return nil
}

// Count is the number of points.
func (x *Index) Count(_ context.Context, id rag.CollectionID) (int, error) {
	c, err := x.collection(id)
	if err != nil {
		return 0, err
	}
	return c.current.Load().live, nil
}

// EachPoint calls f with every point of the collection as it is when the walk begins.
func (x *Index) EachPoint(_ context.Context, id rag.CollectionID, f func(rag.PointRef) error) error {
	c, err := x.collection(id)
	if err != nil {
		return err
	}
	return c.current.Load().each(f)
}

// Collections lists the ids of the collections, sorted.
func (x *Index) Collections(context.Context) ([]rag.CollectionID, error) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return sortedKeys(x.collections), nil
}

// Sizes are the bytes that a collection's segments take, by what they are for; what the head holds is not counted.
type Sizes struct {
	Segments, Points         int
	Vectors, Postings, Other int
}

// Sizes measures a collection.
func (x *Index) Sizes(_ context.Context, id rag.CollectionID) (Sizes, error) {
	c, err := x.collection(id)
	if err != nil {
		return Sizes{}, err
	}
	s := c.current.Load()
	out := Sizes{Segments: len(s.segments), Points: s.live}
	for _, v := range s.segments {
		vectors := len(v.rows) + 4*len(v.scales) + 8*len(v.codes) + 2*len(v.gains)
		postings := len(v.postings) + 4*len(v.terms) + 8*len(v.termEnds) + 4*len(v.termCounts) + 4*len(v.weights) + 4*len(v.weightStarts)
		out.Vectors, out.Postings, out.Other = out.Vectors+vectors, out.Postings+postings, out.Other+len(v.data)-vectors-postings
	}
	return out, nil
}
