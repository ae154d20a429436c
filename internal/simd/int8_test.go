package simd

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// checkInt8 compares a product with its definition on the very integers, computed in float64.
func checkInt8(t *testing.T, r *rand.Rand, m, n, k int, extreme bool) {
	t.Helper()
	w, x := random(r, n*k), random(r, m*k)
	if extreme { // the greatest sums that the integers allow
		for i := range w {
			w[i] = 1
		}
		for i := range x {
			x[i] = 3
			if i%k == 0 {
				x[i] = 0
			}
		}
	}
	b := PackInt8(w, n, k)
	var a Rows
	a.Resize(m, k)
	for i := range m {
		// The definition of the rounding, whatever the path: quantise is tested by itself.
		a.Scale[i], a.Min[i] = quantiseGeneric(&a.Data[i*k], &x[i*k], k)
	}
	bias := make([]float32, b.Columns())
	copy(bias, random(r, n))
	rows, ldd := len(a.Scale), b.Columns()+r.IntN(3)*32
	const guard = -12345
	dst := make([]float32, rows*ldd+9)
	for i := range dst {
		dst[i] = guard
	}
	MatMulInt8(dst, ldd, 32, &a, 0, m, b, 0, b.Columns()/32, bias)
	for i := range m {
		for j := range n {
			sum, weights := int64(0), int64(0)
			for c := range k {
				q := int64(b.data[j/32*32*k+c/4*128+j%32*4+c%4])
				sum += int64(a.Data[i*k+c]) * q
				weights += q
			}
			scale := float64(b.scale[j])
			want := float64(a.Scale[i])*scale*float64(sum) + float64(a.Min[i])*scale*float64(weights) + float64(bias[j])
			size := math.Abs(float64(a.Scale[i])*scale*float64(sum)) + math.Abs(float64(a.Min[i])*scale*float64(weights)) + math.Abs(float64(bias[j]))
			if got := float64(dst[i*ldd+j]); math.Abs(got-want) > 4e-7*size {
				t.Fatalf("%d×%d×%d at %d,%d: got %g, want %g", m, n, k, i, j, got, want)
			}
		}
		for j := b.Columns(); j < ldd; j++ {
			if dst[i*ldd+j] != guard {
				t.Fatalf("%d×%d×%d wrote past row %d", m, n, k, i)
			}
		}
	}
	for _, v := range dst[rows*ldd:] {
		if v != guard {
			t.Fatalf("%d×%d×%d wrote past the last row", m, n, k)
		}
	}
}

func TestMatMulInt8_EveryPathAgreesWithTheDefinition(t *testing.T) {
	eachPath(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(1, 8))
		for m := 1; m <= 26; m++ { // every mixture of tiles
			checkInt8(t, r, m, 33, 36, false)
		}
		for _, s := range [][3]int{{1, 1, 4}, {12, 32, 384}, {13, 100, 1536}, {25, 64, 12}, {5, 7, 4096}} {
			checkInt8(t, r, s[0], s[1], s[2], false)
			checkInt8(t, r, s[0], s[1], s[2], true)
		}
	})
}

func FuzzMatMulInt8(f *testing.F) {
	f.Add(uint8(3), uint8(40), uint8(7), uint64(1), false)
	f.Add(uint8(25), uint8(64), uint8(200), uint64(2), true)
	f.Fuzz(func(t *testing.T, m, n, k uint8, seed uint64, extreme bool) {
		eachPath(t, func(t *testing.T) {
			checkInt8(t, rand.New(rand.NewPCG(seed, 0)), int(m)+1, int(n)+1, 4*int(k)+4, extreme)
		})
	})
}

// Random shapes, the greatest sums among them, where no fuzzing goes: under emulation.
func TestMatMulInt8_RandomShapesGiveTheSameBits(t *testing.T) {
	results := map[string][]float32{}
	eachPath(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(4, 8))
		for range 100 {
			m, n, k := 1+r.IntN(30), 1+r.IntN(100), 4+4*r.IntN(100)
			checkInt8(t, r, m, n, k, r.IntN(4) == 0)
			var a Rows
			a.Resize(m, k)
			for i := range a.Data {
				a.Data[i] = uint8(r.Uint32())
			}
			for i := range a.Scale {
				a.Scale[i], a.Min[i] = r.Float32(), r.Float32()-0.5
			}
			b := PackInt8(random(r, n*k), n, k)
			dst := make([]float32, len(a.Scale)*b.Columns())
			MatMulInt8(dst, b.Columns(), 32, &a, 0, m, b, 0, b.Columns()/32, random(r, b.Columns()))
			results[Path()] = append(results[Path()], dst...)
		}
	})
	for path, got := range results {
		for i, want := range results[Generic] {
			if math.Float32bits(got[i]) != math.Float32bits(want) {
				t.Fatalf("%s: value %d: got %g, want %g", path, i, got[i], want)
			}
		}
	}
}

func TestMatMulInt8_WritesPanelsWhereTold(t *testing.T) {
	eachPath(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(2, 8))
		const m, n, k = 13, 96, 64
		b := PackInt8(random(r, n*k), n, k)
		x, bias := random(r, m*k), random(r, n)
		var a Rows
		a.Resize(m, k)
		for i := range m {
			a.Quantise(i, x[i*k:][:k])
		}
		flat, panels := make([]float32, 16*n), make([]float32, 16*n)
		MatMulInt8(flat, n, 32, &a, 0, m, b, 0, 3, bias)
		// In two halves of rows and three of panels, [panel][row][32].
		for _, rows := range [][2]int{{0, 8}, {8, m}} {
			for q := range 3 {
				MatMulInt8(panels, 32, 16*32, &a, rows[0], rows[1], b, q, q+1, bias)
			}
		}
		for i := range m {
			for j := range n {
				if got, want := panels[j/32*16*32+i*32+j%32], flat[i*n+j]; got != want {
					t.Fatalf("%d,%d: got %g, want %g", i, j, got, want)
				}
			}
		}
	})
}

func TestPackInt8_RoundsWithinHalfAStep(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 8))
	const n, k = 40, 64
	w := random(r, n*k)
	clear(w[5*k:][:k])
	b := PackInt8(w, n, k)
	for j := range n {
		for c := range k {
			got := float64(b.scale[j]) * float64(b.data[j/32*32*k+c/4*128+j%32*4+c%4])
			if math.Abs(got-float64(w[j*k+c])) > float64(b.scale[j])*0.5001 {
				t.Fatalf("column %d: got %g, want %g", j, got, w[j*k+c])
			}
		}
	}
}

func BenchmarkMatMulInt8(b *testing.B) {
	r := rand.New(rand.NewPCG(7, 8))
	for _, path := range Paths() {
		for _, s := range [][3]int{{48, 32, 384}, {252, 384, 384}, {252, 1536, 384}, {252, 384, 1536}, {16, 1536, 384}} {
			m, n, k := s[0], s[1], s[2]
			x, w, dst, bias := random(r, m*k), PackInt8(random(r, n*k), n, k), make([]float32, (m+4)*n), make([]float32, n)
			var a Rows
			a.Resize(m, k)
			for i := range m {
				a.Quantise(i, x[i*k:][:k])
			}
			b.Run(fmt.Sprintf("%s/%dx%dx%d", path, m, n, k), func(b *testing.B) {
				if err := Select(path); err != nil {
					b.Fatal(err)
				}
				for b.Loop() {
					MatMulInt8(dst, n, 32, &a, 0, m, w, 0, n/32, bias)
				}
				b.ReportMetric(2*float64(m*n*k)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GOP/s")
			})
		}
	}
	_ = Select("")
}
