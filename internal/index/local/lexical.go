package local

import (
	"context"
	"math"
	"runtime"
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

// lexicalSearch scores window by window: the terms whose greatest weights in the window could make a difference add up their postings point after
// point, the others are looked up only for points that may still get among the best (block-max MaxScore: Ding & Suel, SIGIR 2011; Turtle & Flood 1995).
//
// Scores are integers, so that sums do not depend on the order in which terms come: equal texts tie wherever they lie. What a posting adds is rounded up, so a point whose sum is 0 has no term.
type lexicalSearch struct {
	*snapshot
	ctx   context.Context
	best  *top
	terms []queryTerm
	unit  float64 // what 1 is worth
	last  int     // how long the next window is, once there was one
	*lexicalScratch
}

type queryTerm struct {
	id      uint32
	factor  float32 // what a weight counts, in units
	numbers []int32 // in each segment, -1 where it is not
}

// lexicalScratch is memory that searches use again.
type lexicalScratch struct {
	sums    [windowLength]uint32
	chosen  [windowLength / 64]uint64
	points  [windowLength]uint16
	cursors []*cursor
	present []*cursor // those of the terms that the window has
	prefix  []uint32  // sums of their bounds
	numbers []int32   // [terms][segments]: the terms' numbers, -1 where a segment lacks one
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
	l.numbers = l.numbers[:0]
	greatest := float64(0)
	for i := range l.segments {
		greatest = max(greatest, float64(l.segments[i].maxWeight))
	}
	greatest = max(greatest, float64(l.heaviest))
	total := 0.0
	for i, id := range query.Indices {
		df := 0
		for j := range l.segments {
			term, ok := l.segments[j].term(id)
			if ok {
				df += l.segments[j].frequency(term)
			} else {
				term = -1
			}
			l.numbers = append(l.numbers, int32(term))
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
			l.terms = append(l.terms, queryTerm{query.Indices[i], float32(w / l.unit), l.numbers[i*len(l.segments):][:len(l.segments)]})
		}
	}
}

func (l *lexicalSearch) head(filter *rag.Filter) {
	sums := l.sums[:l.length]
	clear(sums)
	seen := newBitset(l.length)
	for _, t := range l.terms {
		for _, p := range l.snapshot.head.list(t.id, l.length) {
			sums[p.doc] += uint32(l.snapshot.head.weight(p)*t.factor) + 1
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
		if term := t.numbers[home]; term >= 0 {
			if used == len(l.cursors) {
				l.cursors = append(l.cursors, new(cursor))
			}
			c := l.cursors[used]
			c.open(seg, int(term))
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
		sum := uint32(0)
		for _, c := range cursors {
			if w, ok := c.weight(uint32(doc)); ok {
				sum += c.worth(w)
			}
		}
		if sum > 0 {
			l.best.offer(found{float64(sum), int32(home), uint32(doc)})
		}
	}
}
