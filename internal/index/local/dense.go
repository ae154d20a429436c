package local

import (
	"context"
	"runtime"
	"slices"
	"sync"

	"footnote/internal/rag"
	"footnote/internal/simd"
)

// SearchDense returns the k points nearest to v by cosine among those that satisfy filter, best first, ties by id. Scores are within 1e-4 of the exact cosine.
// Small collections and narrow filters are compared row by row; else the codes choose whom to compare, see Options.Margin.
// Errors: rag.NotFound for an unknown collection; the vector's own; ctx's.
func (x *Index) SearchDense(ctx context.Context, id rag.CollectionID, v rag.Embedding, filter *rag.Filter, k int) ([]rag.Candidate, error) {
	c, err := x.collection(id)
	if err != nil {
		return nil, err
	}
	if err := v.Validate(c.layout.dims); err != nil {
		return nil, err
	}
	s := c.current.Load()
	defer runtime.KeepAlive(s)
	return s.dense(ctx, v, filter, k, x.o.Margin)
}

// A code is scanned in the 24th part of the time of one row compared, about, and some 1,000 rows are compared all the same: below that, codes save nothing.
const rowsPerCode, usualRows = 24, 1000

func (s *snapshot) dense(ctx context.Context, v rag.Embedding, filter *rag.Filter, k int, margin float64) ([]rag.Candidate, error) {
	if k <= 0 || s.live == 0 {
		return nil, ctx.Err()
	}
	d := denseSearch{ctx: ctx, snapshot: s, probe: s.layout.probe(v), best: s.top(k), scratch: denseScratches.Get().(*denseScratch)}
	defer denseScratches.Put(d.scratch)
	if s.length > 0 {
		d.head(s.allowedHead(filter))
	}
	masks := make([]bitset, len(s.segments))
	coded, permitted := 0, 0
	for i := range s.segments {
		view := &s.segments[i]
		mask, count := view.allowed(filter)
		switch {
		case count == 0:
		case view.mean == nil:
			d.exact(i, mask)
		default:
			masks[i] = mask
			coded += view.n
			permitted += count
			d.codes = append(d.codes, i)
		}
	}
	if permitted <= max(s.layout.exactBelow, max(usualRows, 4*k)+coded/rowsPerCode) {
		for _, i := range d.codes {
			d.exact(i, masks[i])
		}
	} else {
		d.approximate(v, masks, margin)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return d.best.candidates(1), nil
}

type denseSearch struct {
	ctx context.Context
	*snapshot
	probe   *probe
	best    *top
	codes   []int // the segments with codes that have a point that is allowed
	scratch *denseScratch
}

// denseScratch is memory that searches use again.
type denseScratch struct {
	ranks     [chunkLength]uint16
	mask      [chunkLength / 64]uint64
	histogram [simd.MaxRank + 1]int32
	at        []uint32
	dots      []int64
	firsts    []int32
	near      []near
}

var denseScratches = sync.Pool{New: func() any { return new(denseScratch) }}

// rows compares points of a segment row by row.
func (d *denseSearch) rows(home int, at []uint32) {
	seg := d.segments[home].segment
	for i, dot := range d.dots(seg.rows, at) {
		d.best.offer(found{d.probe.score(dot, seg.scales[at[i]]), int32(home), at[i]})
	}
}

// dots are the products with the rows at; they are good until the next.
func (d *denseSearch) dots(rows []byte, at []uint32) []int64 {
	d.scratch.dots = slices.Grow(d.scratch.dots[:0], len(at))
	dots := d.scratch.dots[:len(at)]
	d.probe.dots(dots, rows, at)
	return dots
}

// exact compares all that mask allows; nil is everyone.
func (d *denseSearch) exact(home int, mask bitset) {
	const batch = 1024
	n, at := d.segments[home].n, d.scratch.at[:0]
	flush := func() bool {
		d.rows(home, at)
		at = at[:0]
		return d.ctx.Err() == nil
	}
	if mask == nil {
		for i := range n {
			if at = append(at, uint32(i)); len(at) == batch && !flush() {
				return
			}
		}
	} else {
		for i := range mask.each() {
			if at = append(at, uint32(i)); len(at) == batch && !flush() {
				return
			}
		}
	}
	flush()
	d.scratch.at = at
}

// head compares all that mask allows of the head, page by page.
func (d *denseSearch) head(mask bitset) {
	const words = headPage / 64
	home := int32(len(d.segments))
	for from := 0; from < len(mask); from += words {
		at := d.scratch.at[:0]
		for i := range mask[from:min(from+words, len(mask))].each() {
			at = append(at, uint32(i))
		}
		d.scratch.at = at
		if len(at) == 0 {
			continue
		}
		first := from * 64
		p, _ := d.snapshot.head.at(first)
		for i, dot := range d.dots(p.rows, at) {
			d.best.offer(found{d.probe.score(dot, p.scales[at[i]]), home, uint32(first) + at[i]})
		}
	}
}
