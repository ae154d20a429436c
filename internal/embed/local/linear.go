package local

import "footnote/internal/simd"

// Precision is the arithmetic of the linear layers; attention, LayerNorm and GELU are in float32 in any case.
type Precision int

const (
	// Int8 has weights in 8 bits per output channel and activations in 8 bits per token.
	Int8 Precision = iota
	// Float32 is the exact reference, several times slower.
	Float32
)

// linear is a layer y = x·Wᵀ + bias.
type linear struct {
	int8  *simd.Int8 // one of the two
	exact *simd.Packed
	bias  []float32 // [columns]
	in    int
}

// newLinear packs n output rows of k weights, which row writes into the slice that it is given.
func newLinear(p Precision, n, k int, bias []float32, row func(i int, dst []float32)) *linear {
	l := &linear{in: k}
	buffer := make([]float32, k)
	if p == Float32 {
		l.exact = simd.NewPacked(n, k)
		for i := range n {
			row(i, buffer)
			l.exact.SetColumn(i, buffer)
		}
	} else {
		l.int8 = simd.NewInt8(n, k)
		for i := range n {
			row(i, buffer)
			l.int8.SetColumn(i, buffer)
		}
	}
	l.bias = make([]float32, (n+31)/32*32)
	copy(l.bias, bias)
	return l
}

// activations are a layer's input: float32 rows, and the same in 8 bits unless the arithmetic is exact.
type activations struct {
	values []float32 // [rows][width]
	bytes  simd.Rows
	width  int
}

func (a *activations) resize(rows, width int) {
	a.width = width
	a.values = sized(a.values, rows*width)
	a.bytes.Resize(rows, width)
}

func (a *activations) row(i int) []float32 { return a.values[i*a.width:][:a.width] }

func (a *activations) quantise(p Precision, i int) {
	if p == Int8 {
		a.bytes.Quantise(i, a.row(i))
	}
}

// apply writes the first rows of panels [first, last) of the layer's output; see simd.MatMul for dst's layout.
func (l *linear) apply(dst []float32, ldd, panelStride int, x *activations, rows, first, last int) {
	if l.int8 != nil {
		simd.MatMulInt8(dst, ldd, panelStride, &x.bytes, 0, rows, l.int8, first, last, l.bias)
		return
	}
	simd.MatMul(dst, ldd, panelStride, x.values, l.in, 0, rows, l.exact, first, last, nil, l.bias)
}

// sized returns b with n elements, in new memory when it has too little; what it held is lost.
func sized(b []float32, n int) []float32 {
	if cap(b) < n {
		return make([]float32, n)
	}
	return b[:n]
}
