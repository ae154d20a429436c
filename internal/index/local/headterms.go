package local

import (
	"slices"
	"sync/atomic"
)

// headTerms finds the posting lists of a head: a hash table whose buckets are linked lists that only grow at the front, so that readers need no lock.
type headTerms struct {
	buckets [1 << headTermBits]atomic.Pointer[headList]
}

const headTermBits = 15 // a full head of real text has some 60,000 terms

func (h *headTerms) bucket(term uint32) *atomic.Pointer[headList] {
	return &h.buckets[term*0x9e3779b1>>(32-headTermBits)]
}

// find is the list of a term; nil: no point has it.
func (h *headTerms) find(term uint32) *headList {
	l := h.bucket(term).Load()
	for l != nil && l.term != term {
		l = l.next
	}
	return l
}

// list is the list of a term, made when it is not there. The writer alone calls it.
func (h *headTerms) list(term uint32) *headList {
	l := h.find(term)
	if l == nil {
		b := h.bucket(term)
		l = &headList{term: term, next: b.Load()}
		b.Store(l)
	}
	return l
}

// all gives every list, by term.
func (h *headTerms) all() (out []*headList) {
	for i := range h.buckets {
		for l := h.buckets[i].Load(); l != nil; l = l.next {
			out = append(out, l)
		}
	}
	slices.SortFunc(out, func(a, b *headList) int { return int(int64(a.term) - int64(b.term)) })
	return out
}

// headList is a posting list that grows. Its length is published after what it covers.
type headList struct {
	term uint32
	next *headList // in the bucket

	n    atomic.Uint32
	list atomic.Pointer[[]headPosting]
}

type headPosting struct{ doc, code uint32 }

func (l *headList) add(doc, code uint32) {
	n := l.n.Load()
	list := l.list.Load()
	if list == nil || int(n) == len(*list) {
		grown := make([]headPosting, max(2, 2*n))
		if list != nil {
			copy(grown, *list)
		}
		list = &grown
		l.list.Store(list)
	}
	(*list)[n] = headPosting{doc, code}
	l.n.Store(n + 1)
}

// below gives the postings of the points before end.
func (l *headList) below(end int) []headPosting {
	if l == nil {
		return nil
	}
	n := l.n.Load() // before the list, which then is long enough
	if n == 0 {
		return nil
	}
	list := (*l.list.Load())[:n]
	i, _ := slices.BinarySearchFunc(list, uint32(end), func(p headPosting, end uint32) int { return int(p.doc) - int(end) })
	return list[:i]
}
