// Package simd holds the arithmetic kernels that the embedding engine and the index share, and chooses among them by what the CPU
// can do. Every kernel is a pure function on slices with a plain Go twin that says what is right.
//
// The path is chosen once, at start: the best that the machine has, or the one that Select names. Kernels of different paths
// give the same bits (rows.go says why), but for Dot, which agrees within rounding; so vectors made on one machine are found on another.
package simd

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
)

// The paths, best last.
const (
	Generic = "generic"
	AVX2    = "avx2"
	AVXVNNI = "avxvnni" // AVX2 with 8-bit dot products
	AVX512  = "avx512"
	NEON    = "neon"    // 64-bit Arm
	NEONDot = "neondot" // the same with 8-bit dot products
)

// kernels is one path's implementation.
type kernels struct {
	name string
	dot  func(a, b *float32, n int) float32
	// The products by the height of their tile, tallest first; the last has RowAlign rows.
	float32 []float32Kernel
	int8    []int8Kernel
	// The row kernels; see rows.go for what they compute. Lengths are multiples of 32, but for expRow's.
	quantise  func(dst *uint8, src *float32, n int) (scale, least float32)
	expRow    func(x *float32, n int, scale float32) float32
	gelu      func(x *float32, n int)
	addNorm   func(x, y, w, b *float32, n int, eps float32)
	transpose func(dst, src *float32, stride int)
	// The index's kernels; see codes.go and unpack.go for what they compute.
	codeDistances func(dst *uint16, codes, planes *uint64, groups, words int)
	rank          func(distances, gains *uint16, n int, centre, base int32, shift uint64)
	atMost        func(mask *uint64, values *uint16, words int, limit uint16)
	atLeast       func(mask *uint64, values *uint32, words int, least uint32)
	dots13        func(dst *int64, query *int16, rows *byte, at *uint32, count, n int)
	dots8         func(dst *int32, query *int16, rows *byte, at *uint32, count, n int)
	unpack        func(dst *uint32, src *byte, groups, width int)
	unpackGaps    func(dst *uint32, src *byte, groups, width int, base uint32)
}

var current atomic.Pointer[kernels]

func init() { current.Store(available()[len(available())-1]) }

// Path is the name of the path in use.
func Path() string { return current.Load().name }

// Paths lists the paths that this machine has, best last.
func Paths() []string {
	var names []string
	for _, k := range available() {
		names = append(names, k.name)
	}
	return names
}

// Select takes the named path for the whole process; "" takes the best. It is meant for start-up and tests, before vectors are
// compared. An unknown name, or a path that this CPU lacks, is an error and changes nothing.
func Select(name string) error {
	have := available()
	if name == "" {
		current.Store(have[len(have)-1])
		return nil
	}
	i := slices.IndexFunc(have, func(k *kernels) bool { return k.name == name })
	if i < 0 {
		return fmt.Errorf("FOOTNOTE_CPU=%s: this machine has %s", name, strings.Join(Paths(), ", "))
	}
	current.Store(have[i])
	return nil
}

// Dot is the dot product of a and b, which have the same length.
func Dot(a, b []float32) float32 {
	if len(a) != len(b) {
		panic("simd: dot of vectors of different lengths")
	}
	if len(a) == 0 {
		return 0
	}
	return current.Load().dot(&a[0], &b[0], len(a))
}
