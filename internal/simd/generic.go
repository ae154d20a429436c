package simd

import "unsafe"

var generic = &kernels{name: Generic, rows: 4, tile: tileGeneric, dot: dotGeneric}

// tileGeneric is the tile in plain Go: 4 rows × 32 columns, k innermost over eight columns at a time so that the sums stay in registers.
func tileGeneric(dst *float32, ldd int, a *float32, lda int, b *float32, k int, bias *float32) {
	bs := unsafe.Slice(b, k*panel)
	bias32 := (*[panel]float32)(unsafe.Pointer(bias))
	for r := range 4 {
		as := unsafe.Slice((*float32)(unsafe.Add(unsafe.Pointer(a), r*lda*4)), k)
		out := (*[panel]float32)(unsafe.Add(unsafe.Pointer(dst), r*ldd*4))
		for c := 0; c < panel; c += 8 {
			s := [8]float32(bias32[c : c+8])
			for i, x := range as {
				p := (*[8]float32)(bs[i*panel+c:])
				s[0] += x * p[0]
				s[1] += x * p[1]
				s[2] += x * p[2]
				s[3] += x * p[3]
				s[4] += x * p[4]
				s[5] += x * p[5]
				s[6] += x * p[6]
				s[7] += x * p[7]
			}
			copy(out[c:], s[:])
		}
	}
}

func dotGeneric(a, b *float32, n int) float32 {
	x, y := unsafe.Slice(a, n), unsafe.Slice(b, n)
	var s0, s1, s2, s3 float32
	i := 0
	for ; i+4 <= n; i += 4 {
		s0 += x[i] * y[i]
		s1 += x[i+1] * y[i+1]
		s2 += x[i+2] * y[i+2]
		s3 += x[i+3] * y[i+3]
	}
	for ; i < n; i++ {
		s0 += x[i] * y[i]
	}
	return (s0 + s1) + (s2 + s3)
}
