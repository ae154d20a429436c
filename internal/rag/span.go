package rag

import "fmt"

// Span is a half-open range [Start, End) of Unicode code points of a text.
type Span struct{ Start, End int }

// NewSpan returns the span, or an Invalid error unless 0 ≤ start ≤ end.
func NewSpan(start, end int) (Span, error) {
	if start < 0 || end < start {
		return Span{}, Errorf(Invalid, "span [%d, %d) is not a range", start, end)
	}
	return Span{start, end}, nil
}

// Len is the number of code points.
func (s Span) Len() int { return s.End - s.Start }

// Empty tells whether s holds no code point.
func (s Span) Empty() bool { return s.End <= s.Start }

// Contains tells whether t lies inside s.
func (s Span) Contains(t Span) bool { return s.Start <= t.Start && t.End <= s.End }

// Overlaps tells whether s and t share a code point.
func (s Span) Overlaps(t Span) bool { return s.Start < t.End && t.Start < s.End }

// Shift moves s by n code points.
func (s Span) Shift(n int) Span { return Span{s.Start + n, s.End + n} }

// String is the half-open interval.
func (s Span) String() string { return fmt.Sprintf("[%d, %d)", s.Start, s.End) }
