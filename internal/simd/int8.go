package simd

import "math"

// RowAlign is what a product's rows are rounded up to: kernels read and write whole groups of rows.
const RowAlign = 4

// Int8 is the right-hand side of a product in 8 bits: weights rounded to symmetric integers per output column, in quads
// [n/32][k/4][32][4], so that a step of the inner loop reads 4 × 32 consecutive weights. Columns past n are zero. It is read-only.
type Int8 struct {
	n, k  int
	data  []int8
	scale []float32 // [n rounded up to 32], the value of one step
	sum   []float32 // [n rounded up to 32], scale·Σ weights: what an offset of all activations adds
	// [n rounded up to 32], 128·Σ weights: what kernels miss that take activations less 128, as signed bytes.
	offset []int32
}

// Columns is the number of output columns that a product writes: n rounded up to whole panels of 32.
func (b *Int8) Columns() int { return len(b.scale) }

// PackInt8 rounds w, [n][k] with a row an output column, to 8 bits and lays it out. k is a multiple of 4.
// Each weight is within half a step, max|w of its row|/254, of what it was.
func PackInt8(w []float32, n, k int) *Int8 {
	b := NewInt8(n, k)
	for col := range n {
		b.SetColumn(col, w[col*k:][:k])
	}
	return b
}

// NewInt8 makes room for n columns of k weights, all zero. SetColumn may be called for different columns at once.
func NewInt8(n, k int) *Int8 {
	if k%4 != 0 || k > 65536 {
		panic("simd: the depth of an 8-bit product is a multiple of 4, and at most 65536 so that no sum overflows")
	}
	panels := (n + panel - 1) / panel
	b := &Int8{n: n, k: k, data: make([]int8, panels*panel*k), scale: make([]float32, panels*panel), sum: make([]float32, panels*panel)}
	b.offset = make([]int32, panels*panel)
	return b
}

// SetColumn rounds one column's k weights to 8 bits.
func (b *Int8) SetColumn(col int, w []float32) {
	var t0, t1, t2, t3 uint32 // without the sign, floats sort as their bits do; four chains hide the comparison's latency
	for i := 0; i < len(w); i += 4 {
		quad := w[i : i+4 : i+4]
		t0 = max(t0, math.Float32bits(quad[0])&^(1<<31))
		t1 = max(t1, math.Float32bits(quad[1])&^(1<<31))
		t2 = max(t2, math.Float32bits(quad[2])&^(1<<31))
		t3 = max(t3, math.Float32bits(quad[3])&^(1<<31))
	}
	top := math.Float32frombits(max(t0, t1, t2, t3))
	if top == 0 {
		return
	}
	const round = 1<<23 + 1<<22 // adding it rounds to an integer in the low bits
	inverse, sum := 127/top, int32(0)
	out := b.data[col/panel*panel*b.k+col%panel*4:]
	for i := 0; i < len(w); i += 4 {
		quad := w[i : i+4 : i+4]
		// The conversions keep a compiler from fusing.
		v0, v1 := int8(math.Float32bits(float32(quad[0]*inverse)+round)), int8(math.Float32bits(float32(quad[1]*inverse)+round))
		v2, v3 := int8(math.Float32bits(float32(quad[2]*inverse)+round)), int8(math.Float32bits(float32(quad[3]*inverse)+round))
		q := out[i*panel:][:4]
		q[0], q[1], q[2], q[3] = v0, v1, v2, v3
		sum += int32(v0) + int32(v1) + int32(v2) + int32(v3)
	}
	b.scale[col] = top / 127
	b.sum[col] = top / 127 * float32(sum)
	b.offset[col] = 128 * sum
}

// int8Panel is what a kernel needs to multiply rows by one panel of 32 columns. The assembly knows its offsets.
type int8Panel struct {
	dst      *float32
	ldd      uintptr // bytes between rows of dst
	a        *uint8
	lda      uintptr // bytes between rows of a
	b        *int8
	quads    uintptr // k/4
	tiles    uintptr // tiles of rows, at least 1
	rowScale *float32
	rowMin   *float32
	colScale *float32
	colSum   *float32
	bias     *float32
	offset   *int32
}

// int8Kernel multiplies tiles of rows by one panel. It changes nothing in p.
type int8Kernel struct {
	rows int
	run  func(p *int8Panel)
}

// Rows are activations in 8 bits: row i stands for Scale[i]·Data[i][…] + Min[i].
type Rows struct {
	Data       []uint8 // [m rounded up to RowAlign][k]
	Scale, Min []float32
	K          int
}

// Resize makes room for m rows of k bytes; what it held is lost.
func (r *Rows) Resize(m, k int) {
	m = (m + RowAlign - 1) / RowAlign * RowAlign
	if cap(r.Data) < m*k {
		r.Data = make([]uint8, m*k)
	}
	if cap(r.Scale) < m {
		r.Scale, r.Min = make([]float32, m), make([]float32, m)
	}
	r.Data, r.Scale, r.Min, r.K = r.Data[:m*k], r.Scale[:m], r.Min[:m], k
}

// Quantise rounds x, k values, to row i: 256 even steps from its least value to its greatest, so that each is within half a step.
// k is a multiple of 32, x is finite.
func (r *Rows) Quantise(i int, x []float32) {
	r.Scale[i], r.Min[i] = current.Load().quantise(&r.Data[i*r.K], &x[0], r.K)
}

// MatMulInt8 computes rows [from, to) of dst = a·b + bias, for the panels [first, last) of 32 columns. Rows of a panel are ldd
// elements apart, panels start panelStride elements apart: 32 for a row-major dst. to−from is rounded up to RowAlign, and dst and a
// reach as far. bias has b.Columns() elements. Integer sums are exact, so paths differ only by the rounding of the last steps.
func MatMulInt8(dst []float32, ldd, panelStride int, a *Rows, from, to int, b *Int8, first, last int, bias []float32) {
	if from >= to || first >= last {
		return
	}
	kern := current.Load()
	to = from + (to-from+RowAlign-1)/RowAlign*RowAlign
	k := b.k
	// The kernels do not check.
	_, _ = dst[(to-1)*ldd+(last-1)*panelStride+panel-1], a.Data[to*k-1]
	_, _, _ = a.Scale[to-1], bias[last*panel-1], b.scale[last*panel-1]
	if a.K != k {
		panic("simd: rows and columns of a product differ in depth")
	}
	p := int8Panels.Get().(*int8Panel)
	defer int8Panels.Put(p)
	p.ldd, p.lda, p.quads = uintptr(4*ldd), uintptr(k), uintptr(k/4)
	for q := first; q < last; q++ {
		p.b, p.colScale, p.colSum, p.bias = &b.data[q*panel*k], &b.scale[q*panel], &b.sum[q*panel], &bias[q*panel]
		p.offset = &b.offset[q*panel]
		row := from
		for _, kernel := range kern.int8 {
			tiles := (to - row) / kernel.rows
			if tiles == 0 {
				continue
			}
			p.dst, p.a, p.tiles = &dst[row*ldd+q*panelStride], &a.Data[row*k], uintptr(tiles)
			p.rowScale, p.rowMin = &a.Scale[row], &a.Min[row]
			kernel.run(p)
			row += tiles * kernel.rows
		}
	}
}
