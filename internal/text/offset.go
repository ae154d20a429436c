package text

import (
	"unicode/utf8"

	"footnote/internal/rag"
)

// Len is the number of code points of s.
func Len(s string) int { return utf8.RuneCountInString(s) }

// Slice returns the code points [start, end) of s, without a copy. Bounds outside s are clamped; an inverted range is empty.
// It scans s from its beginning: for many slices of one text build an Index.
func Slice(s string, start, end int) string {
	if start < 0 {
		start = 0
	}
	if end <= start {
		return ""
	}
	from := skip(s, 0, start)
	return s[from:skip(s, from, end-start)]
}

// skip returns the byte offset n code points after the byte offset i, or len(s).
func skip(s string, i, n int) int {
	for ; n > 0 && i < len(s); n-- {
		if s[i] < utf8.RuneSelf {
			i++
			continue
		}
		_, width := utf8.DecodeRuneInString(s[i:])
		i += width
	}
	return i
}

// stride is the number of code points between two entries of an Index's table: 8 bytes a stride, at most 63 steps a look-up.
const stride = 64

// Index turns code points into bytes and back for one text, in constant and logarithmic time. It is immutable and may be used
// concurrently. All methods clamp positions that lie outside the text.
type Index struct {
	s     string
	n     int   // code points
	table []int // table[i] is the byte offset of code point i·stride; nil when every code point is one byte
}

// NewIndex builds the index of s in one pass. The Index keeps s.
func NewIndex(s string) *Index {
	x := &Index{s: s, n: utf8.RuneCountInString(s)}
	if x.n == len(s) {
		return x
	}
	x.table = make([]int, 0, x.n/stride+1)
	cp := 0
	for i := range s {
		if cp%stride == 0 {
			x.table = append(x.table, i)
		}
		cp++
	}
	return x
}

// Len is the number of code points of the text.
func (x *Index) Len() int { return x.n }

// Text is the whole text.
func (x *Index) Text() string { return x.s }

// Slice returns the text of span, without a copy.
func (x *Index) Slice(span rag.Span) string {
	if span.Empty() {
		return ""
	}
	return x.s[x.Byte(span.Start):x.Byte(span.End)]
}

// Byte returns the byte offset of code point cp; Len() gives the length in bytes.
func (x *Index) Byte(cp int) int {
	switch {
	case cp <= 0:
		return 0
	case cp >= x.n:
		return len(x.s)
	case x.table == nil:
		return cp
	}
	return skip(x.s, x.table[cp/stride], cp%stride)
}

// Rune returns the code point that the byte at byteOff belongs to; the length in bytes gives Len().
func (x *Index) Rune(byteOff int) int {
	switch {
	case byteOff <= 0:
		return 0
	case byteOff >= len(x.s):
		return x.n
	case x.table == nil:
		return byteOff
	}
	lo, hi := 0, len(x.table) // table[lo] <= byteOff < table[hi]
	for hi-lo > 1 {
		if mid := (lo + hi) / 2; x.table[mid] <= byteOff {
			lo = mid
		} else {
			hi = mid
		}
	}
	cp, i := lo*stride, x.table[lo]
	for {
		next := skip(x.s, i, 1)
		if next > byteOff {
			return cp
		}
		i, cp = next, cp+1
	}
}
