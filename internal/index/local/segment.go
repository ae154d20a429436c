package local

import (
	"bytes"
	"encoding/binary"
	"math"
	"sort"

	"footnote/internal/rag"
)

// segment is a set of points that never changes, as views of its bytes: on the heap, or of a file mapped into memory.
type segment struct {
	data []byte
	file string // its name in the collection's folder; empty while it is only in memory
	sum  uint32
	n    int

	ids    []pointID
	order  []uint32
	scales []float32
	rows   []byte
	mean   []float32 // what was subtracted before the signs were taken; nil: no codes
	codes  []uint64
	gains  []uint16 // of the codes, see encodeCode; as many as there is room for codes
	gain   float64  // their mean

	runs         []uint32 // [runs+1]
	documentEnds []uint32
	documents    []byte
	columns      columns

	weightStarts []uint32
	weights      []float32
	maxWeight    float32
	terms        []uint32
	termEnds     []uint64
	termCounts   []uint32
	postings     []byte
}

// openSegment makes a segment of its bytes. It checks that every section has the size that the counts ask for and that what points into another section stays inside.
// Errors: errDamaged.
func openSegment(data []byte, l *layout) (*segment, error) {
	s, err := readSections(data)
	if err != nil {
		return nil, err
	}
	if s.dims != l.dims || s.points == 0 || s.points > maxSegment || s.runs > s.points {
		return nil, damaged("%d points of %d dimensions in %d runs", s.points, s.dims, s.runs)
	}
	seg := &segment{
		data: data, sum: s.sum, n: s.points,
		ids: view[pointID](s.of[sectionIDs]), order: view[uint32](s.of[sectionOrder]), scales: view[float32](s.of[sectionScales]), rows: s.of[sectionRows],
		mean: view[float32](s.of[sectionMean]), codes: view[uint64](s.of[sectionCodes]), gains: view[uint16](s.of[sectionGains]),
		runs: view[uint32](s.of[sectionRuns]), documentEnds: view[uint32](s.of[sectionDocumentEnds]), documents: s.of[sectionDocuments],
		weightStarts: view[uint32](s.of[sectionWeightStarts]), weights: view[float32](s.of[sectionWeights]),
		terms: view[uint32](s.of[sectionTerms]), termEnds: view[uint64](s.of[sectionTermEnds]), termCounts: view[uint32](s.of[sectionTermCounts]), postings: s.of[sectionPostings],
	}
	n := seg.n
	coded := seg.mean != nil
	switch {
	case len(seg.ids) != n, len(seg.order) != n, len(seg.scales) != n, len(seg.rows) != n*l.size, len(seg.runs) != s.runs+1, len(seg.documentEnds) != s.runs,
		len(seg.weightStarts) != n+1, len(seg.termEnds) != len(seg.terms), len(seg.termCounts) != len(seg.terms), len(seg.postings) < packedPad:
		return nil, damaged("a section has another length than the counts ask for")
	case coded && (len(seg.mean) != l.dims || len(seg.gains) != (n+7)/8*8 || len(seg.codes) != len(seg.gains)*l.words), !coded && len(seg.codes)+len(seg.gains) != 0:
		return nil, damaged("the codes have another length than the counts ask for")
	case !ends(seg.runs, uint32(n), true), !ends(seg.documentEnds, uint32(len(seg.documents)), false), !ends(seg.weightStarts, uint32(len(seg.weights)), false),
		!ends(seg.termEnds, uint64(len(seg.postings)-packedPad), true):
		return nil, damaged("a section's offsets do not ascend to its end")
	}
	for _, w := range seg.weights {
		seg.maxWeight = max(seg.maxWeight, w)
	}
	for _, g := range seg.gains {
		if g > math.MaxInt16 {
			return nil, damaged("a gain is out of bounds")
		}
		seg.gain += float64(g) * gainUnit / float64(n)
	}
	for _, o := range seg.order {
		if int(o) >= n {
			return nil, damaged("the order of ids is out of bounds")
		}
	}
	if seg.columns, err = openColumns(s.of[sectionColumns], s.of[sectionColumnData], s.runs); err != nil {
		return nil, err
	}
	return seg, nil
}

// ends tells whether offsets ascend and the last is end.
func ends[T uint32 | uint64](offsets []T, end T, strictly bool) bool {
	if len(offsets) == 0 {
		return end == 0
	}
	for i := 1; i < len(offsets); i++ {
		if offsets[i] < offsets[i-1] || strictly && offsets[i] == offsets[i-1] {
			return false
		}
	}
	return offsets[len(offsets)-1] == end
}

// find is the place of a point; false when it is not here.
func (s *segment) find(id pointID) (int, bool) {
	// Ids are hashes, so they lie evenly, and a place can be guessed: within some √n at first, within the root of what is left after each correction. Every probe is two cache misses, and an insert asks
	// every segment.
	key := func(id *pointID) int64 { return int64(binary.BigEndian.Uint32(id[:])) }
	wanted := key(&id)
	guess := int(wanted * int64(s.n) >> 32)
	for range 2 {
		guess += int((wanted - key(&s.ids[s.order[guess]])) * int64(s.n) >> 32)
		guess = min(max(guess, 0), s.n-1)
	}
	before := func(i int) bool { return bytes.Compare(s.ids[s.order[i]][:], id[:]) < 0 }
	low, high, step := 0, s.n, 2 // the first that is not before id lies in [low, high]
	if before(guess) {
		for low = guess + 1; low+step < s.n; step *= 2 {
			if !before(low + step) {
				high = low + step
				break
			}
			low += step + 1
		}
	} else {
		for high = guess; high-step >= 0; step *= 2 {
			if before(high - step) {
				low = high - step + 1
				break
			}
			high -= step
		}
	}
	i := low + sort.Search(high-low, func(i int) bool { return !before(low + i) })
	if i < s.n && s.ids[s.order[i]] == id {
		return int(s.order[i]), true
	}
	return 0, false
}

// term is the number of a term; false when no point has it.
func (s *segment) term(id uint32) (int, bool) {
	// Ids are hashes, so they lie evenly: the first guess is near.
	low, high := 0, len(s.terms)
	if high > 0 {
		guess := min(int(uint64(id)*uint64(high)>>32), high-1)
		for step := 64; s.terms[guess] < id && guess+step < high && s.terms[guess+step] < id; step *= 2 {
			guess += step
		}
		if s.terms[guess] < id {
			low = guess + 1
		} else {
			high = guess + 1
		}
	}
	for low < high {
		if mid := (low + high) / 2; s.terms[mid] < id {
			low = mid + 1
		} else {
			high = mid
		}
	}
	return low, low < len(s.terms) && s.terms[low] == id
}

func (s *segment) document(run int) rag.DocumentID {
	from := uint32(0)
	if run > 0 {
		from = s.documentEnds[run-1]
	}
	return rag.DocumentID(s.documents[from:s.documentEnds[run]])
}
