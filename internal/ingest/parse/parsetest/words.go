// Package parsetest is what the tests of parsers share: a measure of how much of a text was found, and PDFs made of words at places.
package parsetest

import (
	"slices"
	"strings"
	"unicode"
)

// Words counts a text's words: runs of letters and digits, each wide character one of its own.
func Words(s string) map[string]int {
	out := map[string]int{}
	var b strings.Builder
	end := func() {
		if b.Len() > 0 {
			out[b.String()]++
			b.Reset()
		}
	}
	for _, r := range s {
		switch {
		case wide(r):
			end()
			out[string(r)]++
		case unicode.IsLetter(r) || unicode.IsDigit(r):
			b.WriteRune(unicode.ToLower(r))
		default:
			end()
		}
	}
	end()
	return out
}

// wide tells the characters that East Asian fonts draw as wide as high.
func wide(c rune) bool {
	return c >= 0x2e80 && c <= 0x9fff || c >= 0xac00 && c <= 0xd7a3 || c >= 0xf900 && c <= 0xfaff || c >= 0xff00 && c <= 0xff60 || c >= 0x20000 && c <= 0x3ffff
}

// Recall is the share of the words of want that got has; 1 where want has none.
func Recall(want, got string) float64 {
	has := Words(got)
	n, found := 0, 0
	for w, c := range Words(want) {
		n += c
		found += min(c, has[w])
	}
	if n == 0 {
		return 1
	}
	return float64(found) / float64(n)
}

// Missing lists some of the words of want that got lacks, sorted.
func Missing(want, got string) (out []string) {
	has := Words(got)
	for w, c := range Words(want) {
		if has[w] < c {
			out = append(out, w)
		}
	}
	slices.Sort(out)
	return out[:min(len(out), 25)]
}
