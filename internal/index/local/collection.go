package local

import (
	"maps"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"footnote/internal/rag"
)

// collection is one collection's writer and its current snapshot. Writers take turns; readers take the snapshot and wait for nobody.
type collection struct {
	id      rag.CollectionID
	layout  *layout
	current atomic.Pointer[snapshot]

	mu         sync.Mutex // one writer at a time
	mean       []float32  // what new codes are centred by; fixed when the first segment with codes is made
	sequence   int64      // of the last checkpoint
	applied    bool       // there was one
	files      *folder    // nil: memory only
	garbage    []string   // files that were merged into others
	changed    bool       // since the last checkpoint
	dropped    bool
	compacting bool
}

func newCollection(id rag.CollectionID, dims int) *collection {
	l := newLayout(dims)
	c := &collection{id: id, layout: &l}
	c.current.Store(&snapshot{layout: &l, head: newHead(&l)})
	return c
}

// draft is the next snapshot in the making.
type draft struct {
	snapshot
	owned map[*graves]bool // made for this draft, so that it may change them
}

func (c *collection) draft() *draft {
	s := c.current.Load()
	d := &draft{*s, map[*graves]bool{}}
	d.segments = slices.Clone(s.segments)
	return d
}

// remove marks a point dead; one that is not there is passed over.
func (d *draft) remove(id pointID) {
	if i, ok := d.head.where[id]; ok {
		d.dead = d.bury(d.dead, headCap, i)
		delete(d.head.where, id)
		return
	}
	// The newest segment first: what is replaced is mostly new.
	for i := len(d.segments) - 1; i >= 0; i-- {
		v := &d.segments[i]
		if at, ok := v.find(id); ok && !v.dead.has(at) {
			v.dead = d.bury(v.dead, v.n, at)
			return
		}
	}
}

func (d *draft) bury(g *graves, n, i int) *graves {
	g = g.with(n, i, d.owned[g])
	d.owned[g] = true
	d.live--
	return g
}

// upsert stores points that have been checked.
func (c *collection) upsert(ids []pointID, points []rag.Point) {
	d := c.draft()
	for i := range points {
		d.remove(ids[i])
		if d.head.full() {
			c.seal(d)
		}
		d.head.add(ids[i], &points[i])
		d.length++
		d.live++
		for _, w := range points[i].Sparse.Values {
			d.heaviest = max(d.heaviest, w)
		}
	}
	c.changed = true
	c.current.Store(&d.snapshot)
}

func (c *collection) remove(ids []pointID) {
	d := c.draft()
	for _, id := range ids {
		d.remove(id)
	}
	c.changed = true
	c.current.Store(&d.snapshot)
}

// seal makes a segment of the draft's head. It cannot fail: a segment that cannot be written to a file stays in memory until the next checkpoint.
func (c *collection) seal(d *draft) {
	if p := newHeadPart(d.head, d.length, d.dead.set()); len(p.keep) > 0 {
		parts := []part{p}
		seg := c.make(c.meanFor(len(p.keep), parts), parts)
		d.segments = append(d.segments, segmentView{segment: seg})
	}
	d.head, d.length, d.heaviest, d.dead = newHead(c.layout), 0, 0, nil
}

// meanFor is what to centre the codes of a new segment of n points by; nil for one without codes.
func (c *collection) meanFor(n int, parts []part) []float32 {
	switch {
	case c.mean != nil && n >= c.layout.minCoded/8: // few are enough, once there is a mean of many
	case n < c.layout.minCoded:
		return nil
	default:
		c.mean = meanOf(c.layout, parts)
	}
	return c.mean
}

// each calls f with every living point.
func (s *snapshot) each(f func(rag.PointRef) error) error {
	defer runtime.KeepAlive(s)
	for i := range s.segments {
		v := &s.segments[i]
		for r := range len(v.runs) - 1 {
			document := v.document(r)
			for at := v.runs[r]; at < v.runs[r+1]; at++ {
				if v.dead.has(int(at)) {
					continue
				}
				if err := f(rag.PointRef{Chunk: v.ids[at].chunk(), Document: document}); err != nil {
					return err
				}
			}
		}
	}
	for i := range s.length {
		if s.dead.has(i) {
			continue
		}
		if err := f(rag.PointRef{Chunk: s.head.id(i).chunk(), Document: s.head.point(i).document}); err != nil {
			return err
		}
	}
	return nil
}

func sortedKeys[V any](m map[rag.CollectionID]V) []rag.CollectionID {
	return slices.Sorted(maps.Keys(m))
}
