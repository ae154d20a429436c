package simd

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// TestUnpack_EveryPathGivesTheSameIntegers packs bit by bit what Unpack and UnpackGaps are to read, in every width.
func TestUnpack_EveryPathGivesTheSameIntegers(t *testing.T) {
	eachPath(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(1, 4))
		for width := range MaxUnpackWidth + 1 {
			for _, n := range []int{0, 8, 16, 24, 128} {
				values, src := make([]uint32, n), make([]byte, n/8*width+UnpackPad)
				for i := range values {
					values[i] = uint32(r.Uint64() & (1<<width - 1))
					if i%5 == 0 {
						values[i] = 1<<width - 1
					}
					for b := range width {
						src[(i*width+b)/8] |= byte(values[i]>>b&1) << ((i*width + b) % 8)
					}
				}
				for i := n / 8 * width; i < len(src); i++ {
					src[i] = 0xff // what follows must not matter
				}
				got := make([]uint32, n+8)
				for _, base := range []uint32{1<<32 - 1, 0, 12345, 1 << 31} {
					got[n] = 7777
					UnpackGaps(got[:n], src, width, base)
					want := base
					for i, v := range values {
						if want += v + 1; got[i] != want {
							t.Fatalf("width %d, the %d-th of %d gaps from %d: got %d, want %d", width, i, n, base, got[i], want)
						}
					}
				}
				Unpack(got[:n], src, width)
				for i, v := range values {
					if got[i] != v {
						t.Fatalf("width %d, the %d-th of %d: got %d, want %d", width, i, n, got[i], v)
					}
				}
				if got[n] != 7777 {
					t.Fatalf("width %d: wrote past the end", width)
				}
			}
		}
	})
}

func BenchmarkUnpack(b *testing.B) {
	var dst [128]uint32
	src := make([]byte, 16*7+UnpackPad)
	for _, path := range Paths() {
		for name, f := range map[string]func(){
			"plain": func() { Unpack(dst[:], src, 7) },
			"gaps":  func() { UnpackGaps(dst[:], src, 7, 0) },
		} {
			b.Run(fmt.Sprintf("%s/%s", path, name), func(b *testing.B) {
				if err := Select(path); err != nil {
					b.Fatal(err)
				}
				for b.Loop() {
					f()
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/128, "ns/item")
			})
		}
	}
	_ = Select("")
}
