package local

import (
	"reflect"
	"slices"
	"sync"
	"sync/atomic"

	"footnote/internal/rag"
)

// A head takes what is inserted until it is full and becomes a segment. It only grows: a reader sees the points below the length that its snapshot
// has, and the writer fills those above. So neither waits for the other.
const (
	headPage = 256
	headCap  = 4096 // points at most: they are scanned one by one when a query comes
)

type head struct {
	layout *layout
	n      int // the writer's
	where  map[pointID]int
	pages  [headCap / headPage]*page
	terms  sync.Map // term → *headList
}

// page is room for headPage points.
type page struct {
	ids      [headPage]pointID
	scales   [headPage]float32
	points   [headPage]headPoint
	rows     []byte
	weighing [headPage][]float32 // each point's distinct weights, ascending
}

type headPoint struct {
	document rag.DocumentID
	metadata rag.Metadata
	run      int // counts the changes of document or metadata: equal for neighbours that share both
}

func newHead(l *layout) *head { return &head{layout: l, where: map[pointID]int{}} }

func (h *head) full() bool { return h.n == h.layout.headPoints }

func (h *head) at(i int) (p *page, j int) { return h.pages[i/headPage], i % headPage }

func (h *head) id(i int) pointID {
	p, j := h.at(i)
	return p.ids[j]
}

func (h *head) point(i int) *headPoint {
	p, j := h.at(i)
	return &p.points[j]
}

// add puts a point, which is checked, at the end. The writer alone calls it.
func (h *head) add(id pointID, point *rag.Point) {
	i := h.n
	if h.pages[i/headPage] == nil {
		h.pages[i/headPage] = &page{rows: make([]byte, headPage*h.layout.size)}
	}
	p, j := h.at(i)
	p.ids[j] = id
	p.scales[j] = h.layout.encode(p.rows[j*h.layout.size:][:h.layout.size], point.Embedding)
	p.points[j] = headPoint{document: point.Document, metadata: point.Metadata}
	if i > 0 {
		last := h.point(i - 1)
		p.points[j].run = last.run
		if last.document != point.Document || !sameMetadata(last.metadata, point.Metadata) {
			p.points[j].run++
		}
	}
	p.weighing[j] = distinct(point.Sparse.Values)
	for k, term := range point.Sparse.Indices {
		list, ok := h.terms.Load(term)
		if !ok {
			list = &headList{}
			h.terms.Store(term, list)
		}
		list.(*headList).add(uint32(i), nearest(p.weighing[j], point.Sparse.Values[k]))
	}
	h.where[id] = i
	h.n++
}

func sameMetadata(a, b rag.Metadata) bool {
	return reflect.ValueOf(a).Pointer() == reflect.ValueOf(b).Pointer() || reflect.DeepEqual(a, b)
}

// maxWeights is how many distinct weights a point may have, so that a code is a byte at most; BM25 gives it one a frequency.
const maxWeights = 256

func distinct(weights []float32) []float32 {
	all := slices.Clone(weights)
	slices.Sort(all)
	all = slices.Compact(all)
	for n := len(all); n > maxWeights; n = len(all) {
		// Too many by far for BM25: every other one goes, but the greatest stays.
		kept := all[:0]
		for i := (n - 1) & 1; i < n; i += 2 {
			kept = append(kept, all[i])
		}
		all = kept
	}
	return slices.Clip(all)
}

// nearest is the code of a weight: the first of all that is not below it.
func nearest(all []float32, w float32) uint32 {
	i, _ := slices.BinarySearch(all, w)
	return uint32(min(i, len(all)-1))
}

// headList is a posting list that grows. Its length is published after what it covers.
type headList struct {
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
	n := l.n.Load() // before the list, which then is long enough
	list := (*l.list.Load())[:n]
	i, _ := slices.BinarySearchFunc(list, uint32(end), func(p headPosting, end uint32) int { return int(p.doc) - int(end) })
	return list[:i]
}

// list is a term's postings before end.
func (h *head) list(term uint32, end int) []headPosting {
	if l, ok := h.terms.Load(term); ok {
		return l.(*headList).below(end)
	}
	return nil
}

func (h *head) weight(p headPosting) float32 {
	page, j := h.at(int(p.doc))
	return page.weighing[j][p.code]
}

// match gives a bit for each of the first n points. Neighbours that share their metadata are asked once.
func (h *head) match(f *rag.Filter, n int) bitset {
	b := newBitset(n)
	last, answer := -1, false
	for i := range n {
		p := h.point(i)
		if p.run != last {
			last, answer = p.run, f.Matches(p.metadata)
		}
		if answer {
			b.set(i)
		}
	}
	return b
}
