package local

import (
	"cmp"
	"context"
	"math"
	"math/bits"
	"runtime"
	"slices"
	"sync"

	"footnote/internal/lexical"
	"footnote/internal/rag"
)

// SearchLexical returns the k points with the greatest BM25 among those that satisfy filter and have a term of the query, best first, ties by id.
// query holds the frequencies of its terms; the IDF is of the living points of the collection as it is now, unfiltered.
// Errors: rag.NotFound for an unknown collection; ctx's.
func (x *Index) SearchLexical(ctx context.Context, id rag.CollectionID, query rag.SparseVector, filter *rag.Filter, k int) ([]rag.Candidate, error) {
	c, err := x.collection(id)
	if err != nil {
		return nil, err
	}
	s := c.current.Load()
	defer runtime.KeepAlive(s)
	return s.lexical(ctx, query, filter, k)
}

// windowLength is how many points are scored together: their sums and weights stay in the cache, and whole windows are passed over when no point in them can
// reach the k-th best score.
const windowLength = 4096

// lexicalSearch scores window by window: the terms whose greatest weights in the window could make a difference add up their postings point after
// point, the others are looked up only for points that may still get among the best (block-max MaxScore: Ding & Suel, SIGIR 2011; Turtle & Flood 1995).
//
// Scores are integers, so that sums do not depend on the order in which terms come: equal texts tie wherever they lie.
type lexicalSearch struct {
	*snapshot
	ctx   context.Context
	best  *top
	terms []queryTerm
	unit  float64 // what 1 is worth
	*lexicalScratch
}

type queryTerm struct {
	id     uint32
	factor float32 // what a weight counts, in units
}

// lexicalScratch is memory that searches use again.
type lexicalScratch struct {
	sums    [windowLength]uint32
	touched [windowLength / 64]uint64
	cursors []*cursor
	prefix  []uint32
}

var lexicalScratches = sync.Pool{New: func() any { return new(lexicalScratch) }}

func (s *snapshot) lexical(ctx context.Context, query rag.SparseVector, filter *rag.Filter, k int) ([]rag.Candidate, error) {
	if k <= 0 || s.live == 0 {
		return nil, ctx.Err()
	}
	l := lexicalSearch{snapshot: s, ctx: ctx, best: s.top(k), lexicalScratch: lexicalScratches.Get().(*lexicalScratch)}
	defer lexicalScratches.Put(l.lexicalScratch)
	l.weigh(query)
	if len(l.terms) == 0 {
		return nil, ctx.Err()
	}
	if s.length > 0 {
		l.head(filter) // it is new, and fills the list of the best
	}
	for home := range s.segments {
		l.segment(home, filter)
		if err := ctx.Err(); err != nil {
			return nil, err
		}
	}
	return l.best.candidates(l.unit), nil
}

// weigh finds the terms' IDF and a unit in which no score exceeds 31 bits.
func (l *lexicalSearch) weigh(query rag.SparseVector) {
	weights := make([]float64, len(query.Indices))
	greatest := float64(0)
	for i := range l.segments {
		greatest = max(greatest, float64(l.segments[i].maxWeight))
	}
	greatest = max(greatest, l.headGreatest(query))
	total := 0.0
	for i, id := range query.Indices {
		df := 0
		for j := range l.segments {
			if term, ok := l.segments[j].term(id); ok {
				df += l.segments[j].frequency(term)
			}
		}
		for _, p := range l.snapshot.head.list(id, l.length) {
			if !l.dead.has(int(p.doc)) {
				df++
			}
		}
		if df > 0 && query.Values[i] > 0 {
			weights[i] = float64(query.Values[i]) * lexical.IDF(l.live, df)
			total += weights[i]
		}
	}
	l.unit = max(total*greatest, math.SmallestNonzeroFloat32) / (1 << 30)
	for i, w := range weights {
		if w > 0 {
			l.terms = append(l.terms, queryTerm{query.Indices[i], float32(w / l.unit)})
		}
	}
}

func (l *lexicalSearch) headGreatest(query rag.SparseVector) (greatest float64) {
	for _, id := range query.Indices {
		for _, p := range l.snapshot.head.list(id, l.length) {
			greatest = max(greatest, float64(l.snapshot.head.weight(p)))
		}
	}
	return greatest
}

func (l *lexicalSearch) head(filter *rag.Filter) {
	sums := l.sums[:l.length]
	clear(sums)
	seen := newBitset(l.length)
	for _, t := range l.terms {
		for _, p := range l.snapshot.head.list(t.id, l.length) {
			sums[p.doc] += uint32(l.snapshot.head.weight(p) * t.factor)
			seen.set(int(p.doc))
		}
	}
	seen.and(l.allowedHead(filter))
	for i := range seen.each() {
		l.best.offer(found{float64(sums[i]), int32(len(l.segments)), uint32(i)})
	}
}

func (l *lexicalSearch) segment(home int, filter *rag.Filter) {
	seg := l.segments[home].segment
	used, postings := 0, 0
	for _, t := range l.terms {
		if term, ok := seg.term(t.id); ok {
			if used == len(l.cursors) {
				l.cursors = append(l.cursors, new(cursor))
			}
			c := l.cursors[used]
			c.open(seg, term)
			c.factor = t.factor
			postings += c.count
			used++
		}
	}
	if used == 0 {
		return
	}
	cursors := l.cursors[:used]
	mask, count := l.segments[home].allowed(filter)
	switch {
	case count == 0:
	case mask != nil && count*used*60 < postings:
		l.lookUp(home, cursors, mask)
	default:
		l.windows(home, cursors, mask)
	}
}

// lookUp scores the few points that a narrow filter leaves, one by one.
func (l *lexicalSearch) lookUp(home int, cursors []*cursor, mask bitset) {
	for doc := range mask.each() {
		sum, any := uint32(0), false
		for _, c := range cursors {
			if w, ok := c.weight(uint32(doc)); ok {
				sum += uint32(w * c.factor)
				any = true
			}
		}
		if any {
			l.best.offer(found{float64(sum), int32(home), uint32(doc)})
		}
	}
}

func (l *lexicalSearch) windows(home int, cursors []*cursor, mask bitset) {
	n := l.segments[home].n
	for from := 0; from < n; from += windowLength {
		to := min(from+windowLength, n)
		words := (to - from + 63) / 64
		if mask != nil && empty(mask[from/64:][:words]) {
			continue
		}
		total := uint32(0)
		for _, c := range cursors {
			c.boundIn(uint32(from), uint32(to))
			total += c.bound
		}
		if total == 0 {
			continue
		}
		least := uint32(0)
		if l.best.full() {
			if least = uint32(l.best.least()); total < least {
				continue
			}
		}
		if l.ctx.Err() != nil {
			return
		}
		l.window(home, cursors, mask, from, to, least)
	}
}

// window scores the points [from, to); least is what a score has to reach.
func (l *lexicalSearch) window(home int, cursors []*cursor, mask bitset, from, to int, least uint32) {
	slices.SortFunc(cursors, func(a, b *cursor) int { return cmp.Compare(a.bound, b.bound) })
	// The first few terms together cannot lift a point over least: they are looked up.
	l.prefix = append(l.prefix[:0], 0)
	aside := 0
	for i, c := range cursors {
		l.prefix = append(l.prefix, l.prefix[i]+c.bound)
		if l.prefix[i+1] < least {
			aside = i + 1
		}
	}
	words := (to - from + 63) / 64
	clear(l.sums[:to-from])
	clear(l.touched[:words])
	for _, c := range cursors[aside:] {
		if c.bound > 0 {
			c.addUp(l.sums[:], l.touched[:], uint32(from), uint32(to))
		}
	}
	rest := l.prefix[aside]
	for i, w := range l.touched[:words] {
		if mask != nil {
			w &= mask[from/64+i]
		}
	point:
		for ; w != 0; w &= w - 1 {
			j := i<<6 + bits.TrailingZeros64(w)
			sum := l.sums[j]
			if sum+rest < least {
				continue
			}
			doc := uint32(from + j)
			for t := aside - 1; t >= 0; t-- {
				if sum+l.prefix[t+1] < least {
					continue point
				}
				if cursors[t].bound == 0 {
					continue
				}
				if w, ok := cursors[t].weight(doc); ok {
					sum += uint32(w * cursors[t].factor)
				}
			}
			if sum >= least {
				l.best.offer(found{float64(sum), int32(home), doc})
				if l.best.full() {
					least = uint32(l.best.least())
				}
			}
		}
	}
}

// addUp adds the postings in [from, to) to the sums of the window that begins at from.
func (c *cursor) addUp(sums []uint32, touched []uint64, from, to uint32) {
	if !c.seek(from) {
		return
	}
	weights, starts, factor := c.seg.weights, c.seg.weightStarts, c.factor
	for {
		docs, codes := c.docs[c.at:c.n], c.codes[c.at:c.n]
		for i, doc := range docs {
			if doc >= to {
				c.at += i
				return
			}
			at := (doc - from) & (windowLength - 1)
			sums[at] += uint32(weights[starts[doc]+codes[i]] * factor)
			touched[at>>6] |= 1 << (at & 63)
		}
		if c.block++; c.block == c.blocks {
			return
		}
		if c.last(c.block-1)+1 >= to {
			return
		}
		c.decode()
	}
}
