package local

import (
	"sync"

	"footnote/internal/rag"
)

// snapshot is a collection at one moment. It never changes; a writer makes the next one from it. Its segments' files stay mapped for as
// long as it is reachable, so whoever reads it keeps it alive to the end.
type snapshot struct {
	layout   *layout
	segments []segmentView
	head     *head
	length   int // of the head
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
	bits  bitset
	count int
	df    sync.Map // term number → how many of its postings are dead, as far as anyone has asked
}

func (g *graves) number() int {
	if g == nil {
		return 0
	}
	return g.count
}

func (g *graves) has(i int) bool { return g != nil && g.bits.has(i) }

func (g *graves) set() bitset {
	if g == nil {
		return nil
	}
	return g.bits
}

// with is g and one more; a copy, unless g is own.
func (g *graves) with(n, i int, own bool) *graves {
	if g == nil {
		g = &graves{bits: newBitset(n)}
	} else if !own {
		g = &graves{bits: append(bitset(nil), g.bits...), count: g.count}
	}
	g.bits.set(i)
	g.count++
	return g
}

// frequency is how many living points of the view have the term of this number. It is exact: a list is counted against the dead when it is first asked
// for after a deletion.
func (v *segmentView) frequency(term int) int {
	n := int(v.termCounts[term])
	if v.dead == nil {
		return n
	}
	if dead, ok := v.dead.df.Load(term); ok {
		return n - dead.(int)
	}
	c, dead := cursors.Get().(*cursor), 0
	defer cursors.Put(c)
	c.open(v.segment, term)
	for c.block = 0; c.block < c.blocks; c.block++ {
		c.decode()
		for _, doc := range c.docs[:c.n] {
			if v.dead.bits.has(int(doc)) {
				dead++
			}
		}
	}
	v.dead.df.Store(term, dead)
	return n - dead
}

var cursors = sync.Pool{New: func() any { return new(cursor) }}

// allowed are the living points of a view that satisfy filter, and how many; nil when all its points do.
func (v *segmentView) allowed(filter *rag.Filter) (bitset, int) {
	if filter == nil {
		if v.dead == nil {
			return nil, v.n
		}
		b := full(v.n)
		b.andNot(v.dead.bits)
		return b, v.n - v.dead.count
	}
	b := v.spread(v.match(filter))
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
