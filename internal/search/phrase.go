package search

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"footnote/internal/lexical"
)

// quotes pairs the marks that a phrase stands in. The plain mark is its own partner.
var quotes = map[rune]rune{'"': '"', '＂': '＂', '“': '”', '„': '”', '「': '」', '『': '』', '«': '»'}

// phrases finds what stands in quotation marks in a query, as lexical.Fold has it, and the query without the marks. A plain mark opens only where a word
// may begin and closes only where one may end, so that a 24" screen is no phrase; marks without a partner, or with nothing between, are only marks.
func phrases(query string) (found []string, plain string) {
	runes := []rune(query)
	var b strings.Builder
	for i := 0; i < len(runes); i++ {
		end := closing(runes, i)
		if end < 0 {
			b.WriteRune(runes[i])
			continue
		}
		inside := string(runes[i+1 : end])
		if folded := lexical.Fold(inside); folded != "" {
			found = append(found, folded)
		}
		b.WriteString(" " + inside + " ")
		i = end
	}
	if len(found) == 0 {
		return nil, query
	}
	return found, strings.TrimSpace(b.String())
}

// closing is where the phrase that opens at i closes; −1 when none opens there.
func closing(runes []rune, i int) int {
	partner, ok := quotes[runes[i]]
	if !ok {
		return -1
	}
	straight := partner == runes[i]
	if straight && i > 0 && spaced(runes[i-1]) {
		return -1
	}
	for j := i + 1; j < len(runes); j++ {
		if runes[j] == partner && (!straight || j+1 == len(runes) || !spaced(runes[j+1])) {
			return j
		}
	}
	return -1
}

// spaced tells the characters of words that have spaces between them.
func spaced(r rune) bool {
	return (unicode.IsLetter(r) || unicode.IsDigit(r)) &&
		!unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar)
}

// hasAll tells whether the folded text has every phrase, each from the beginning of a word to the end of one.
func hasAll(folded string, phrases []string) bool {
	for _, p := range phrases {
		if !hasPhrase(folded, p) {
			return false
		}
	}
	return true
}

func hasPhrase(folded, phrase string) bool {
	first, _ := utf8.DecodeRuneInString(phrase)
	last, _ := utf8.DecodeLastRuneInString(phrase)
	for at := 0; ; {
		i := strings.Index(folded[at:], phrase)
		if i < 0 {
			return false
		}
		start, end := at+i, at+i+len(phrase)
		before, _ := utf8.DecodeLastRuneInString(folded[:start])
		after, _ := utf8.DecodeRuneInString(folded[end:])
		if !(spaced(first) && start > 0 && spaced(before)) && !(spaced(last) && end < len(folded) && spaced(after)) {
			return true
		}
		_, width := utf8.DecodeRuneInString(folded[start:])
		at = start + width
	}
}
