package local

import (
	"encoding/binary"
	"math/bits"
	"slices"
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

// unpack reads len(out) values of width bits, 0 to 32.
func unpack(out []uint32, src []byte, width int) {
	if width == 0 {
		clear(out)
		return
	}
	mask := uint64(1)<<width - 1
	_ = src[(len(out)*width>>3)+7]
	at := 0
	for i := range out {
		out[i] = uint32(binary.LittleEndian.Uint64(src[at>>3:]) >> (at & 7) & mask)
		at += width
	}
}

// packedAt is the i-th value.
func packedAt(src []byte, width, i int) uint32 {
	at := i * width
	return uint32(binary.LittleEndian.Uint64(src[at>>3:]) >> (at & 7) & (1<<width - 1))
}

// unpackGaps reads len(out) gaps, each less one, of width bits and adds them up, from base.
func unpackGaps(out []uint32, src []byte, width int, base uint32) {
	mask := uint64(1)<<width - 1
	_ = src[(len(out)*width>>3)+7]
	at := 0
	for i := range out {
		base += uint32(binary.LittleEndian.Uint64(src[at>>3:])>>(at&7)&mask) + 1
		out[i] = base
		at += width
	}
}

func widthOf(values []uint32) int {
	var all uint32
	for _, v := range values {
		all |= v
	}
	return bits.Len32(all)
}
