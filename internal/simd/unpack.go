package simd

import (
	"encoding/binary"
	"unsafe"
)

// Unpack and UnpackGaps read integers of width bits that lie one after the other, lowest bits first: len(dst) of them, a multiple of 8. width is at most MaxUnpackWidth, and src goes on for
// UnpackPad bytes after the last. Every path gives the same integers.
const (
	MaxUnpackWidth = 25 // with 7 bits before it, a value is within four bytes
	UnpackPad      = 32
)

// Unpack writes the integers to dst.
func Unpack(dst []uint32, src []byte, width int) {
	if checkUnpack(len(dst), len(src), width) {
		current.Load().unpack(&dst[0], &src[0], len(dst)/8, width)
	}
}

// UnpackGaps writes to dst[i] the sum of base, the integers up to the i-th, and i+1, modulo 2³²: an ascending list, of which each gap less one is stored.
func UnpackGaps(dst []uint32, src []byte, width int, base uint32) {
	if checkUnpack(len(dst), len(src), width) {
		current.Load().unpackGaps(&dst[0], &src[0], len(dst)/8, width, base)
	}
}

func checkUnpack(n, bytes, width int) bool {
	if n%8 != 0 || width < 0 || width > MaxUnpackWidth || bytes < n/8*width+UnpackPad {
		panic("simd: integers are unpacked eight at a time, of 25 bits at most, and 32 bytes follow them")
	}
	return n > 0
}

func unpackGeneric(dst *uint32, src *byte, groups, width int) {
	out, in, mask := unsafe.Slice(dst, 8*groups), unsafe.Slice(src, groups*width+UnpackPad), uint64(1)<<width-1
	at := 0
	for i := range out {
		out[i] = uint32(binary.LittleEndian.Uint64(in[at>>3:]) >> (at & 7) & mask)
		at += width
	}
}

func unpackGapsGeneric(dst *uint32, src *byte, groups, width int, base uint32) {
	out, in, mask := unsafe.Slice(dst, 8*groups), unsafe.Slice(src, groups*width+UnpackPad), uint64(1)<<width-1
	at := 0
	for i := range out {
		base += uint32(binary.LittleEndian.Uint64(in[at>>3:])>>(at&7)&mask) + 1
		out[i] = base
		at += width
	}
}
