package simd

import (
	"fmt"
	"math/bits"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// checkCodes compares the kernels of codes.go with their definitions.
func checkCodes(t *testing.T, r *rand.Rand, groups, words, halves, rows int) {
	t.Helper()
	codes, planes := make([]uint64, groups*words*CodeGroup), make([]uint64, CodePlanes*words)
	for i := range codes {
		codes[i] = r.Uint64()
	}
	for i := range planes {
		planes[i] = r.Uint64()
		if groups == 2 { // all four alike
			planes[i] = planes[i%words]
		}
	}
	if groups > 1 { // the extremes
		for j, w := range planes[:words] {
			codes[j*CodeGroup], codes[j*CodeGroup+7] = w, ^w
		}
	}
	got := make([]uint16, groups*CodeGroup+1)
	got[groups*CodeGroup] = 7777
	CodeDistances(got[:groups*CodeGroup], codes, planes)
	for i := range groups * CodeGroup {
		want, dot := 0, 0
		for j := range words {
			c := codes[(i/CodeGroup*words+j)*CodeGroup+i%CodeGroup]
			for p := range CodePlanes {
				want += bits.OnesCount64(planes[p*words+j]^c) << p
			}
			for b := range 64 {
				q := 0
				for p := range CodePlanes {
					q += int(planes[p*words+j]>>b&1) << p
				}
				dot += (2*int(c>>b&1) - 1) * (2*q - 15)
			}
		}
		if int(got[i]) != want {
			t.Fatalf("%d words, code %d: got %d, want %d", words, i, got[i], want)
		}
		if got := 15*64*words - 2*want; got != dot {
			t.Fatalf("%d words, code %d: a dot product of %d, want %d", words, i, got, dot)
		}
	}
	if got[groups*CodeGroup] != 7777 {
		t.Fatal("CodeDistances wrote past its end")
	}

	gains, ranks := make([]uint16, groups*CodeGroup), slices.Clone(got)
	for i := range gains {
		gains[i] = []uint16{0, 1, 900, 32767}[r.IntN(4)]
	}
	centre, base, shift := int32(15*64*words), int32(r.IntN(5000)-500), uint(r.IntN(20))
	Rank(ranks[:len(gains)], gains, centre, base, shift)
	for i, g := range gains {
		want := min(max(int64(base)-(int64(centre)-2*int64(got[i]))*int64(g)>>shift, 0), MaxRank)
		if int64(ranks[i]) != want {
			t.Fatalf("%d words, code %d of gain %d: got rank %d, want %d", words, i, g, ranks[i], want)
		}
	}
	if ranks[len(gains)] != 7777 {
		t.Fatal("Rank wrote past its end")
	}

	values, mask := make([]uint16, 64*groups), make([]uint64, groups)
	for i := range values {
		values[i] = []uint16{uint16(r.IntN(5)), uint16(r.IntN(1 << 16)), 65535, 32768, 32767}[r.IntN(5)]
	}
	for _, limit := range []uint16{0, 2, 32767, 32768, 40000, 65535} {
		AtMost(mask, values, limit)
		for i, v := range values {
			if got := mask[i/64]>>(i%64)&1 == 1; got != (v <= limit) {
				t.Fatalf("%d ≤ %d: got %t", v, limit, got)
			}
		}
	}

	sums := make([]uint32, 64*groups)
	for i := range sums {
		sums[i] = []uint32{r.Uint32N(5), r.Uint32(), 1<<32 - 1, 1 << 31, 1<<31 - 1}[r.IntN(5)]
	}
	for _, least := range []uint32{0, 1, 3, 1<<31 - 1, 1 << 31, 3e9, 1<<32 - 1} {
		AtLeast(mask, sums, least)
		for i, v := range sums {
			if got := mask[i/64]>>(i%64)&1 == 1; got != (v >= least) {
				t.Fatalf("%d ≥ %d: got %t", v, least, got)
			}
		}
	}

	n := 64 * halves
	q, data, at := make([]int16, n), make([]byte, rows*RowBytes(n)), make([]uint32, rows+3)
	top := MaxQuery13(n)
	for i := range q {
		q[i] = int16(r.IntN(2*top+1) - top)
		if r.IntN(3) == 0 {
			q[i] = int16([]int{top, -top}[r.IntN(2)])
		}
	}
	for i := range data {
		data[i] = []byte{byte(r.IntN(256)), 128, 255, 127}[r.IntN(4)]
	}
	for i := range at {
		at[i] = uint32(r.IntN(rows))
	}
	if groups == 2 { // the greatest sums: all products alike, those of one row with the least integer
		for i := range q {
			q[i] = int16(-top)
		}
		for i := range data[:RowBytes(n)] {
			data[i] = byte(128)
			if i >= n {
				data[i] = 0
			}
		}
		at[0] = 0
	}
	dots, first := make([]int64, len(at)), make([]int32, len(at))
	Dots13(dots, q, data, at)
	Dots8(first, q, data, at)
	for i, row := range at {
		b, want, high := data[int(row)*RowBytes(n):], int64(0), int32(0)
		for j, x := range q {
			low := b[n+j%(n/2)]
			if j >= n/2 {
				low >>= 4
			}
			high += int32(x) * int32(int8(b[j]))
			want += int64(x) * (int64(int8(b[j]))*32 + int64(low&15)*2 + int64(b[n+n/2+j/8]>>(j%8)&1))
		}
		if dots[i] != want {
			t.Fatalf("n=%d row %d: got %d, want %d", n, row, dots[i], want)
		}
		if first[i] != high {
			t.Fatalf("n=%d row %d: got %d of its first bytes, want %d", n, row, first[i], high)
		}
	}
}

func TestCodes_EveryPathGivesTheSameIntegers(t *testing.T) {
	eachPath(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(1, 3))
		for words := 1; words <= MaxCodeWords; words++ {
			checkCodes(t, r, 1+r.IntN(5), words, 1+r.IntN(8), 1+r.IntN(9))
		}
		checkCodes(t, r, 33, 6, 6, 100)
		checkCodes(t, r, 2, MaxCodeWords, 64, 3)
	})
}

func FuzzCodes(f *testing.F) {
	f.Add(uint8(3), uint8(6), uint8(6), uint8(9), uint64(1))
	f.Fuzz(func(t *testing.T, groups, words, halves, rows uint8, seed uint64) {
		eachPath(t, func(t *testing.T) {
			checkCodes(t, rand.New(rand.NewPCG(seed, 3)), int(groups)+1, int(words)%MaxCodeWords+1, int(halves)%64+1, int(rows)+1)
		})
	})
}

func BenchmarkCodes(b *testing.B) {
	const n = 1 << 15
	r := rand.New(rand.NewPCG(7, 3))
	codes, distances, gains, mask := make([]uint64, n*6), make([]uint16, n), make([]uint16, n), make([]uint64, n/64)
	for i := range codes {
		codes[i] = r.Uint64()
	}
	q, rows, at, dots := make([]int16, 384), make([]byte, n*RowBytes(384)), make([]uint32, 1000), make([]int64, 1000)
	first := make([]int32, 1000)
	for i := range at {
		at[i] = uint32(r.IntN(n))
	}
	for _, path := range Paths() {
		for name, f := range map[string]func(){
			"distances": func() { CodeDistances(distances, codes, codes[:6*CodePlanes]) },
			"rank":      func() { Rank(distances, gains, 5760, 2048, 9) },
			"at-most":   func() { AtMost(mask, distances, 160) },
			"dots13":    func() { Dots13(dots, q, rows, at) },
			"dots8":     func() { Dots8(first, q, rows, at) },
		} {
			b.Run(fmt.Sprintf("%s/%s", path, name), func(b *testing.B) {
				if err := Select(path); err != nil {
					b.Fatal(err)
				}
				items := n
				if strings.HasPrefix(name, "dots") {
					items = len(at)
				}
				for b.Loop() {
					f()
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(items), "ns/item")
			})
		}
	}
	_ = Select("")
}
