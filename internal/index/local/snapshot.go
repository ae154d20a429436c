package local

import (
	"slices"
	"sync"

	"footnote/internal/rag"
)

// snapshot is a collection at one moment. It never changes; a writer makes the next one from it. Its segments' files stay mapped for as
// long as it is reachable, so whoever reads it keeps it alive to the end.
type snapshot struct {
	layout   *layout
	segments []segmentView
	head     *head
	length   int     // of the head
	heaviest float32 // the greatest weight in the head
	dead     *graves
	live     int // points
}

// segmentView is a segment as a snapshot sees it: without the points that are deleted, or that a later one has replaced.
type segmentView struct {
	*segment
	dead *graves // nil: none
}

// graves are the dead points of a segment or a head.
type graves struct {
	bits bitset
	log  []uint32  // the same in the order of their deaths; later graves of the segment go on in the same array
	df   *sync.Map // of all graves of the segment: term number → deadPostings
}

// deadPostings is how many postings of a term are among the first upTo of the log.
type deadPostings struct{ count, upTo int }

func (g *graves) number() int {
	if g == nil {
		return 0
	}
	return len(g.log)
}

func (g *graves) has(i int) bool { return g != nil && g.bits.has(i) }

func (g *graves) set() bitset {
	if g == nil {
		return nil
	}
	return g.bits
}

// gravesOf has the bits that are set.
func gravesOf(bits bitset) *graves {
	g := &graves{bits: bits, df: new(sync.Map)}
	for i := range bits.each() {
		g.log = append(g.log, uint32(i))
	}
	return g
}

// with is g and one more; a copy, unless g is own. There is one writer, so g is continued once.
func (g *graves) with(n, i int, own bool) *graves {
	if g == nil {
		g = gravesOf(newBitset(n))
	} else if !own {
		g = &graves{append(bitset(nil), g.bits...), g.log, g.df}
	}
	g.bits.set(i)
	g.log = append(g.log, uint32(i))
	return g
}

// frequency is how many living points of the view have the term of this number. It is exact: a list is counted against those that died since it
// was last asked for.
func (v *segmentView) frequency(term int) int {
	n := int(v.termCounts[term])
	if v.dead == nil {
		return n
	}
	var dead deadPostings
	if known, ok := v.dead.df.Load(term); ok {
		dead = known.(deadPostings)
	}
	if dead.upTo >= len(v.dead.log) { // a later snapshot may have asked already
		return n - dead.count
	}
	c := cursors.Get().(*cursor)
	defer cursors.Put(c)
	c.open(v.segment, term)
	if fresh := v.dead.log[dead.upTo:]; len(fresh) < c.blocks {
		fresh = slices.Clone(fresh)
		slices.Sort(fresh)
		for _, doc := range fresh {
			if c.seek(doc) && c.docs[c.at] == doc {
				dead.count++
			}
		}
	} else {
		dead.count = 0
		for c.block = 0; c.block < c.blocks; c.block++ {
			c.decode()
			for _, doc := range c.docs[:c.n] {
				if v.dead.bits.has(int(doc)) {
					dead.count++
				}
			}
		}
	}
	dead.upTo = len(v.dead.log)
	v.dead.df.Store(term, dead)
	return n - dead.count
}

var cursors = sync.Pool{New: func() any { return new(cursor) }}

// allowed are the living points of a view that satisfy filter, and how many; nil when all its points do.
func (v *segmentView) allowed(filter *rag.Filter) (bitset, int) {
	var runs bitset
	if filter != nil {
		if runs = v.match(filter); runs.count() == len(v.runs)-1 {
			runs = nil // all of them: nothing to spread
		}
	}
	if runs == nil {
		if v.dead == nil {
			return nil, v.n
		}
		b := full(v.n)
		b.andNot(v.dead.bits)
		return b, v.n - v.dead.number()
	}
	b := v.spread(runs)
	if v.dead != nil {
		b.andNot(v.dead.bits)
	}
	return b, b.count()
}

// allowedHead is the same for the head; never nil.
func (s *snapshot) allowedHead(filter *rag.Filter) bitset {
	var b bitset
	if filter == nil {
		b = full(s.length)
	} else {
		b = s.head.match(filter, s.length)
	}
	if s.dead != nil {
		b.andNot(s.dead.bits[:len(b)])
	}
	return b
}
