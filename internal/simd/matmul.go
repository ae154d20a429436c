package simd

import "sync"

// panel is the number of output columns that a kernel computes together: two 512-bit registers of float32.
const panel = 32

// Packed is the right-hand side of a product in float32, laid out in panels of 32 output columns, [n/32][k][32], so that each step of
// the inner loop reads 128 consecutive bytes. Columns past n are zero.
type Packed struct {
	n, k int
	data []float32
}

// Columns is the number of output columns that a product writes: n rounded up to whole panels of 32.
func (p *Packed) Columns() int { return (p.n + panel - 1) / panel * panel }

// NewPacked makes room for n columns of k weights, all zero. SetColumn may be called for different columns at once.
func NewPacked(n, k int) *Packed {
	return &Packed{n, k, make([]float32, (n+panel-1)/panel*panel*k)}
}

// Pack lays out w, [n][k] with a row an output column, as weights are stored.
func Pack(w []float32, n, k int) *Packed {
	p := NewPacked(n, k)
	for col := range n {
		p.SetColumn(col, w[col*k:][:k])
	}
	return p
}

// SetColumn lays out one column's k weights.
func (p *Packed) SetColumn(col int, w []float32) {
	out := p.data[col/panel*panel*p.k+col%panel:]
	for i, v := range w {
		out[i*panel] = v
	}
}

// Panels views data, which is laid out already, as [n/32][k][32].
func Panels(data []float32, n, k int) Packed {
	return Packed{n, k, data[:(n+panel-1)/panel*panel*k]}
}

// float32Panel is what a kernel needs to multiply rows by one panel of 32 columns. The assembly knows its offsets.
type float32Panel struct {
	dst        *float32
	ldd        uintptr // bytes between rows of dst
	a          *float32
	lda        uintptr // bytes between rows of a
	b          *float32
	k          uintptr
	tiles      uintptr // tiles of rows, at least 1
	factor     *float32
	factorStep uintptr // bytes between the factors of two rows: 4, or 0 when all rows have the same
	bias       *float32
}

// float32Kernel multiplies tiles of rows by one panel. It changes nothing in p.
type float32Kernel struct {
	rows int
	run  func(p *float32Panel)
}

// A kernel is called through a variable, so its argument lives on the heap; it is used again.
var (
	float32Panels = sync.Pool{New: func() any { return new(float32Panel) }}
	int8Panels    = sync.Pool{New: func() any { return new(int8Panel) }}
)

var (
	zeroBias [panel]float32
	oneRow   = [1]float32{1}
)

// MatMul computes rows [from, to) of dst = factor·(a·b) + bias, for the panels [first, last) of 32 columns. Rows of a are lda elements
// apart; rows of a panel of dst are ldd apart, and panels start panelStride apart: 32 for a row-major dst. to−from is rounded up to
// RowAlign, and dst, a and factor reach as far. factor has one element a row and is nil for ones; bias has b.Columns() and is nil for
// zeros. dst must not overlap a. Concurrent calls may share b.
func MatMul(dst []float32, ldd, panelStride int, a []float32, lda, from, to int, b *Packed, first, last int, factor, bias []float32) {
	if from >= to || first >= last {
		return
	}
	kern, k := current.Load(), b.k
	to = from + (to-from+RowAlign-1)/RowAlign*RowAlign
	// The kernels do not check.
	_, _, _ = dst[(to-1)*ldd+(last-1)*panelStride+panel-1], a[(to-1)*lda+k-1], b.data[last*panel*k-1]
	p := float32Panels.Get().(*float32Panel)
	defer float32Panels.Put(p)
	p.ldd, p.lda, p.k = uintptr(4*ldd), uintptr(4*lda), uintptr(k)
	p.factorStep = 0
	if factor != nil {
		_ = factor[to-1]
		p.factorStep = 4
	}
	for q := first; q < last; q++ {
		p.b, p.bias = &b.data[q*panel*k], &zeroBias[0]
		if bias != nil {
			p.bias = &bias[q*panel : q*panel+panel][0]
		}
		row := from
		for _, kernel := range kern.float32 {
			tiles := (to - row) / kernel.rows
			if tiles == 0 {
				continue
			}
			p.dst, p.a, p.tiles, p.factor = &dst[row*ldd+q*panelStride], &a[row*lda], uintptr(tiles), &oneRow[0]
			if factor != nil {
				p.factor = &factor[row]
			}
			kernel.run(p)
			row += tiles * kernel.rows
		}
	}
}
