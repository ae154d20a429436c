package simd

import (
	"sync"

	"golang.org/x/sys/cpu"
)

//go:noescape
func dotAVX512(a, b *float32, n int) float32

//go:noescape
func dotAVX2(a, b *float32, n int) float32

//go:noescape
func float32AVX512(p *float32Panel)

//go:noescape
func float32AVX512x8(p *float32Panel)

//go:noescape
func float32AVX512x4(p *float32Panel)

//go:noescape
func float32AVX2(p *float32Panel)

//go:noescape
func int8AVX2(p *int8Panel)

//go:noescape
func int8AVXVNNI(p *int8Panel)

//go:noescape
func quantiseAVX2(dst *uint8, src *float32, n int) (scale, least float32)

//go:noescape
func expRowAVX2(x *float32, n int, scale float32) float32

//go:noescape
func geluAVX2(x *float32, n int)

//go:noescape
func addNormAVX2(x, y, w, b *float32, n int, eps float32)

//go:noescape
func int8AVX512(p *int8Panel)

//go:noescape
func int8AVX512x8(p *int8Panel)

//go:noescape
func int8AVX512x4(p *int8Panel)

//go:noescape
func quantiseAVX512(dst *uint8, src *float32, n int) (scale, least float32)

//go:noescape
func expRowAVX512(x *float32, n int, scale float32) float32

//go:noescape
func geluAVX512(x *float32, n int)

//go:noescape
func addNormAVX512(x, y, w, b *float32, n int, eps float32)

//go:noescape
func transposeAVX512(dst, src *float32, stride int)

//go:noescape
func codeDistancesAVX2(dst *uint16, codes, planes *uint64, groups, words int)

//go:noescape
func rankAVX2(distances, gains *uint16, n int, centre, base int32, shift uint64)

//go:noescape
func atMostAVX2(mask *uint64, values *uint16, words int, limit uint16)

//go:noescape
func atLeastAVX2(mask *uint64, values *uint32, words int, least uint32)

//go:noescape
func dots13AVX2(dst *int64, query *int16, rows *byte, at *uint32, count, n int)

//go:noescape
func dots8AVX2(dst *int32, query *int16, rows *byte, at *uint32, count, n int)

//go:noescape
func codeDistancesAVX512(dst *uint16, codes, planes *uint64, groups, words int)

//go:noescape
func atMostAVX512(mask *uint64, values *uint16, words int, limit uint16)

//go:noescape
func atLeastAVX512(mask *uint64, values *uint32, words int, least uint32)

//go:noescape
func dots13AVX512(dst *int64, query *int16, rows *byte, at *uint32, count, n int)

//go:noescape
func dots8AVX512(dst *int32, query *int16, rows *byte, at *uint32, count, n int)

var available = sync.OnceValue(func() []*kernels {
	have := []*kernels{generic}
	if cpu.X86.HasAVX2 && cpu.X86.HasFMA {
		k := *generic
		k.name, k.dot = AVX2, dotAVX2
		k.float32, k.int8 = []float32Kernel{{4, float32AVX2}}, []int8Kernel{{4, int8AVX2}}
		k.quantise, k.expRow, k.gelu, k.addNorm = quantiseAVX2, expRowAVX2, geluAVX2, addNormAVX2
		k.codeDistances, k.rank, k.atMost, k.atLeast, k.dots13, k.dots8 = codeDistancesAVX2, rankAVX2, atMostAVX2, atLeastAVX2, dots13AVX2, dots8AVX2
		k.unpack, k.unpackGaps = unpackAVX2, unpackGapsAVX2
		have = append(have, &k)
		if cpu.X86.HasAVXVNNI {
			with := k
			with.name, with.int8 = AVXVNNI, []int8Kernel{{4, int8AVXVNNI}}
			have = append(have, &with)
		}
	}
	if cpu.X86.HasAVX512F && cpu.X86.HasAVX512DQ && cpu.X86.HasAVX512VL && cpu.X86.HasAVX512BW && cpu.X86.HasBMI2 && len(have) > 1 {
		k := *have[len(have)-1]
		k.name, k.dot = AVX512, dotAVX512
		k.float32 = []float32Kernel{{12, float32AVX512}, {8, float32AVX512x8}, {4, float32AVX512x4}}
		k.quantise, k.expRow, k.gelu, k.addNorm, k.transpose = quantiseAVX512, expRowAVX512, geluAVX512, addNormAVX512, transposeAVX512
		k.atMost, k.atLeast, k.dots13, k.dots8 = atMostAVX512, atLeastAVX512, dots13AVX512, dots8AVX512
		if cpu.X86.HasAVX512VPOPCNTDQ {
			k.codeDistances = codeDistancesAVX512
		}
		if cpu.X86.HasAVX512VNNI {
			k.int8 = []int8Kernel{{12, int8AVX512}, {8, int8AVX512x8}, {4, int8AVX512x4}}
		}
		have = append(have, &k)
	}
	return have
})
