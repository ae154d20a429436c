package local

import (
	"math"
	"math/bits"
	"slices"

	"footnote/internal/rag"
	"footnote/internal/simd"
)

const (
	chunkLength   = 4096 // codes at once: their distances stay in the nearest cache
	defaultMargin = 2.5  // standard errors
	// However near to each other a collection's points are, so many are compared at most: 4,096 and one in 16.
	mostRows, mostShare = 4096, 16
	firstRows           = 64 // compared early, to know what is worth a comparison
)

// near is a point whose code is near the query's.
type near struct {
	at   uint32
	home uint16 // its segment
	rank uint16
}

// approximate ranks all that is allowed by its code, and compares row by row whose estimated score is at most margin standard errors below the k-th best that was found: whom that is, a few
// early comparisons tell roughly, and each batch more sharply.
func (d *denseSearch) approximate(v rag.Embedding, masks []bitset, margin float64) {
	if margin <= 0 {
		margin = defaultMargin
	}
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

// promising compares points of a segment by the first bytes of their rows, and row by row those that may be among the best by them. It may change at.
func (d *denseSearch) promising(home int, at []uint32) {
	if d.layout.wide || !d.best.full() {
		d.rows(home, at)
		return
	}
	seg := d.segments[home].segment
	d.scratch.firsts = slices.Grow(d.scratch.firsts[:0], len(at))
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
