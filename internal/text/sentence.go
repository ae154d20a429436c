package text

import (
	"unicode"

	"footnote/internal/rag"
)

// Sentences returns the sentences of s in order, as spans of code points that neither overlap nor begin or end in white space.
// Every code point that is not white space lies in exactly one of them.
//
// Chinese sentences end at 。！？； and ellipses, English ones at . ! ? where neither an abbreviation, an initial, a number nor a
// continuation in lower case says otherwise; closing quotes, brackets and reference marks such as [12] stay with their sentence.
// A newline ends a sentence only where a paragraph ends: at a blank line and around list items, table rows and headings.
//
// The rules follow Unicode UAX #29 (sentence boundaries), with abbreviations as in Kiss & Strunk 2006, here a fixed list.
func Sentences(s string) []rag.Span {
	r := []rune(s)
	var spans []rag.Span
	line, from := 0, 0
	for i := 0; i <= len(r); i++ {
		if i < len(r) && r[i] != '\n' {
			continue
		}
		if i == len(r) || breaks(r, line, i) {
			spans = paragraph(spans, r, from, i)
			from = i + 1
		}
		line = i + 1
	}
	return spans
}

// paragraph appends the sentences of r[from:to].
func paragraph(spans []rag.Span, r []rune, from, to int) []rag.Span {
	add := func(a, b int) {
		for a < b && unicode.IsSpace(r[a]) {
			a++
		}
		for b > a && unicode.IsSpace(r[b-1]) {
			b--
		}
		if a < b {
			spans = append(spans, rag.Span{Start: a, End: b})
		}
	}
	for from < to && unicode.IsSpace(r[from]) {
		from++
	}
	body := r[:to]
	start := from
	quoted := false // inside straight double quotes, which do not say whether they open or close
	for i := from + itemMarker(body[from:]); i < to; i++ {
		if r[i] == '"' || r[i] == '＂' {
			quoted = !quoted
			continue
		}
		if !isTerminator(r[i]) {
			continue
		}
		var end int
		end, quoted = tail(body, i, quoted)
		if ends(body, start, i, end) {
			add(start, end)
			start, quoted = end, false
		}
		i = end - 1
	}
	add(start, to)
	return spans
}

// tail returns the end of what belongs to the terminator at r[i]: further terminators, closing quotes and brackets, reference marks.
func tail(r []rune, i int, quoted bool) (int, bool) {
	i++
	for i < len(r) {
		switch c := r[i]; {
		case isTerminator(c), isCloser(c):
			i++
		case (c == '"' || c == '＂') && quoted:
			quoted = false
			i++
		case c == '[':
			n := reference(r[i:])
			if n == 0 {
				return i, quoted
			}
			i += n
		default:
			return i, quoted
		}
	}
	return i, quoted
}

// reference returns the length of a reference mark such as [12] or [3, 4] at the beginning of r, or 0.
func reference(r []rune) int {
	for i := 1; i < len(r) && i < 16; i++ {
		switch c := r[i]; {
		case c == ']' && i > 1:
			return i + 1
		case !unicode.IsDigit(c) && c != ',' && c != ' ' && c != '-' && c != '–':
			return 0
		}
	}
	return 0
}

// ends decides whether the sentence begun at start ends at end, for the terminator at r[i] whose tail reaches to end.
func ends(r []rune, start, i, end int) bool {
	next := end
	for next < len(r) && unicode.IsSpace(r[next]) {
		next++
	}
	if next == len(r) {
		return true
	}
	spaced := next > end
	c := r[next]
	switch r[i] {
	case '。', '！', '？', '；', '｡':
		return !isContinuation(c)
	case '…', '⋯':
		if isContinuation(c) {
			return false
		}
		return IsHan(c) && before(r, start, i) || spaced && !unicode.IsLower(c)
	case ';':
		return IsHan(c) && before(r, start, i)
	}
	if isContinuation(c) {
		return false
	}
	if !spaced {
		// Chinese written with half-width stops has no space; elsewhere 3.14, example.com and "(sic!)" go on.
		return isIdeographic(c) && (r[i] != '.' && r[i] != '．' || before(r, start, i))
	}
	if unicode.IsLower(c) {
		return false
	}
	if r[i] == '.' || r[i] == '．' {
		return !abbreviated(r, start, i, next)
	}
	return true
}

// before tells whether a Chinese character or a Chinese mark precedes r[i], terminators and closing marks aside.
func before(r []rune, start, i int) bool {
	for i--; i >= start; i-- {
		if !isTerminator(r[i]) && !isCloser(r[i]) && r[i] != '"' {
			return isIdeographic(r[i])
		}
		if r[i] > 0x2fff {
			return true
		}
	}
	return false
}

// isIdeographic tells whether r is written without spaces around it: Chinese characters, kana and their punctuation.
func isIdeographic(r rune) bool {
	return IsHan(r) || r >= 0x3001 && r <= 0x30ff || r >= 0xff01 && r <= 0xff60 || r == '“' || r == '‘'
}

func isTerminator(r rune) bool {
	switch r {
	case '.', '!', '?', ';', '。', '！', '？', '；', '…', '⋯', '．', '｡', '‼', '⁇', '⁈', '⁉':
		return true
	}
	return false
}

func isCloser(r rune) bool {
	switch r {
	case '”', '’', '」', '』', '）', '】', '》', '〉', '〕', '］', '｝', '〗', '＇', '\'', ')', ']', '}', '»', '›', '*', '_':
		return true
	}
	return false
}

// isContinuation tells whether r, after a terminator and its tail, shows that the sentence goes on.
func isContinuation(r rune) bool {
	switch r {
	case ',', '，', '、', ';', ':', '：', '—', '–', '”', '’', '」', '』', '）', '】', '》', ')', ']':
		return true
	}
	return false
}
