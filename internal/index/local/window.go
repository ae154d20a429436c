package local

import (
	"cmp"
	"math/bits"
	"slices"

	"footnote/internal/simd"
)

// windowLength is how many points are scored together at most: their sums and weights stay in the cache, and whole windows are passed over when no point in them
// can reach the k-th best score. The first windows are shorter, so that there is such a score soon.
const (
	windowLength = 4096
	firstWindow  = 1024
)

// lookUpCost is how many postings are added up in the time of one looked up, about.
const lookUpCost = 8

// windows scores the points of a segment that mask allows; nil is everyone.
func (l *lexicalSearch) windows(home int, cursors []*cursor, mask bitset) {
	n := l.segments[home].n
	for from, to := 0, 0; from < n; from = to {
		to = min(from+l.nextLength(), n)
		if mask != nil && empty(mask[from/64:(to+63)/64]) {
			continue
		}
		least := uint32(0)
		if l.best.full() {
			least = uint32(l.best.least())
		}
		total := uint32(0)
		l.present = l.present[:0]
		for _, c := range cursors {
			if c.boundIn(uint32(from), uint32(to)); c.bound > 0 {
				l.present = append(l.present, c)
				total += c.bound
			}
		}
		if total == 0 || total < least {
			continue
		}
		if l.ctx.Err() != nil {
			return
		}
		l.window(home, mask, from, to, least)
	}
}

// nextLength is how long the next window is.
func (l *lexicalSearch) nextLength() int {
	n := max(firstWindow, l.last)
	l.last = min(2*n, windowLength)
	return n
}

// window scores the points [from, to); least is what a score has to reach.
func (l *lexicalSearch) window(home int, mask bitset, from, to int, least uint32) {
	terms := l.present
	slices.SortFunc(terms, func(a, b *cursor) int { return cmp.Compare(a.bound, b.bound) })
	// The first few terms together cannot lift a point over least: only points that the others bring near it are of interest to them.
	l.prefix = append(l.prefix[:0], 0)
	aside := 0
	for i, c := range terms {
		l.prefix = append(l.prefix, l.prefix[i]+c.bound)
		if l.prefix[i+1] < least {
			aside = i + 1
		}
	}
	words := (to - from + 63) / 64
	clear(l.sums[:words*64])
	for _, c := range terms[aside:] {
		c.addUp(&l.sums, uint32(from), uint32(to))
	}
	points := l.choose(words, atLeast(least, l.prefix[aside]), mask, from)
	for t := aside - 1; t >= 0 && len(points) > 0; t-- {
		if c := terms[t]; c.gathered || len(points)*lookUpCost > c.expected {
			c.addUp(&l.sums, uint32(from), uint32(to))
		} else {
			for _, j := range points {
				if w, ok := c.weight(uint32(from) + uint32(j)); ok {
					l.sums[j] += c.worth(w)
				}
			}
		}
		need, kept := atLeast(least, l.prefix[t]), 0
		for _, j := range points {
			points[kept] = j
			if l.sums[j&(windowLength-1)] >= need {
				kept++
			}
		}
		points = points[:kept]
	}
	for _, j := range points {
		l.best.offer(found{float64(l.sums[j]), int32(home), uint32(from) + uint32(j)})
	}
}

// atLeast is what a sum must have already, when so much at most may come, to be of interest; a point whose sum is 0 has none of the terms.
func atLeast(least, more uint32) uint32 {
	if least <= more {
		return 1
	}
	return least - more
}

// choose lists the points of the window at from, in words of 64, whose sums are need at least and that mask allows.
func (l *lexicalSearch) choose(words int, need uint32, mask bitset, from int) []uint16 {
	simd.AtLeast(l.chosen[:words], l.sums[:words*64], need)
	n := 0
	for i, w := range l.chosen[:words] {
		if mask != nil {
			w &= mask[from/64+i]
		}
		for ; w != 0; w &= w - 1 {
			l.points[n] = uint16(i<<6 + bits.TrailingZeros64(w))
			n++
		}
	}
	return l.points[:n]
}

// boundIn sets bound to what the term can add to the score of a point in [from, to); no posting there: 0. The postings of a window that is within two blocks are gathered, and
// the bound is what the greatest adds; else it comes from the blocks' table.
func (c *cursor) boundIn(from, to uint32) {
	c.bound, c.gathered = 0, false
	if !c.seekBlock(from) {
		return
	}
	last := c.block
	for last+1 < c.blocks && c.last(last)+1 < to {
		last++
	}
	if last-c.block < 2 {
		c.gather(from, to)
		return
	}
	greatest := float32(0)
	for b := c.block; b <= last; b++ {
		greatest = max(greatest, c.greatest(b))
	}
	c.bound, c.expected = c.worth(greatest), (last-c.block)*blockLength
}

// gather takes the postings in [from, to), of two blocks at most, and what each adds.
func (c *cursor) gather(from, to uint32) {
	c.gathered, c.expected = true, 0
	if !c.seek(from) {
		return
	}
	for {
		docs, codes := c.rest(to)
		weights, starts, factor := c.seg.weights, c.seg.weightStarts, c.factor
		at, adds := c.places[c.expected:][:len(docs)], c.adds[c.expected:][:len(docs)]
		for i, doc := range docs {
			add := uint32(weights[starts[doc]+codes[i]]*factor) + 1
			at[i], adds[i] = uint16(doc-from), add
			c.bound = max(c.bound, add)
		}
		c.expected += len(docs)
		if !c.next(to) {
			return
		}
	}
}

// addUp adds the postings in [from, to) to the sums of the window that begins at from.
func (c *cursor) addUp(sums *[windowLength]uint32, from, to uint32) {
	if c.gathered {
		adds := c.adds[:c.expected]
		for i, at := range c.places[:c.expected] {
			sums[at&(windowLength-1)] += adds[i]
		}
		return
	}
	if !c.seek(from) {
		return
	}
	weights, starts, factor := c.seg.weights, c.seg.weightStarts, c.factor
	for {
		docs, codes := c.rest(to)
		for i, doc := range docs {
			sums[(doc-from)&(windowLength-1)] += uint32(weights[starts[doc]+codes[i]]*factor) + 1
		}
		if !c.next(to) {
			return
		}
	}
}

// rest gives what is left before to of the decoded block: points and codes, as many. They are passed.
func (c *cursor) rest(to uint32) (docs, codes []uint32) {
	begin, end := c.at, c.n
	for end > begin && c.docs[end-1] >= to {
		end--
	}
	c.at = end
	return c.docs[begin:end], c.unpackCodes(begin, end)
}

// next decodes the next block if all of the one in hand is passed; false: there is none that begins before to.
func (c *cursor) next(to uint32) bool {
	if c.at < c.n {
		return false
	}
	if c.block++; c.block == c.blocks || c.last(c.block-1)+1 >= to {
		return false
	}
	c.decode()
	return true
}
