package llm

import (
	"math"
	"sync"
	"unicode"

	"github.com/tiktoken-go/tokenizer/codec"

	"footnote/internal/text"
)

// The vocabularies are unpacked when they are first used: it takes a quarter of a second.
var (
	cl100kBase = sync.OnceValue(codec.NewCl100kBase)
	o200kBase  = sync.OnceValue(codec.NewO200kBase)
)

// countedAtOnce bounds what goes through a vocabulary in one piece, in code points: joining a word's pairs takes the square of its length, and nothing keeps a text from
// being one word. A cut adds one token at most.
const countedAtOnce = 2000

// countTokens counts the tokens of a text as the vocabulary has them, or estimates them where it is not known.
func countTokens(v vocabulary, s string) int {
	switch v {
	case unknownVocabulary:
		return estimate(s, poorHan)
	case chinese:
		return estimate(s, richHan)
	}
	base := o200kBase
	if v == cl100k {
		base = cl100kBase
	}
	total := 0
	for s != "" {
		piece := text.Slice(s, 0, countedAtOnce)
		s = s[len(piece):]
		n, err := base().Count(piece)
		if err != nil {
			n = len(piece) // no token is shorter than a byte
		}
		total += n
	}
	return total
}

// Tokens of a Chinese character: in vocabularies that were made for Chinese, too, one at most, and in others often two, for a character of three bytes is cut into pieces.
const (
	richHan = 1
	poorHan = 1.7
)

// estimate is a number of tokens that a text hardly exceeds, whatever the vocabulary: a word of ASCII letters has a token for every 4 of them, begun ones whole; a digit, a
// punctuation mark and a line end have one each, as does a letter of any script other than Chinese, whose characters have han; what lies beyond the basic plane, such as emoji,
// has three. A tenth is added. docs/providers.md has how far it is off for the vocabularies that were measured.
func estimate(s string, han float64) int {
	n, word := 0.0, 0
	for _, r := range s {
		if r < unicode.MaxASCII && unicode.IsLetter(r) {
			if word%4 == 0 {
				n++
			}
			word++
			continue
		}
		word = 0
		switch {
		case r == ' ':
		case text.IsHan(r):
			n += han
		case r > 0xFFFF:
			n += 3
		default:
			n++
		}
	}
	return int(math.Ceil(1.1 * n))
}
