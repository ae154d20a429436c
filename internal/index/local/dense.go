package local

import (
	"context"
	"math"
	"math/bits"
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

const (
	// A code is scanned in the 24th part of the time of one row compared, about, and some 1,000 rows are compared all the same: below that, codes save nothing.
	rowsPerCode, usualRows = 24, 1000
	chunkLength            = 4096 // codes at once: their distances stay in the nearest cache
	defaultMargin          = 2.25 // standard errors
	// However near to each other a collection's points are, so many are compared at most: 4,096 and one in 16.
	mostRows, mostShare = 4096, 16
	firstRows           = 64 // compared early, to know what is worth a comparison
)

func (s *snapshot) dense(ctx context.Context, v rag.Embedding, filter *rag.Filter, k int, margin float64) ([]rag.Candidate, error) {
	if k <= 0 || s.live == 0 {
		return nil, ctx.Err()
	}
	d := denseSearch{ctx: ctx, snapshot: s, probe: s.layout.probe(v), best: s.top(k), scratch: denseScratches.Get().(*denseScratch)}
	defer denseScratches.Put(d.scratch)
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
		if margin <= 0 {
			margin = defaultMargin
		}
		d.approximate(v, masks, margin)
	}
	if s.length > 0 {
		d.head(s.allowedHead(filter))
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

// near is a point whose code is near the query's.
type near struct {
	at   uint32
	home uint16 // its segment
	rank uint16
}

// rows compares points of a segment row by row.
func (d *denseSearch) rows(home int, at []uint32) {
	seg := d.segments[home].segment
	for i, dot := range d.dots(seg.rows, at) {
		d.best.offer(found{d.probe.score(dot, seg.scales[at[i]]), int32(home), at[i]})
	}
}

// dots are the products with the rows at; they are good until the next.
func (d *denseSearch) dots(rows []byte, at []uint32) []int64 {
	if cap(d.scratch.dots) < len(at) {
		d.scratch.dots = make([]int64, len(at))
	}
	dots := d.scratch.dots[:len(at)]
	d.probe.dots(dots, rows, at)
	return dots
}

// promising compares points of a segment by the first bytes of their rows, and row by row those that may be among the best by them. It may change at.
func (d *denseSearch) promising(home int, at []uint32) {
	if d.layout.wide || !d.best.full() {
		d.rows(home, at)
		return
	}
	seg := d.segments[home].segment
	if cap(d.scratch.firsts) < len(at) {
		d.scratch.firsts = make([]int32, len(at))
	}
	firsts := d.scratch.firsts[:len(at)]
	simd.Dots8(firsts, d.probe.values, seg.rows, at)
	kept, least := at[:0], d.best.least()
	for i, first := range firsts {
		if d.probe.atMost(first, seg.scales[at[i]]) >= least {
			kept = append(kept, at[i])
		}
	}
	d.rows(home, kept)
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

// approximate ranks all that is allowed by its code, and compares row by row whose estimated score is at most margin standard errors below the k-th best that was found: whom that is, a few
// early comparisons tell roughly, and each batch more sharply.
func (d *denseSearch) approximate(v rag.Embedding, masks []bitset, margin float64) {
	l, scratch := d.layout, d.scratch
	query := l.codeQuery(v)
	points, gains := 0, 0.0
	for _, home := range d.codes {
		seg := d.segments[home].segment
		points += seg.n
		gains += seg.gain * float64(seg.n)
	}
	p := picker{denseSearch: d, query: query, reach: margin * errorGain * gains / float64(points) * query.norm, want: max(4*d.best.k, mostRows+points/mostShare), limit: simd.MaxRank,
		histogram: &scratch.histogram, near: scratch.near[:0]}
	clear(p.histogram[:])
	scanned, refine := 0, chunkLength
	for _, home := range d.codes {
		seg, mask := d.segments[home].segment, masks[home]
		base := query.base(seg.mean)
		for from := 0; from < seg.n; from += chunkLength {
			if d.ctx.Err() != nil {
				return
			}
			to := min(from+chunkLength, seg.n)
			groups := (to - from + 7) / 8
			words := (to - from + 63) / 64
			if mask != nil && empty(mask[from/64:][:words]) {
				continue
			}
			ranks := scratch.ranks[:words*64]
			simd.CodeDistances(ranks[:groups*8], seg.codes[from*l.words:][:groups*8*l.words], query.planes)
			simd.Rank(ranks[:groups*8], seg.gains[from:][:groups*8], query.centre, base, query.shift)
			for i := to - from; i < len(ranks); i++ {
				ranks[i] = math.MaxUint16
			}
			simd.AtMost(scratch.mask[:words], ranks, p.limit)
			for i, w := range scratch.mask[:words] {
				if mask != nil {
					w &= mask[from/64+i]
				}
				for ; w != 0; w &= w - 1 {
					j := i<<6 + bits.TrailingZeros64(w)
					p.take(near{uint32(from + j), uint16(home), ranks[j]})
				}
			}
			p.lower()
			if scanned += to - from; scanned >= refine {
				p.compare(max(firstRows, 2*d.best.k))
				refine = 4 * scanned
			}
		}
	}
	for batch := max(firstRows, 2*d.best.k); len(p.near) > 0 && d.ctx.Err() == nil; batch *= 4 {
		p.compare(batch)
	}
	scratch.near = p.near
}

func empty(words []uint64) bool {
	for _, w := range words {
		if w != 0 {
			return false
		}
	}
	return true
}

// picker keeps the points that may be worth a comparison, in the order of the scan, and counts them by rank, so that no other order is needed.
type picker struct {
	*denseSearch
	query     *codeQuery
	reach     float64 // how far an estimate may be below the k-th best score
	want      int     // comparisons at most, about
	limit     uint16  // nobody beyond it is needed
	near      []near  // not compared yet; some may be beyond the limit by now
	histogram *[simd.MaxRank + 1]int32
	count     int // of near up to the limit
	compared  int
}

func (p *picker) take(n near) {
	p.near = append(p.near, n)
	p.histogram[n.rank]++
	p.count++
}

// lower brings the limit down to what is still needed.
func (p *picker) lower() {
	for p.limit > 0 && p.compared+p.count-int(p.histogram[p.limit]) >= p.want {
		p.drop()
	}
}

func (p *picker) drop() {
	p.count -= int(p.histogram[p.limit])
	p.limit--
}

// compare compares at least n of the points kept, the nearest and all of one rank, lowers the limit by what they tell, and forgets those beyond it.
func (p *picker) compare(n int) {
	to, sum := uint16(0), int(p.histogram[0])
	for sum < n && to < p.limit {
		to++
		sum += int(p.histogram[to])
	}
	clear(p.histogram[:to+1])
	p.count -= sum
	p.compared += sum
	p.scratch.at = slices.Grow(p.scratch.at[:0], len(p.near))
	at, kept := p.scratch.at[:len(p.near)], 0
	for i := 0; i < len(p.near); {
		home, chosen := p.near[i].home, 0
		for ; i < len(p.near) && p.near[i].home == home; i++ {
			// Which of the two it is, or neither, cannot be foretold: so both are written, and counted without a branch.
			c := p.near[i]
			at[chosen], p.near[kept] = c.at, c
			beyond := int(uint32(int32(to)-int32(c.rank)) >> 31)
			chosen += 1 - beyond
			kept += beyond &^ int(uint32(int32(p.limit)-int32(c.rank))>>31)
		}
		if chosen > 0 {
			p.promising(int(home), at[:chosen])
		}
	}
	p.near = p.near[:kept]
	if !p.best.full() {
		return
	}
	for limit := p.query.rank(p.best.least() - p.reach); int32(p.limit) > limit; {
		p.drop()
	}
}
