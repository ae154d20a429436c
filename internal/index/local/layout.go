package local

import (
	"encoding/binary"
	"math"

	"footnote/internal/simd"
)

// layout says how the vectors of a collection are stored: rows of integers of one scale a vector, and a code of one bit a dimension.
//
// A row's error shows in the scores. With 13 bits the standard deviation of a score's error is max|v|/(4096·√12), some 1e-5 at 384 dimensions, where eight bits
// give 3e-4; fewer dimensions have greater components, so below 256 a row has 16 bits.
type layout struct {
	dims   int
	padded int  // dims rounded up to 64, the kernels' step
	wide   bool // 16 bits rather than 13
	size   int  // bytes a row
	words  int  // uint64s a code
	limit  int  // greatest magnitude in a query

	headPoints int // when a head is full
	minCoded   int // from how many points on a segment has codes; fewer are compared row by row
	exactBelow int // up to how many points with codes all are compared nevertheless: it takes below a tenth of a millisecond
}

const (
	narrowFrom = 256 // dimensions
	codedFrom  = 128 // a code of fewer bits says too little, and rows are short
)

func newLayout(dims int) layout {
	l := layout{dims: dims, padded: (dims + 63) / 64 * 64, wide: dims < narrowFrom, limit: math.MaxInt16, headPoints: headCap, minCoded: 2048, exactBelow: 4096}
	l.words = l.padded / 64
	if dims < codedFrom || dims > codedTo {
		l.minCoded = math.MaxInt
	}
	if l.size = 2 * l.padded; !l.wide {
		l.size, l.limit = simd.RowBytes(l.padded), simd.MaxQuery13(l.padded)
	}
	return l
}

// encode writes v, finite, to a row and returns its scale: component j is (t+½)·scale for the integer t that the row holds.
func (l *layout) encode(row []byte, v []float32) (scale float32) {
	var top float32
	for _, x := range v {
		top = max(top, x, -x)
	}
	levels := float32(1 << 12)
	if l.wide {
		levels = 1 << 15
	}
	scale = max(top/levels, math.SmallestNonzeroFloat32)
	inverse := 1 / float64(scale)
	half := l.padded / 2
	clear(row)
	for j, x := range v {
		t := int(max(-float64(levels), min(float64(levels)-1, math.Floor(float64(x)*inverse))))
		if l.wide {
			binary.LittleEndian.PutUint16(row[2*j:], uint16(t))
			continue
		}
		row[j] = byte(t >> 5)
		row[l.padded+j%half] |= byte(t>>1&15) << (j / half * 4)
		row[l.padded+half+j/8] |= byte(t&1) << (j % 8)
	}
	return scale
}

// decode is what encode kept of a vector.
func (l *layout) decode(v []float32, row []byte, scale float32) {
	half := l.padded / 2
	for j := range v {
		var t int
		if l.wide {
			t = int(int16(binary.LittleEndian.Uint16(row[2*j:])))
		} else {
			t = int(int8(row[j]))<<5 | int(row[l.padded+j%half]>>(j/half*4)&15)<<1 | int(row[l.padded+half+j/8]>>(j%8)&1)
		}
		v[j] = (float32(t) + 0.5) * scale
	}
}

// probe is a query ready to be compared with rows.
type probe struct {
	*layout
	values []int16 // [padded]
	scale  float64
	half   float64 // ½ Σ values
	slack  float64 // five standard deviations of what the first bytes of a row leave out of a product
}

func (l *layout) probe(v []float32) *probe {
	p := &probe{layout: l, values: make([]int16, l.padded)}
	var top float64
	for _, x := range v {
		top = max(top, math.Abs(float64(x)))
	}
	p.scale = top / float64(l.limit)
	sum, squares := 0, 0
	for j, x := range v {
		p.values[j] = int16(math.Round(float64(x) / p.scale))
		sum += int(p.values[j])
		squares += int(p.values[j]) * int(p.values[j])
	}
	p.half = float64(sum) / 2
	p.slack = 5 * 32 / math.Sqrt(12) * math.Sqrt(float64(squares)) // the five bits that are left out are as good as evenly spread
	return p
}

// dots writes the integer dot products with the rows at, whose scores score makes of them.
func (p *probe) dots(dst []int64, rows []byte, at []uint32) {
	if !p.wide {
		simd.Dots13(dst, p.values, rows, at)
		return
	}
	for i, r := range at {
		row, s := rows[int(r)*p.size:][:p.size], int64(0)
		for j, x := range p.values[:p.dims] {
			s += int64(x) * int64(int16(binary.LittleEndian.Uint16(row[2*j:])))
		}
		dst[i] = s
	}
}

// atMost is the greatest score that a row of 13 bits is likely to have, by the product with its first bytes, see simd.Dots8.
func (p *probe) atMost(first int32, scale float32) float64 {
	return p.scale * float64(scale) * (32*(float64(first)+p.half) + p.slack)
}

func (p *probe) score(dot int64, scale float32) float64 {
	return p.scale * float64(scale) * (float64(dot) + p.half)
}
