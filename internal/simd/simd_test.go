package simd

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

// eachPath runs f under every path that the machine has. Not parallel: the path is the process's.
func eachPath(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	defer func() {
		if err := Select(""); err != nil {
			t.Error(err)
		}
	}()
	for _, path := range Paths() {
		if err := Select(path); err != nil {
			t.Fatal(err)
		}
		t.Run(path, f)
	}
}

func random(r *rand.Rand, n int) []float32 {
	v := make([]float32, n)
	for i := range v {
		v[i] = float32(r.NormFloat64())
	}
	return v
}

// product is the definition: dst[i][j] = Σ a[i][x]·w[j][x], summed in float64.
func product(a []float32, lda, m int, w []float32, n, k int) []float64 {
	out := make([]float64, m*n)
	for i := range m {
		for j := range n {
			s := 0.0
			for x := range k {
				s += float64(a[i*lda+x]) * float64(w[j*k+x])
			}
			out[i*n+j] = s
		}
	}
	return out
}

func checkMatMul(t *testing.T, r *rand.Rand, m, n, k int, withFactor, withBias bool) {
	t.Helper()
	b := NewPacked(n, k)
	w := random(r, n*k)
	for j := range n {
		b.SetColumn(j, w[j*k:][:k])
	}
	rows := (m + RowAlign - 1) / RowAlign * RowAlign
	lda, ldd := k+r.IntN(5), b.Columns()+r.IntN(5)
	a := random(r, rows*lda)
	var factor, bias []float32
	if withFactor {
		factor = random(r, rows)
	}
	if withBias {
		bias = random(r, b.Columns())
	}
	const guard = -12345
	dst := make([]float32, rows*ldd+7)
	for i := range dst {
		dst[i] = guard
	}
	MatMul(dst, ldd, panel, a, lda, 0, m, b, 0, b.Columns()/panel, factor, bias)
	want := product(a, lda, m, w, n, k)
	for i := range m {
		for j := range n {
			expected := want[i*n+j]
			if withFactor {
				expected *= float64(factor[i])
			}
			if withBias {
				expected += float64(bias[j])
			}
			if d := math.Abs(float64(dst[i*ldd+j]) - expected); d > 1e-5*math.Sqrt(float64(k)+1)*10 {
				t.Fatalf("%d×%d×%d at %d,%d: got %g, want %g", m, n, k, i, j, dst[i*ldd+j], expected)
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

func TestMatMul_EveryPathAgreesWithTheDefinition(t *testing.T) {
	eachPath(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(1, 2))
		for _, s := range [][3]int{{1, 1, 1}, {8, 32, 384}, {7, 31, 5}, {9, 33, 3}, {6, 64, 4}, {16, 384, 384}, {13, 100, 32}, {50, 50, 32}} {
			checkMatMul(t, r, s[0], s[1], s[2], true, false)
			checkMatMul(t, r, s[0], s[1], s[2], false, true)
		}
		for range 200 {
			checkMatMul(t, r, 1+r.IntN(30), 1+r.IntN(80), 1+r.IntN(70), r.IntN(2) == 0, r.IntN(2) == 0)
		}
	})
}

func FuzzMatMul(f *testing.F) {
	f.Add(uint8(3), uint8(40), uint8(7), uint64(1))
	f.Fuzz(func(t *testing.T, m, n, k uint8, seed uint64) {
		eachPath(t, func(t *testing.T) {
			checkMatMul(t, rand.New(rand.NewPCG(seed, 0)), int(m)+1, int(n)+1, int(k)+1, true, true)
		})
	})
}

func TestDot_EveryPathAgreesWithTheDefinition(t *testing.T) {
	eachPath(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(5, 6))
		for n := range 200 {
			a, b := random(r, n), random(r, n)
			want := 0.0
			for i := range a {
				want += float64(a[i]) * float64(b[i])
			}
			if got := Dot(a, b); math.Abs(float64(got)-want) > 1e-4 {
				t.Fatalf("n=%d: got %g, want %g", n, got, want)
			}
		}
	})
}

func TestSelect_NamesWhatTheMachineHas(t *testing.T) {
	before := Path()
	err := Select("neon9000")
	if err == nil || !strings.Contains(err.Error(), Generic) || Path() != before {
		t.Fatalf("got %v, path %s", err, Path())
	}
}

func BenchmarkMatMul(b *testing.B) {
	r := rand.New(rand.NewPCG(7, 8))
	for _, path := range Paths() {
		for _, s := range [][3]int{{256, 384, 384}, {256, 1536, 384}, {256, 384, 1536}, {16, 384, 384}} {
			m, n, k := s[0], s[1], s[2]
			a, w, dst := random(r, m*k), Pack(random(r, n*k), n, k), make([]float32, m*n)
			b.Run(fmt.Sprintf("%s/%dx%dx%d", path, m, n, k), func(b *testing.B) {
				if err := Select(path); err != nil {
					b.Fatal(err)
				}
				for b.Loop() {
					MatMul(dst, n, panel, a, k, 0, m, w, 0, n/panel, nil, nil)
				}
				b.ReportMetric(2*float64(m*n*k)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
			})
		}
	}
	_ = Select("")
}
