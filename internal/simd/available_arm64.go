package simd

import (
	"sync"

	"golang.org/x/sys/cpu"
)

//go:noescape
func dotNEON(a, b *float32, n int) float32

//go:noescape
func float32NEON(p *float32Panel)

//go:noescape
func int8NEON(p *int8Panel)

//go:noescape
func int8NEONDot(p *int8Panel)

//go:noescape
func quantiseNEON(dst *uint8, src *float32, n int) (scale, least float32)

//go:noescape
func expRowNEON(x *float32, n int, scale float32) float32

//go:noescape
func geluNEON(x *float32, n int)

//go:noescape
func addNormNEON(x, y, w, b *float32, n int, eps float32)

//go:noescape
func transposeNEON(dst, src *float32, stride int)

//go:noescape
func codeDistancesNEON(dst *uint16, codes, planes *uint64, groups, words int)

//go:noescape
func rankNEON(distances, gains *uint16, n int, centre, base int32, shift uint64)

//go:noescape
func atMostNEON(mask *uint64, values *uint16, words int, limit uint16)

//go:noescape
func atLeastNEON(mask *uint64, values *uint32, words int, least uint32)

//go:noescape
func dots13NEON(dst *int64, query *int16, rows *byte, at *uint32, count, n int)

//go:noescape
func dots8NEON(dst *int32, query *int16, rows *byte, at *uint32, count, n int)

// Every 64-bit Arm that Go runs on has the vector instructions of the base path.
var available = sync.OnceValue(func() []*kernels {
	k := *generic
	k.name, k.dot = NEON, dotNEON
	k.float32, k.int8 = []float32Kernel{{4, float32NEON}}, []int8Kernel{{4, int8NEON}}
	k.quantise, k.expRow, k.gelu, k.addNorm, k.transpose = quantiseNEON, expRowNEON, geluNEON, addNormNEON, transposeNEON
	k.codeDistances, k.rank, k.atMost, k.atLeast, k.dots13, k.dots8 = codeDistancesNEON, rankNEON, atMostNEON, atLeastNEON, dots13NEON, dots8NEON
	k.unpack, k.unpackGaps = unpackNEON, unpackGapsNEON
	have := []*kernels{generic, &k}
	if cpu.ARM64.HasASIMDDP {
		with := k
		with.name, with.int8 = NEONDot, []int8Kernel{{4, int8NEONDot}}
		have = append(have, &with)
	}
	return have
})
