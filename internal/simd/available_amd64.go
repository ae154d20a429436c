package simd

import (
	"sync"

	"golang.org/x/sys/cpu"
)

//go:noescape
func tileAVX512(dst *float32, ldd int, a *float32, lda int, b *float32, k int, bias *float32)

//go:noescape
func tileAVX2(dst *float32, ldd int, a *float32, lda int, b *float32, k int, bias *float32)

//go:noescape
func dotAVX512(a, b *float32, n int) float32

//go:noescape
func dotAVX2(a, b *float32, n int) float32

var available = sync.OnceValue(func() []*kernels {
	have := []*kernels{generic}
	if cpu.X86.HasAVX2 && cpu.X86.HasFMA {
		have = append(have, &kernels{name: AVX2, rows: 6, tile: tileAVX2, dot: dotAVX2})
	}
	if cpu.X86.HasAVX512F && cpu.X86.HasAVX512DQ && cpu.X86.HasAVX512VL && cpu.X86.HasAVX512BW {
		have = append(have, &kernels{name: AVX512, rows: 8, tile: tileAVX512, dot: dotAVX512})
	}
	return have
})
