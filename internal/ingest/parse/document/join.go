package document

import (
	"unicode/utf8"

	"footnote/internal/text"
)

// Space is what stands between two lines of one paragraph: a space, or nothing between two Chinese characters or marks.
func Space(before, after string) string {
	a, _ := utf8.DecodeLastRuneInString(before)
	b, _ := utf8.DecodeRuneInString(after)
	mark := func(r rune) bool { return r >= 0x3000 && r <= 0x303f || r >= 0xff00 && r <= 0xff65 }
	if (text.IsHan(a) || mark(a)) && (text.IsHan(b) || mark(b)) {
		return ""
	}
	return " "
}
