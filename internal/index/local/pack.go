package local

import (
	"encoding/binary"
	"math/bits"
	"slices"

	"footnote/internal/simd"
)

// Integers of w bits, one after the other, lowest bits first. Reading looks at eight bytes at once, so what is read ends packedPad bytes before its slice.

const packedPad = 8

func packedSize(n, width int) int { return (n*width + 7) / 8 }

// pack appends values, each of at most width bits.
func pack(dst []byte, values []uint32, width int) []byte {
	at, size := len(dst), packedSize(len(values), width)
	dst = slices.Grow(dst, size+8)[:at+size+8] // the last word may be written beyond the end
	var buffer uint64
	have, to := 0, at
	for _, v := range values {
		buffer |= uint64(v) << have
		if have += width; have >= 64 {
			binary.LittleEndian.PutUint64(dst[to:], buffer)
			to += 8
			have -= 64
			buffer = uint64(v) >> (width - have)
		}
	}
	binary.LittleEndian.PutUint64(dst[to:], buffer)
	return dst[:at+size]
}

// unpack reads n values of width bits, 0 to 32, and perhaps up to seven more.
func unpack(out *[blockLength]uint32, n int, src []byte, width int) {
	if eights := (n + 7) / 8; kernels(eights, src, width) {
		simd.Unpack(out[:8*eights], src, width)
		return
	}
	for i := range n {
		out[i] = packedAt(src, width, i)
	}
}

// unpackGaps reads n gaps, each less one, of width bits and adds them up, from base; and perhaps up to seven more.
func unpackGaps(out *[blockLength]uint32, n int, src []byte, width int, base uint32) {
	if eights := (n + 7) / 8; kernels(eights, src, width) {
		simd.UnpackGaps(out[:8*eights], src, width, base)
		return
	}
	for i := range n {
		base += packedAt(src, width, i) + 1
		out[i] = base
	}
}

// kernels tells whether so many times eight values can be read by the kernels, which read on for some bytes: not the very last of a segment.
func kernels(eights int, src []byte, width int) bool {
	return width <= simd.MaxUnpackWidth && len(src) >= eights*width+simd.UnpackPad
}

// packedAt is the i-th value.
func packedAt(src []byte, width, i int) uint32 {
	at := i * width
	return uint32(binary.LittleEndian.Uint64(src[at>>3:]) >> (at & 7) & (1<<width - 1))
}

func widthOf(values []uint32) int {
	var all uint32
	for _, v := range values {
		all |= v
	}
	return bits.Len32(all)
}
