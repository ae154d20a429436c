package simd

import "sync"

// panel is the number of output columns that a tile holds: two 512-bit registers of float32.
const panel = 32

// maxRows is the height of the tallest tile of any path.
const maxRows = 8

// Packed is the right-hand side of a product, laid out in panels of 32 output columns, [n/32][k][32], so that each step of the
// inner loop reads 128 consecutive bytes. Columns past n are zero.
type Packed struct {
	n, k int
	data []float32
}

// Pack lays out w, [n][k] with a row an output column, as weights are stored.
func Pack(w []float32, n, k int) *Packed {
	p := &Packed{}
	p.Fill(w, k, n, k)
	return p
}

// Fill lays out w again in p's own memory, growing it when needed: rows are stride elements apart, n of them, k long.
func (p *Packed) Fill(w []float32, stride, n, k int) {
	panels := (n + panel - 1) / panel
	p.resize(n, k, panels*panel*k)
	for q := range panels {
		out := p.data[q*panel*k:][:panel*k]
		for j := range panel {
			col := q*panel + j
			if col >= n {
				for i := range k {
					out[i*panel+j] = 0
				}
				continue
			}
			for i, v := range w[col*stride:][:k] {
				out[i*panel+j] = v
			}
		}
	}
}

// FillRows lays out v as the right-hand side itself, [k][n] with n ≤ 32 and rows stride elements apart.
func (p *Packed) FillRows(v []float32, stride, k, n int) {
	if n > panel {
		panic("simd: FillRows takes at most 32 columns")
	}
	p.resize(n, k, panel*k)
	for i := range k {
		row := p.data[i*panel:][:panel]
		clear(row[copy(row, v[i*stride:][:n]):])
	}
}

func (p *Packed) resize(n, k, size int) {
	p.n, p.k = n, k
	if cap(p.data) < size {
		p.data = make([]float32, size)
	}
	p.data = p.data[:size]
}

// scratch holds what the edges of a product need: a tile of A's last rows, and a tile of the result.
type scratch struct {
	a   []float32
	dst [maxRows * panel]float32
}

var scratches = sync.Pool{New: func() any { return new(scratch) }}

var zeroBias [panel]float32

// MatMul computes dst[m][n] = a[m][k]·b + bias. Rows of dst and a are ldd and lda elements apart; bias has n elements, or is nil for
// zeros. dst must not overlap a. Concurrent calls may share b.
func MatMul(dst []float32, ldd int, a []float32, lda int, m int, b *Packed, bias []float32) {
	if m == 0 || b.n == 0 {
		return
	}
	kern := current.Load()
	n, k := b.n, b.k
	_, _ = dst[(m-1)*ldd+n-1], a[(m-1)*lda+k-1] // the kernels do not check
	s := scratches.Get().(*scratch)
	defer scratches.Put(s)
	full := m - m%kern.rows
	if full < m {
		// The last rows go through a whole tile of their own, padded.
		if cap(s.a) < kern.rows*k {
			s.a = make([]float32, kern.rows*k)
		}
		s.a = s.a[:kern.rows*k]
		for r := range kern.rows {
			row := s.a[r*k:][:k]
			if full+r < m {
				copy(row, a[(full+r)*lda:][:k])
			} else {
				clear(row)
			}
		}
	}
	var edge [panel]float32
	for q := 0; q*panel < n; q++ {
		col, width := q*panel, min(panel, n-q*panel)
		pb := &b.data[q*panel*k]
		bp := &zeroBias[0]
		if bias != nil {
			bp = &bias[col]
			if width < panel {
				clear(edge[copy(edge[:], bias[col:][:width]):])
				bp = &edge[0]
			}
		}
		for i := 0; i < full; i += kern.rows {
			if width == panel {
				kern.tile(&dst[i*ldd+col], ldd, &a[i*lda], lda, pb, k, bp)
				continue
			}
			kern.tile(&s.dst[0], panel, &a[i*lda], lda, pb, k, bp)
			for r := range kern.rows {
				copy(dst[(i+r)*ldd+col:][:width], s.dst[r*panel:])
			}
		}
		if full < m {
			kern.tile(&s.dst[0], panel, &s.a[0], k, pb, k, bp)
			for r := range m - full {
				copy(dst[(full+r)*ldd+col:][:width], s.dst[r*panel:])
			}
		}
	}
}
