package lexical

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Fold is the form in which texts are compared letter by letter: NFKC, lower case, traditional characters simplified, typographic quotation marks,
// apostrophes and dashes as their plain ones, white space as one space, and none beside a Han character, where a line's end means nothing.
func Fold(s string) string {
	var b strings.Builder
	b.Grow(len(s))
	space, last := false, rune(0)
	for _, r := range strings.ToLower(norm.NFKC.String(s)) {
		if unicode.IsSpace(r) {
			space = true
			continue
		}
		r = FoldRune(r)
		if space && last != 0 && !isHan(last) && !isHan(r) {
			b.WriteByte(' ')
		}
		space, last = false, r
		b.WriteRune(r)
	}
	return b.String()
}

// FoldRune simplifies a traditional character and makes a typographic mark plain; any other is left.
func FoldRune(r rune) rune {
	if r < 0x2010 {
		return r
	}
	switch r {
	case '‘', '’':
		return '\''
	case '“', '”':
		return '"'
	case '‐', '‑', '‒', '–', '—', '−':
		return '-'
	}
	if to, ok := simplified[r]; ok {
		return to
	}
	return r
}

// IsHan tells Chinese characters, which Terms takes one by one.
func IsHan(r rune) bool { return isHan(r) }
