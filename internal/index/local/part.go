package local

import (
	"slices"
	"sort"

	"footnote/internal/rag"
	"footnote/internal/simd"
)

// part is some of the points of a head or a segment, on their way into a new segment.
type part interface {
	kept() []uint32 // the points, ascending
	id(i int) pointID
	row(i int) (row []byte, scale float32)
	// code copies the code of a point to its lane of a group; not ok: there is none that is centred by mean.
	code(group []uint64, lane, i int, mean []float32) (gain uint16, ok bool)
	weightsOf(i int) []float32
	runOf(i int) int // ascending with i
	runCount() int
	document(run int) rag.DocumentID
	addColumns(b columnsBuilder, to []int32) // to: the runs' new numbers, −1 for one that is gone
	termIDs() []uint32                       // ascending
	// list appends the postings of the term that is k-th in termIDs, gone points and all.
	list(k int, docs, codes []uint32) ([]uint32, []uint32)
}

// headPart is the first n points of a head, less the dead.
type headPart struct {
	*head
	keep  []uint32
	ids   []uint32
	lists []*headList
}

func newHeadPart(h *head, n int, dead bitset) *headPart {
	p := &headPart{head: h}
	for i := range n {
		if dead == nil || !dead.has(i) {
			p.keep = append(p.keep, uint32(i))
		}
	}
	p.lists = h.terms.all()
	for _, l := range p.lists {
		p.ids = append(p.ids, l.term)
	}
	return p
}

func (p *headPart) kept() []uint32 { return p.keep }
func (p *headPart) row(i int) ([]byte, float32) {
	page, j := p.at(i)
	size := p.head.layout.size
	return page.rows[j*size:][:size], page.scales[j]
}
func (p *headPart) code([]uint64, int, int, []float32) (gain uint16, ok bool) { return 0, false }
func (p *headPart) weightsOf(i int) []float32 {
	page, j := p.at(i)
	return page.weighing[j]
}
func (p *headPart) runOf(i int) int { return p.point(i).run }
func (p *headPart) runCount() int   { return p.point(p.n-1).run + 1 }
func (p *headPart) document(run int) rag.DocumentID {
	return p.point(sort.Search(p.n, func(i int) bool { return p.point(i).run >= run })).document
}
func (p *headPart) addColumns(b columnsBuilder, to []int32) {
	last := -1
	for i := range p.n {
		if point := p.point(i); point.run != last {
			if last = point.run; to[last] >= 0 {
				b.add(uint32(to[last]), point.metadata)
			}
		}
	}
}
func (p *headPart) termIDs() []uint32 { return p.ids }
func (p *headPart) list(k int, docs, codes []uint32) ([]uint32, []uint32) {
	for _, e := range p.lists[k].below(p.n) {
		docs, codes = append(docs, e.doc), append(codes, e.code)
	}
	return docs, codes
}

// segmentPart is a segment's points, less the dead.
type segmentPart struct {
	*segment
	of   *layout
	keep []uint32
	runs []uint32 // each point's run
	c    cursor

	compared []float32 // the mean that the segment's own was compared with
	same     bool
}

func newSegmentPart(seg *segment, l *layout, dead bitset) *segmentPart {
	p := &segmentPart{segment: seg, of: l, keep: make([]uint32, 0, seg.n), runs: make([]uint32, seg.n)}
	for r := range len(seg.runs) - 1 {
		for i := seg.runs[r]; i < seg.runs[r+1]; i++ {
			p.runs[i] = uint32(r)
			if dead == nil || !dead.has(int(i)) {
				p.keep = append(p.keep, i)
			}
		}
	}
	return p
}

func (p *segmentPart) kept() []uint32   { return p.keep }
func (p *segmentPart) id(i int) pointID { return p.ids[i] }
func (p *segmentPart) row(i int) ([]byte, float32) {
	return p.rows[i*p.of.size:][:p.of.size], p.scales[i]
}

func (p *segmentPart) code(group []uint64, lane, i int, mean []float32) (gain uint16, ok bool) {
	if !p.centred(mean) {
		return 0, false
	}
	from := p.codes[i/simd.CodeGroup*simd.CodeGroup*p.of.words+i%simd.CodeGroup:]
	for w := range p.of.words {
		group[w*simd.CodeGroup+lane] = from[w*simd.CodeGroup]
	}
	return p.gains[i], true
}

// centred tells whether the segment's codes are centred by mean. The answer is kept: it is asked for every point.
func (p *segmentPart) centred(mean []float32) bool {
	if p.compared == nil || &p.compared[0] != &mean[0] {
		p.compared, p.same = mean, slices.Equal(p.mean, mean)
	}
	return p.same
}

func (p *segmentPart) weightsOf(i int) []float32 {
	return p.weights[p.weightStarts[i]:p.weightStarts[i+1]]
}
func (p *segmentPart) runOf(i int) int { return int(p.runs[i]) }
func (p *segmentPart) runCount() int   { return len(p.segment.runs) - 1 }
func (p *segmentPart) addColumns(b columnsBuilder, to []int32) {
	b.merge(p.columns, to)
}
func (p *segmentPart) termIDs() []uint32 { return p.terms }
func (p *segmentPart) list(k int, docs, codes []uint32) ([]uint32, []uint32) {
	p.c.open(p.segment, k)
	return p.c.all(docs, codes)
}
