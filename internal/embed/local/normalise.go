package local

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

const wordMark = "\u2581"

// normalise prepares text for the pieces as SentencePiece's precompiled table of this model does: map each code point, compose,
// fold runs of spaces, and mark the start of words. Invalid bytes become U+FFFD.
func (t *tokenizer) normalise(text string) string {
	var b strings.Builder
	b.Grow(len(text) + len(text)/4 + 3)
	for _, r := range text {
		if r < utf8.RuneSelf && r >= 0x20 && r < 0x7f {
			b.WriteByte(byte(r))
		} else if to, ok := t.replace[r]; ok {
			b.WriteString(to)
		} else {
			b.WriteRune(r)
		}
	}
	mapped := b.String()
	if !norm.NFC.IsNormalString(mapped) {
		mapped = norm.NFC.String(mapped)
	}
	var out strings.Builder
	out.Grow(len(mapped) + len(mapped)/4 + 3)
	if !strings.HasPrefix(mapped, " ") {
		out.WriteString(wordMark)
	}
	space := false
	for _, r := range mapped {
		if r == ' ' {
			if !space {
				out.WriteString(wordMark)
			}
			space = true
			continue
		}
		space = false
		out.WriteRune(r)
	}
	return out.String()
}
