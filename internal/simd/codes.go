package simd

import (
	"math"
	"math/bits"
	"unsafe"
)

// CodeGroup is how many binary codes lie interleaved: word j of eight codes side by side, so that one 512-bit register holds the same word of
// eight codes and their distances add up without a horizontal sum.
const CodeGroup = 8

// CodePlanes is how many bits a dimension a query has that is compared with codes.
const CodePlanes = 4

// MaxCodeWords is how long a code may be, so that no distance exceeds 16 bits.
const MaxCodeWords = math.MaxUint16 / (64 * (1<<CodePlanes - 1))

// CodeDistances writes to dst[i] in how many bits code i differs from the query's first plane, plus twice in how many from the second, four times from the third and eight
// times from the fourth: the distance of a code of one bit a dimension to a query of four. For a query whose component j is the number qⱼ of its planes' bits, 0 to 15, and signs sⱼ, +1 where
// the code has a bit and −1 else, the dot product Σ sⱼ·(2qⱼ−15) is 15·64·words less twice the distance (the asymmetric estimate of Gao & Long, "RaBitQ", SIGMOD 2024).
// codes are groups of eight, [len(dst)/8][words][8]uint64; planes are [4][words]uint64; len(dst) is a multiple of 8. Every path gives the same integers.
func CodeDistances(dst []uint16, codes, planes []uint64) {
	words := len(planes) / CodePlanes
	if len(dst)%CodeGroup != 0 || len(planes) != CodePlanes*words || len(codes) != len(dst)*words || words > MaxCodeWords {
		panic("simd: codes come in groups of eight, each as long as a plane of the query, at most 68 words")
	}
	if len(dst) == 0 || words == 0 {
		clear(dst)
		return
	}
	current.Load().codeDistances(&dst[0], &codes[0], &planes[0], len(dst)/CodeGroup, words)
}

// MaxRank is the greatest rank that Rank gives.
const MaxRank = 4095

// Rank replaces distances[i], d, by base − ((centre − 2d)·gains[i] >> shift), at least 0 and at most MaxRank: what a distance says of codes whose vectors differ in length. The
// lengths are equal and a multiple of 8; no product may exceed 32 bits.
func Rank(distances, gains []uint16, centre, base int32, shift uint) {
	if len(distances) != len(gains) || len(gains)%CodeGroup != 0 || shift > 31 {
		panic("simd: distances come in groups of eight, each with its gain")
	}
	if len(gains) > 0 {
		current.Load().rank(&distances[0], &gains[0], len(gains), centre, base, uint64(shift))
	}
}

// AtMost sets bit i of mask, counted from the lowest bit of mask[0], when values[i] ≤ limit. len(values) is 64·len(mask).
func AtMost(mask []uint64, values []uint16, limit uint16) {
	if len(values) != 64*len(mask) {
		panic("simd: a mask has a bit for each value")
	}
	if len(mask) > 0 {
		current.Load().atMost(&mask[0], &values[0], len(mask), limit)
	}
}

// AtLeast sets bit i of mask, counted from the lowest bit of mask[0], when values[i] ≥ least. len(values) is 64·len(mask).
func AtLeast(mask []uint64, values []uint32, least uint32) {
	if len(values) != 64*len(mask) {
		panic("simd: a mask has a bit for each value")
	}
	if len(mask) > 0 {
		current.Load().atLeast(&mask[0], &values[0], len(mask), least)
	}
}

// RowBytes is the size of a row of n 13-bit integers as Dots13 reads them; n is a multiple of 64.
func RowBytes(n int) int { return n + n/2 + n/8 }

// MaxQuery13 is the greatest magnitude that an element of a query of n may have, so that no sum of Dots13 overflows.
func MaxQuery13(n int) int { return min(32767, (1<<31-1)/(128*n)) }

// Dots13 writes to dst[i] the exact dot product of query and the row at[i] of rows. A row holds n = len(query) integers t of 13 bits, −4096 ≤ t < 4096:
// first t>>5 of each, an int8; then t>>1&15, element j in the low half of byte j and element n/2+j in its high half; then t&1, element j in bit j%8 of byte j/8.
// n is a multiple of 64; the query's elements are at most MaxQuery13(n) in magnitude.
func Dots13(dst []int64, query []int16, rows []byte, at []uint32) {
	n := len(query)
	if n == 0 || n%64 != 0 || len(dst) < len(at) {
		panic("simd: a row of 13-bit integers has a multiple of 64 of them")
	}
	size := RowBytes(n)
	for _, i := range at {
		_ = rows[(int(i)+1)*size-1] // the kernels do not check
	}
	if len(at) > 0 {
		current.Load().dots13(&dst[0], &query[0], &rows[0], &at[0], len(at), n)
	}
}

// Dots8 writes to dst[i] the exact dot product of query and the first bytes of row at[i] of rows as Dots13 has them, t>>5: three fifths of the memory, for a first look.
func Dots8(dst []int32, query []int16, rows []byte, at []uint32) {
	n := len(query)
	if n == 0 || n%64 != 0 || len(dst) < len(at) {
		panic("simd: a row of 13-bit integers has a multiple of 64 of them")
	}
	size := RowBytes(n)
	for _, i := range at {
		_ = rows[(int(i)+1)*size-1] // the kernels do not check
	}
	if len(at) > 0 {
		current.Load().dots8(&dst[0], &query[0], &rows[0], &at[0], len(at), n)
	}
}

func codeDistancesGeneric(dst *uint16, codes, planes *uint64, groups, words int) {
	out, all, query := unsafe.Slice(dst, groups*CodeGroup), unsafe.Slice(codes, groups*CodeGroup*words), unsafe.Slice(planes, CodePlanes*words)
	p0, p1, p2, p3 := query[:words], query[words:][:words], query[2*words:][:words], query[3*words:][:words]
	for g := range groups {
		var sum [CodeGroup]int
		for j, a := range p0 {
			b, c, d, lane := p1[j], p2[j], p3[j], (*[CodeGroup]uint64)(all[(g*words+j)*CodeGroup:])
			for i, x := range lane {
				sum[i] += bits.OnesCount64(x^a) + 2*bits.OnesCount64(x^b) + 4*bits.OnesCount64(x^c) + 8*bits.OnesCount64(x^d)
			}
		}
		for i, s := range sum {
			out[g*CodeGroup+i] = uint16(s)
		}
	}
}

func rankGeneric(distances, gains *uint16, n int, centre, base int32, shift uint64) {
	d, g := unsafe.Slice(distances, n), unsafe.Slice(gains, n)
	for i, x := range d {
		d[i] = uint16(min(max(base-(centre-2*int32(x))*int32(g[i])>>shift, 0), MaxRank))
	}
}

func atMostGeneric(mask *uint64, values *uint16, words int, limit uint16) {
	out, v := unsafe.Slice(mask, words), unsafe.Slice(values, 64*words)
	for i := range out {
		var m uint64
		for j, x := range (*[64]uint16)(v[64*i:]) {
			// The difference is negative, and its top bit set, when x > limit: no branch to guess wrong.
			m |= uint64(1^(uint32(limit)-uint32(x))>>31) << j
		}
		out[i] = m
	}
}

func atLeastGeneric(mask *uint64, values *uint32, words int, least uint32) {
	out, v := unsafe.Slice(mask, words), unsafe.Slice(values, 64*words)
	for i := range out {
		var m uint64
		for j, x := range (*[64]uint32)(v[64*i:]) {
			m |= (1 ^ (uint64(x)-uint64(least))>>63) << j // as above
		}
		out[i] = m
	}
}

func dots13Generic(dst *int64, query *int16, rows *byte, at *uint32, count, n int) {
	out, q, which := unsafe.Slice(dst, count), unsafe.Slice(query, n), unsafe.Slice(at, count)
	size := uintptr(RowBytes(n))
	for r, i := range which {
		row := unsafe.Slice((*byte)(unsafe.Add(unsafe.Pointer(rows), uintptr(i)*size)), size)
		high, low, last, second := row[:n], row[n:][:n/2], row[n+n/2:], q[n/2:]
		var a, b, c int32
		for j, x := range q {
			a += int32(x) * int32(int8(high[j]))
		}
		for j, x := range low {
			b += int32(q[j])*int32(x&15) + int32(second[j])*int32(x>>4)
		}
		for j, x := range q {
			c += int32(x) * int32(last[j/8]>>(j%8)&1)
		}
		out[r] = int64(a)<<5 + int64(b)<<1 + int64(c)
	}
}

func dots8Generic(dst *int32, query *int16, rows *byte, at *uint32, count, n int) {
	out, q, which := unsafe.Slice(dst, count), unsafe.Slice(query, n), unsafe.Slice(at, count)
	size := uintptr(RowBytes(n))
	for r, i := range which {
		high := unsafe.Slice((*int8)(unsafe.Add(unsafe.Pointer(rows), uintptr(i)*size)), n)
		var a int32
		for j, x := range q {
			a += int32(x) * int32(high[j])
		}
		out[r] = a
	}
}
