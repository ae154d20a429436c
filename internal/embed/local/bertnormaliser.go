package local

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// bertNormaliser is BERT's basic tokenisation before words are cut: controls go, white space becomes spaces, ideographs get spaces around
// them, accents go, letters become small. It was compared with Hugging Face's over all code points: they differ in some 680 that Unicode
// added since version 8 (letters' case, marks and punctuation), none of which is in a vocabulary of the models that can be run.
type bertNormaliser struct{ clean, ideographs, accents, lowercase bool }

func newBERTNormaliser(c component) bertNormaliser {
	is := func(b *bool, otherwise bool) bool {
		if b == nil {
			return otherwise
		}
		return *b
	}
	lowercase := is(c.Lowercase, true)
	return bertNormaliser{clean: is(c.CleanText, true), ideographs: is(c.Chinese, true), accents: is(c.StripAccents, lowercase), lowercase: lowercase}
}

func (n bertNormaliser) normalise(text string) string {
	var b strings.Builder
	b.Grow(len(text) + len(text)/4)
	for _, r := range text {
		switch {
		case r >= ' ' && r <= '~':
			b.WriteByte(byte(r))
		case n.clean && unicode.IsSpace(r): // before controls, which \t, \n and \r are too
			if r == '\v' || r == '\f' || r == 0x85 {
				continue
			}
			b.WriteByte(' ')
		case n.clean && (r == 0 || r == utf8.RuneError || unicode.In(r, unicode.Cc, unicode.Cf, unicode.Co)):
		case n.ideographs && ideograph(r):
			b.WriteByte(' ')
			b.WriteRune(r)
			b.WriteByte(' ')
		default:
			b.WriteRune(r)
		}
	}
	text = b.String()
	if n.accents {
		text = drop(norm.NFD.String(text), func(r rune) bool { return r >= utf8.RuneSelf && unicode.Is(unicode.Mn, r) })
	}
	if n.lowercase {
		text = lowercaseAll(text)
	}
	return text
}

// ideograph tells whether BERT puts spaces around r. The block at U+2B920 begins at U+2B820 in Unicode; models are run with it as it is here.
func ideograph(r rune) bool {
	switch {
	case r < 0x3400:
		return false
	case r <= 0x4DBF, r >= 0x4E00 && r <= 0x9FFF, r >= 0xF900 && r <= 0xFAFF,
		r >= 0x20000 && r <= 0x2A6DF, r >= 0x2A700 && r <= 0x2B73F, r >= 0x2B740 && r <= 0x2B81F, r >= 0x2B920 && r <= 0x2CEAF,
		r >= 0x2F800 && r <= 0x2FA1F:
		return true
	}
	return false
}
