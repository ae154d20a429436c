package eval

import (
	"strings"
	"unicode"

	"footnote/internal/rag"
	"footnote/internal/text"
)

// Cutter cuts a text into spans of at most size code points each, in text order, without white space at their ends. It is what a chunker is compared with.
type Cutter func(s string, size int) []rag.Span

// CutFixed cuts every size code points, wherever that is.
func CutFixed(s string, size int) (out []rag.Span) {
	r := []rune(s)
	for at := 0; at < len(r); at += size {
		out = appendTrimmed(out, r, rag.Span{Start: at, End: min(at+size, len(r))})
	}
	return out
}

// separators of CutRecursive, the first that a text has: paragraphs, lines, sentences of English and Chinese, words, characters.
var separators = []string{"\n\n", "\n", ".?!。？！", " ", ""}

// CutRecursive cuts as the common recursive splitter does: at the strongest separator that the text has, again within what is still too long, and then joins neighbours as long as
// they fit.
func CutRecursive(s string, size int) (out []rag.Span) {
	r := []rune(s)
	for _, span := range recursive(nil, r, rag.Span{End: len(r)}, size, 0) {
		out = appendTrimmed(out, r, span)
	}
	return out
}

func recursive(out []rag.Span, r []rune, whole rag.Span, size, level int) []rag.Span {
	if whole.Len() <= size {
		return append(out, whole)
	}
	var joined rag.Span // parts that fit together
	flush := func() {
		if joined.Len() > 0 {
			out = append(out, joined)
		}
		joined = rag.Span{}
	}
	for at := whole.Start; at < whole.End; {
		part := rag.Span{Start: at, End: partEnd(r[:whole.End], at, separators[level])}
		at = part.End
		switch {
		case part.Len() > size:
			flush()
			out = recursive(out, r, part, size, level+1)
		case joined.Len() > 0 && part.End-joined.Start <= size:
			joined.End = part.End
		default:
			flush()
			joined = part
		}
	}
	flush()
	return out
}

// partEnd is where the part that begins at a place ends: after the next separator.
func partEnd(r []rune, at int, separator string) int {
	for i := at; i < len(r); i++ {
		switch separator {
		case "":
			return i + 1
		case "\n\n":
			if r[i] == '\n' && i+1 < len(r) && r[i+1] == '\n' {
				return i + 2
			}
		default:
			if strings.ContainsRune(separator, r[i]) {
				return i + 1
			}
		}
	}
	return len(r)
}

func appendTrimmed(out []rag.Span, r []rune, s rag.Span) []rag.Span {
	for s.Start < s.End && unicode.IsSpace(r[s.Start]) {
		s.Start++
	}
	for s.End > s.Start && unicode.IsSpace(r[s.End-1]) {
		s.End--
	}
	if s.Empty() {
		return out
	}
	return append(out, s)
}

// MeanLength is the mean length of spans; weighted, that of the span that a character stands in. Spans of one mean and different spread differ in the latter, and long ones are found more
// often, so two chunkers with the same plain mean may bring different amounts of text.
func MeanLength(lengths []int, weighted bool) float64 {
	sum, squares := 0, 0
	for _, n := range lengths {
		sum, squares = sum+n, squares+n*n
	}
	if weighted {
		return float64(squares) / float64(max(sum, 1))
	}
	return float64(sum) / float64(max(len(lengths), 1))
}

// CutToMean cuts texts with the size that makes the spans' MeanLength come nearest to mean.
func CutToMean(texts []string, cut Cutter, mean float64, weighted bool) (out [][]rag.Span) {
	low, high := 1, 1
	for _, s := range texts {
		high = max(high, text.Len(s))
	}
	high = min(high, 20*int(mean)+20)
	for low < high {
		size := (low + high) / 2
		if _, m := cutAll(texts, cut, size, weighted); m < mean {
			low = size + 1
		} else {
			high = size
		}
	}
	at, above := cutAll(texts, cut, low, weighted)
	if low > 1 {
		if under, below := cutAll(texts, cut, low-1, weighted); mean-below < above-mean {
			return under
		}
	}
	return at
}

func cutAll(texts []string, cut Cutter, size int, weighted bool) (out [][]rag.Span, mean float64) {
	var lengths []int
	for _, s := range texts {
		spans := cut(s, size)
		for _, p := range spans {
			lengths = append(lengths, p.Len())
		}
		out = append(out, spans)
	}
	return out, MeanLength(lengths, weighted)
}
