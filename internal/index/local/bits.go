package local

import (
	"iter"
	"math/bits"
)

// bitset has a bit a point (or a run), from the lowest bit of its first word. Segments have at most a million points, so that a plain bitset is at most
// 128 KiB: and, or and not run at memory speed, and a scan takes 64 bits of it at a time. The bits past the length are zero.
type bitset []uint64

func newBitset(n int) bitset { return make(bitset, (n+63)/64) }

// full has the first n bits set.
func full(n int) bitset {
	b := newBitset(n)
	b.setRange(0, n)
	return b
}

func (b bitset) has(i int) bool { return b[i>>6]>>(i&63)&1 != 0 }
func (b bitset) set(i int)      { b[i>>6] |= 1 << (i & 63) }

// setRange sets the bits [from, to).
func (b bitset) setRange(from, to int) {
	for from < to {
		if from&63 == 0 && to-from >= 64 {
			b[from>>6] = ^uint64(0)
			from += 64
			continue
		}
		n := min(64-from&63, to-from)
		b[from>>6] |= (^uint64(0) >> (64 - n)) << (from & 63)
		from += n
	}
}

func (b bitset) and(o bitset) {
	for i := range b {
		b[i] &= o[i]
	}
}

func (b bitset) or(o bitset) {
	for i := range b {
		b[i] |= o[i]
	}
}

func (b bitset) andNot(o bitset) {
	for i := range o {
		b[i] &^= o[i]
	}
}

// flip inverts the first n bits.
func (b bitset) flip(n int) {
	for i := range b {
		b[i] = ^b[i]
	}
	if n&63 != 0 {
		b[n>>6] &= 1<<(n&63) - 1
	}
}

func (b bitset) count() (n int) {
	for _, w := range b {
		n += bits.OnesCount64(w)
	}
	return n
}

// each gives the positions of the bits that are set, ascending.
func (b bitset) each() iter.Seq[int] {
	return func(yield func(int) bool) {
		for i, w := range b {
			for ; w != 0; w &= w - 1 {
				if !yield(i<<6 + bits.TrailingZeros64(w)) {
					return
				}
			}
		}
	}
}
