package text

import (
	"strings"
	"unicode"
)

// IsHan tells whether r is a Chinese character: the unified and compatibility ideographs, 々 and 〇.
func IsHan(r rune) bool {
	switch {
	case r < 0x3005:
		return false
	case r >= 0x4e00 && r <= 0x9fff, r >= 0x3400 && r <= 0x4dbf, r >= 0xf900 && r <= 0xfaff, r >= 0x20000 && r <= 0x323af:
		return true
	}
	return r == 0x3005 || r == 0x3007
}

// lettersPerHan is how many letters of an alphabet say as much as one Chinese character: parallel paragraphs of XQuAD have 3.1
// characters of English for one of Chinese.
const lettersPerHan = 3

// Language returns "zh" when Chinese characters carry most of s, "en" when other letters do, and "" when s has no letter.
func Language(s string) string {
	han, other := countLetters(s)
	switch {
	case han == 0 && other == 0:
		return ""
	case han*lettersPerHan >= other && han > 0:
		return "zh"
	}
	return "en"
}

// HanRatio is the share of Chinese characters among the letters of s, from 0 to 1; 0 when s has no letter.
func HanRatio(s string) float64 {
	han, other := countLetters(s)
	if han == 0 {
		return 0
	}
	return float64(han) / float64(han+other)
}

func countLetters(s string) (han, other int) {
	for _, r := range s {
		switch {
		case r|0x20 >= 'a' && r|0x20 <= 'z':
			other++
		case r < 0x80:
		case IsHan(r):
			han++
		case unicode.IsLetter(r):
			other++
		}
	}
	return han, other
}

// FoldWidth turns the full-width forms of ASCII (U+FF01 to U+FF5E) and the ideographic space into ASCII. Each code point stays
// one code point, so spans hold.
func FoldWidth(s string) string {
	return strings.Map(FoldRuneWidth, s)
}

// FoldRuneWidth is FoldWidth of one code point.
func FoldRuneWidth(r rune) rune {
	switch {
	case r >= 0xff01 && r <= 0xff5e:
		return r - 0xfee0
	case r == 0x3000:
		return ' '
	}
	return r
}
