package simd

import "unsafe"

var generic = &kernels{
	name: Generic, dot: dotGeneric,
	float32: []float32Kernel{{4, float32Generic}}, int8: []int8Kernel{{4, int8Generic}},
	quantise: quantiseGeneric, expRow: expRowGeneric, gelu: geluGeneric, addNorm: addNormGeneric, transpose: transposeGeneric,
	codeDistances: codeDistancesGeneric, rank: rankGeneric, atMost: atMostGeneric, atLeast: atLeastGeneric, dots13: dots13Generic, dots8: dots8Generic,
	unpack: unpackGeneric, unpackGaps: unpackGapsGeneric,
}

// float32Generic multiplies tiles of 4 rows by a panel, eight columns at a time so that the sums stay in registers.
func float32Generic(p *float32Panel) {
	k := int(p.k)
	b := unsafe.Slice(p.b, k*panel)
	bias := (*[panel]float32)(unsafe.Pointer(p.bias))
	for r := range 4 * p.tiles {
		a := unsafe.Slice((*float32)(unsafe.Add(unsafe.Pointer(p.a), r*p.lda)), k)
		out := (*[panel]float32)(unsafe.Add(unsafe.Pointer(p.dst), r*p.ldd))
		factor := *(*float32)(unsafe.Add(unsafe.Pointer(p.factor), r*p.factorStep))
		for c := 0; c < panel; c += 8 {
			var s [8]float32
			for i, x := range a {
				w, v := (*[8]float32)(b[i*panel+c:]), float64(x)
				s[0] = float32(sum(v*float64(w[0]), s[0]))
				s[1] = float32(sum(v*float64(w[1]), s[1]))
				s[2] = float32(sum(v*float64(w[2]), s[2]))
				s[3] = float32(sum(v*float64(w[3]), s[3]))
				s[4] = float32(sum(v*float64(w[4]), s[4]))
				s[5] = float32(sum(v*float64(w[5]), s[5]))
				s[6] = float32(sum(v*float64(w[6]), s[6]))
				s[7] = float32(sum(v*float64(w[7]), s[7]))
			}
			for j, v := range s {
				out[c+j] = fma(factor, v, bias[c+j])
			}
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
