package simd

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"math"
	"math/big"
	"math/rand/v2"
	"runtime"
	"testing"
)

func TestQuantise_EveryPathRoundsWithinHalfAStep(t *testing.T) {
	eachPath(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(1, 9))
		for _, n := range []int{32, 64, 384, 1536} {
			for _, size := range []float32{0, 1e-30, 1, 1e6} {
				x := random(r, n)
				for i := range x {
					x[i] = x[i]*size + 3*size
				}
				var a Rows
				a.Resize(1, n)
				a.Quantise(0, x)
				for i, v := range x {
					got := float64(a.Scale[0])*float64(a.Data[i]) + float64(a.Min[0])
					if math.Abs(got-float64(v)) > 0.501*float64(a.Scale[0])+1e-6*math.Abs(float64(v)) {
						t.Fatalf("n=%d, %d: got %g, want %g, step %g", n, i, got, v, a.Scale[0])
					}
				}
			}
		}
	})
}

func TestExpRow_StaysWithinItsBound(t *testing.T) {
	eachPath(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(2, 9))
		for n := 1; n < 140; n++ {
			x := random(r, n+3)
			if n%7 == 0 {
				for i := range x {
					x[i] *= 60 // most of them vanish
				}
			}
			for i := range 3 {
				x[n+i] = 77
			}
			in, scale := append([]float32(nil), x...), float32(0.17677669*Log2E)
			sum := ExpRow(x[:n], scale)
			greatest := float32(math.Inf(-1))
			for _, v := range in[:n] {
				greatest = max(greatest, v)
			}
			total := 0.0
			for i, v := range in[:n] {
				z := float64(scale) * float64(v-greatest)
				want := math.Exp2(z)
				total += want
				if got := float64(x[i]); math.Abs(got-want) > want*(3e-7+1e-7*math.Abs(z))+1e-37 {
					t.Fatalf("n=%d: 2^%g: got %g, want %g", n, z, got, want)
				}
			}
			if math.Abs(float64(sum)-total) > 1e-5*total {
				t.Fatalf("n=%d: sum %g, want %g", n, sum, total)
			}
			for i := range 3 {
				if x[n+i] != 77 {
					t.Fatalf("n=%d: wrote past the row", n)
				}
			}
		}
	})
}

func TestGELU_StaysWithinItsBound(t *testing.T) {
	eachPath(t, func(t *testing.T) {
		var x []float32
		for v := -80.0; v <= 80; v += 0.0007 {
			x = append(x, float32(v))
		}
		x = append(x, 1e-30, -1e-30, 0, 1e30, -1e10)
		for len(x)%32 != 0 {
			x = append(x, 1)
		}
		got := append([]float32(nil), x...)
		GELU(got)
		worst := 0.0
		for i, v := range x {
			f := float64(v)
			want := f * 0.5 * math.Erfc(-f/math.Sqrt2)
			d := math.Abs(float64(got[i])-want) / max(1, math.Abs(f))
			worst = max(worst, d)
			if d > 2e-7 {
				t.Fatalf("gelu(%g): got %g, want %g", f, got[i], want)
			}
		}
		t.Logf("greatest error %.2g", worst)
	})
}

func TestAddNorm_EveryPathAgreesWithTheDefinition(t *testing.T) {
	eachPath(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(4, 9))
		for _, n := range []int{32, 96, 384, 768} {
			x, y, w, b := random(r, n), random(r, n), random(r, n), random(r, n)
			mean, variance := 0.0, 0.0
			for i := range n {
				mean += float64(x[i]+y[i]) / float64(n)
			}
			for i := range n {
				d := float64(x[i]+y[i]) - mean
				variance += d * d / float64(n)
			}
			want := make([]float64, n)
			for i := range n {
				want[i] = (float64(x[i]+y[i])-mean)/math.Sqrt(variance+1e-12)*float64(w[i]) + float64(b[i])
			}
			AddNorm(x, y, w, b, 1e-12)
			for i := range n {
				if math.Abs(float64(x[i])-want[i]) > 3e-6*(1+math.Abs(want[i])) {
					t.Fatalf("n=%d: got %g, want %g", n, x[i], want[i])
				}
			}
		}
	})
}

func TestTranspose32_EveryPathAgreesWithTheDefinition(t *testing.T) {
	eachPath(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(5, 9))
		for _, stride := range []int{32, 45, 96} {
			src, dst := random(r, 32*stride), make([]float32, 32*32)
			Transpose32(dst, src, stride)
			for i := range 32 {
				for j := range 32 {
					if dst[j*32+i] != src[i*stride+j] {
						t.Fatalf("stride %d at %d,%d", stride, i, j)
					}
				}
			}
		}
	})
}

// bitsOnEveryCPU is the SHA-256 of what TestPaths_GiveTheSameBits computes. Every architecture finds the same, so vectors made on one are
// compared with vectors made on another bit for bit. When the test computes something else, or something more, it prints the new one; a kernel
// that changes it changes vectors, and those that are stored no longer agree with new ones to the last bit.
const bitsOnEveryCPU = "4287a2584a97f39ca9846ccdb97db53b9c9605f70bc4015615beae1fc0c02403"

// TestPaths_GiveTheSameBits runs everything that the encoder is made of on every path: see the comment of the approximations.
func TestPaths_GiveTheSameBits(t *testing.T) {
	results := map[string][]float32{}
	eachPath(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(8, 9))
		var out []float32
		for _, n := range []int{32, 384, 1536} {
			x, y, w, b := random(r, n), random(r, n), random(r, n), random(r, n)
			AddNorm(x, y, w, b, 1e-12)
			GELU(y)
			var a Rows
			a.Resize(1, n)
			a.Quantise(0, x)
			out = append(append(append(out, x...), y...), a.Scale[0], a.Min[0])
			for _, v := range a.Data {
				out = append(out, float32(v))
			}
			p, dst := PackInt8(random(r, 64*n), 64, n), make([]float32, 4*64)
			MatMulInt8(dst, 64, 32, &a, 0, 1, p, 0, 2, random(r, 64))
			out = append(out, dst[:64]...)
		}
		for n := 1; n < 200; n++ {
			x := random(r, n)
			out = append(append(out, ExpRow(x, 3)), x...)
		}
		a, b, dst := random(r, 12*300), Pack(random(r, 64*300), 64, 300), make([]float32, 12*64)
		MatMul(dst, 64, 32, a, 300, 0, 12, b, 0, 2, random(r, 12), random(r, 64))
		results[Path()] = append(out, dst...)
	})
	want := results[Generic]
	hash := sha256.New()
	for _, v := range want {
		_ = binary.Write(hash, binary.LittleEndian, v)
	}
	if got := hex.EncodeToString(hash.Sum(nil)); got != bitsOnEveryCPU {
		t.Errorf("the plain kernels on %s: got bits of hash %s, want %s", runtime.GOARCH, got, bitsOnEveryCPU)
	}
	for path, got := range results {
		differ := 0
		for i := range want {
			if math.Float32bits(got[i]) != math.Float32bits(want[i]) {
				differ++
			}
		}
		if differ > 0 {
			t.Errorf("%s: %d of %d values differ from the plain ones", path, differ, len(want))
		}
	}
}

func BenchmarkRows(b *testing.B) {
	r := rand.New(rand.NewPCG(6, 9))
	const n = 1536
	x, y, w := random(r, n), random(r, n), random(r, n)
	var a Rows
	a.Resize(1, n)
	square := make([]float32, 32*32)
	for _, path := range Paths() {
		for _, k := range []struct {
			name string
			run  func()
		}{
			{"quantise", func() { a.Quantise(0, x) }},
			{"exp", func() { ExpRow(y, 0.1) }},
			{"gelu", func() { GELU(y) }},
			{"addnorm", func() { AddNorm(y, x, w, w, 1e-12) }},
			{"transpose", func() { Transpose32(square, x, 32); Transpose32(square, x, 32) }},
		} {
			b.Run(path+"/"+k.name, func(b *testing.B) {
				if err := Select(path); err != nil {
					b.Fatal(err)
				}
				for b.Loop() {
					k.run()
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/element")
			})
		}
	}
	_ = Select("")
}

// TestFMA_RoundsOnce holds the plain twin to the definition where rounding twice goes wrong: integers of many bits fall between two float32.
func TestFMA_RoundsOnce(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 9))
	ties := 0
	for range 200_000 {
		x, y := float32(r.IntN(1<<14)-1<<13), float32(r.IntN(1<<14)-1<<13)
		z := float32(math.Ldexp(float64(r.IntN(1<<24)-1<<23), r.IntN(60)-60))
		exact := new(big.Float).SetPrec(200).SetFloat64(float64(x) * float64(y))
		exact.Add(exact, new(big.Float).SetFloat64(float64(z)))
		want, _ := exact.Float32()
		if float32(float64(x)*float64(y)+float64(z)) != want {
			ties++
		}
		if got := fma(x, y, z); got != want {
			t.Fatalf("%g·%g + %g: got %g, want %g", x, y, z, got, want)
		}
	}
	if ties == 0 {
		t.Error("no case was one that rounding twice gets wrong")
	}
}
