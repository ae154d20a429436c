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
// Small collections and narrow filters are compared row by row; else the codes choose whom to compare, see Options.Rescore.
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
	return s.dense(ctx, v, filter, k, x.o.Rescore)
}

const (
	// rowsPerCode is how many codes are scanned in the time of one row compared, about.
	rowsPerCode = 24
	// What is compared by row unless Options say otherwise: recall@10 stays above .99 also where a collection has two languages, whose passages differ in a direction that
	// the queries of the built-in model lack, and codes tell less (docs/index.md).
	rescoreBase, rescoreShare = 3000, 25
	chunkLength               = 4096 // codes at once: their distances stay in the nearest cache
)

func (s *snapshot) dense(ctx context.Context, v rag.Embedding, filter *rag.Filter, k, rescore int) ([]rag.Candidate, error) {
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
	if rescore <= 0 {
		rescore = rescoreBase + coded/rescoreShare
	}
	rescore = max(rescore, 4*k)
	if permitted <= max(s.layout.exactBelow, rescore+coded/rowsPerCode) {
		for _, i := range d.codes {
			d.exact(i, masks[i])
		}
	} else {
		d.approximate(v, masks, rescore)
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
	distances [chunkLength]uint16
	mask      [chunkLength / 64]uint64
	at        []uint32
	dots      []int64
	near      []near
	histogram []int
}

var denseScratches = sync.Pool{New: func() any { return new(denseScratch) }}

// near is a point whose code is near the query's.
type near struct {
	at       uint32
	distance uint16
}

// rows compares points of a segment row by row.
func (d *denseSearch) rows(home int, at []uint32) {
	seg, scratch := d.segments[home].segment, d.scratch
	if cap(scratch.dots) < len(at) {
		scratch.dots = make([]int64, len(at))
	}
	dots := scratch.dots[:len(at)]
	d.probe.dots(dots, seg.rows, at)
	for i, p := range at {
		d.best.offer(found{d.probe.score(dots[i], seg.scales[p]), int32(home), p})
	}
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

func (d *denseSearch) head(mask bitset) {
	var dot [1]int64
	for i := range mask.each() {
		p, j := d.snapshot.head.at(i)
		d.probe.dots(dot[:], p.rows, []uint32{uint32(j)})
		d.best.offer(found{d.probe.score(dot[0], p.scales[j]), int32(len(d.segments)), uint32(i)})
	}
}

// approximate chooses rescore points by their codes and compares those row by row. All points at the last distance that is needed are
// taken, so the choice does not depend on how the points are spread over segments.
func (d *denseSearch) approximate(v rag.Embedding, masks []bitset, rescore int) {
	l, scratch := d.layout, d.scratch
	p := picker{want: rescore, limit: uint16(3 * 64 * l.words), histogram: scratch.histogram, near: scratch.near[:0]}
	if len(p.histogram) <= int(p.limit) {
		p.histogram = make([]int, int(p.limit)+1)
	}
	clear(p.histogram)
	ends := make([]int, len(d.codes))
	var low, high []uint64
	var mean []float32
	for n, home := range d.codes {
		seg, mask := d.segments[home].segment, masks[home]
		if !slices.Equal(mean, seg.mean) {
			mean = seg.mean
			low, high = codeOf(v, mean, l.words)
		}
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
			distances := scratch.distances[:words*64]
			simd.CodeDistances(distances[:groups*8], seg.codes[from*l.words:][:groups*8*l.words], low, high)
			for i := to - from; i < len(distances); i++ {
				distances[i] = math.MaxUint16
			}
			simd.AtMost(scratch.mask[:words], distances, p.limit)
			for i, w := range scratch.mask[:words] {
				if mask != nil {
					w &= mask[from/64+i]
				}
				for ; w != 0; w &= w - 1 {
					j := i<<6 + bits.TrailingZeros64(w)
					p.take(uint32(from+j), distances[j])
				}
			}
			p.lower()
		}
		ends[n] = len(p.near)
	}
	scratch.histogram, scratch.near = p.histogram, p.near
	from := 0
	for n, home := range d.codes {
		at := scratch.at[:0]
		for _, c := range p.near[from:ends[n]] {
			if c.distance <= p.limit {
				at = append(at, c.at)
			}
		}
		from, scratch.at = ends[n], at
		d.rows(home, at)
	}
}

func empty(words []uint64) bool {
	for _, w := range words {
		if w != 0 {
			return false
		}
	}
	return true
}

// picker finds the distance up to which there are as many points as wanted, by counting them: no order is kept among the points.
type picker struct {
	want      int
	limit     uint16 // nobody beyond it is needed
	histogram []int  // of the distances up to limit
	count     int    // of those up to limit
	near      []near
}

func (p *picker) take(at uint32, distance uint16) {
	p.near = append(p.near, near{at, distance})
	p.histogram[distance]++
	p.count++
}

// lower brings the limit down to what is still needed.
func (p *picker) lower() {
	for p.limit > 0 && p.count-p.histogram[p.limit] >= p.want {
		p.count -= p.histogram[p.limit]
		p.limit--
	}
}

// codeOf is a query of two bits a dimension: low and high bit of a number from 0 to 3, from −1.5 standard deviations to 1.5.
// At 100k points the best ten are found among a third of the candidates that one bit needs; three bits are hardly better than two.
func codeOf(v rag.Embedding, mean []float32, words int) (low, high []uint64) {
	low, high = make([]uint64, words), make([]uint64, words)
	sum := 0.0
	for j, x := range v {
		c := float64(x - mean[j])
		sum += c * c
	}
	step := math.Sqrt(sum / float64(len(v))) // 3 steps over 3 standard deviations
	for j, x := range v {
		c := float64(x - mean[j])
		bit := uint64(1) << (j % 64)
		if c > 0 {
			high[j/64] |= bit
		}
		if c > step || c > -step && c <= 0 {
			low[j/64] |= bit
		}
	}
	return low, high
}
