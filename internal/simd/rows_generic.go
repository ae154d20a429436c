package simd

import (
	"math"
	"unsafe"
)

func quantiseGeneric(dst *uint8, src *float32, n int) (scale, least float32) {
	x, out := unsafe.Slice(src, n), unsafe.Slice(dst, n)
	least, greatest := x[0], x[0]
	for _, v := range x {
		least, greatest = min(least, v), max(greatest, v)
	}
	span := greatest - least
	if span == 0 {
		clear(out)
		return 0, least
	}
	const round = 1<<23 + 1<<22 // adding it rounds to an integer in the low bits
	inverse := 255 / span
	for i, v := range x {
		q := float32((v-least)*inverse) + round
		out[i] = uint8(min(math.Float32bits(q)-math.Float32bits(round), 255))
	}
	return span * inverse255, least
}

// fma is x·y + z rounded once, as the assembly does it. A compiler that fuses these changes nothing: the product is exact in float64.
func fma(x, y, z float32) float32 { return float32(sum(float64(x)*float64(y), z)) }

// sum is p + z, p a product of two float32, so that rounding it again, to float32, gives what rounding once would. It is written to be
// inlined.
func sum(p float64, z float32) (s float64) {
	s = p + float64(z)
	if math.Float64bits(s)<<35 == 1<<63 { // half-way between two float32: what the first rounding took decides
		return offTie(p, z)
	}
	return
}

// offTie moves p + z off the middle between two float32, to the side on which the exact sum lies.
func offTie(p float64, addend float32) float64 {
	z := float64(addend)
	s := p + z
	part := s - p
	rest := (p - (s - part)) + (z - part) // exact: Knuth's TwoSum
	switch {
	case rest > 0:
		return math.Nextafter(s, math.Inf(1))
	case rest < 0:
		return math.Nextafter(s, math.Inf(-1))
	}
	return s
}

// exp2 is 2^x for −126 ≤ x ≤ 127.
func exp2(x float32) float32 {
	const round = 1<<23 + 1<<22
	n := float32(x+round) - round
	f := x - n
	p := exp2c[5]
	for i := 4; i >= 0; i-- {
		p = fma(p, f, exp2c[i])
	}
	return math.Float32frombits(math.Float32bits(p) + uint32(int32(n))<<23)
}

// reduce adds up lanes in the order in which the assembly does: halves onto halves,
// then neighbours.
func reduce(lanes []float32) float32 {
	for n := len(lanes) / 2; n >= 4; n /= 2 {
		for i := range n {
			lanes[i] += lanes[i+n]
		}
	}
	return (lanes[0] + lanes[1]) + (lanes[2] + lanes[3])
}

func expRowGeneric(x *float32, n int, scale float32) float32 {
	row := unsafe.Slice(x, n)
	greatest := row[0]
	for _, v := range row {
		greatest = max(greatest, v)
	}
	var sums [16]float32
	for i, v := range row {
		e := exp2(max(float32((v-greatest)*scale), leastExponent))
		row[i] = e
		sums[i%16] += e
	}
	return reduce(sums[:])
}

func geluGeneric(x *float32, n int) {
	row := unsafe.Slice(x, n)
	for i, v := range row {
		a := max(v, -v)
		b := min(a, geluEnd)
		p := geluc[6]
		for j := 5; j >= 0; j-- {
			p = fma(p, b, geluc[j])
		}
		row[i] = fma(-a, exp2(p), max(v, 0))
	}
}

func addNormGeneric(x, y, w, b *float32, n int, eps float32) {
	row, other, ws, bs := unsafe.Slice(x, n), unsafe.Slice(y, n), unsafe.Slice(w, n), unsafe.Slice(b, n)
	var sums, squares [32]float32
	for i, v := range other {
		row[i] += v
		sums[i%32] += row[i]
	}
	mean := reduce(sums[:]) / float32(n)
	for i, v := range row {
		squares[i%32] = fma(v-mean, v-mean, squares[i%32])
	}
	scale := 1 / float32(math.Sqrt(float64(reduce(squares[:])/float32(n)+eps)))
	for i, v := range row {
		row[i] = fma(ws[i], float32((v-mean)*scale), bs[i])
	}
}

func transposeGeneric(dst, src *float32, stride int) {
	out, in := unsafe.Slice(dst, 32*32), unsafe.Slice(src, 31*stride+32)
	for i := range 32 {
		for j, v := range in[i*stride:][:32] {
			out[j*32+i] = v
		}
	}
}

// int8Generic multiplies tiles of 4 rows by a panel: four columns at a time, so that the sums stay in registers.
func int8Generic(p *int8Panel) {
	k := int(p.quads) * 4
	b := unsafe.Slice(p.b, panel*k)
	scale, sums, bias := (*[panel]float32)(unsafe.Pointer(p.colScale)), (*[panel]float32)(unsafe.Pointer(p.colSum)), (*[panel]float32)(unsafe.Pointer(p.bias))
	rows := int(p.tiles) * 4
	rowScale, rowMin := unsafe.Slice(p.rowScale, rows), unsafe.Slice(p.rowMin, rows)
	for r := range rows {
		a := unsafe.Slice((*uint8)(unsafe.Add(unsafe.Pointer(p.a), uintptr(r)*p.lda)), k)
		out := (*[panel]float32)(unsafe.Add(unsafe.Pointer(p.dst), uintptr(r)*p.ldd))
		for c := 0; c < panel; c += 4 {
			var s0, s1, s2, s3 int32
			at := c * 4
			for i := 0; i+4 <= k; i += 4 {
				x := (*[4]uint8)(a[i:])
				w := (*[16]int8)(b[at:])
				x0, x1, x2, x3 := int32(x[0]), int32(x[1]), int32(x[2]), int32(x[3])
				s0 += x0*int32(w[0]) + x1*int32(w[1]) + x2*int32(w[2]) + x3*int32(w[3])
				s1 += x0*int32(w[4]) + x1*int32(w[5]) + x2*int32(w[6]) + x3*int32(w[7])
				s2 += x0*int32(w[8]) + x1*int32(w[9]) + x2*int32(w[10]) + x3*int32(w[11])
				s3 += x0*int32(w[12]) + x1*int32(w[13]) + x2*int32(w[14]) + x3*int32(w[15])
				at += 4 * panel
			}
			for j, s := range [4]int32{s0, s1, s2, s3} {
				out[c+j] = fma(rowMin[r], sums[c+j], fma(rowScale[r], float32(float32(s)*scale[c+j]), bias[c+j]))
			}
		}
	}
}
