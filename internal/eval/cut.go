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

// CutToMean cuts texts with the size that makes the spans' mean length come nearest to mean.
func CutToMean(texts []string, cut Cutter, mean float64) (out [][]rag.Span) {
	low, high := 1, 1
	for _, s := range texts {
		high = max(high, text.Len(s))
	}
	high = min(high, 20*int(mean)+20)
	for low < high {
		size := (low + high) / 2
		if _, m := cutAll(texts, cut, size); m < mean {
			low = size + 1
		} else {
			high = size
		}
	}
	at, above := cutAll(texts, cut, low)
	if low > 1 {
		if under, below := cutAll(texts, cut, low-1); mean-below < above-mean {
			return under
		}
	}
	return at
}

func cutAll(texts []string, cut Cutter, size int) (out [][]rag.Span, mean float64) {
	n, sum := 0, 0
	for _, s := range texts {
		spans := cut(s, size)
		for _, p := range spans {
			n, sum = n+1, sum+p.Len()
		}
		out = append(out, spans)
	}
	return out, float64(sum) / float64(max(n, 1))
}
