package search

import (
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"footnote/internal/lexical"
	"footnote/internal/rag"
)

const (
	shingleWords   = 3   // words, or Chinese characters, of a shingle
	sketchBins     = 128 // of a sketch: the estimate of a similarity of .9 has a standard error of .027
	nearDuplicate  = 0.9 // share of shingles in common from which two texts are nearly the same
	headedWords    = 16  // texts of fewer words are compared with title and headings, which say what they are about
	fnvOffset, fnv = uint64(14695981039346656037), uint64(1099511628211)
)

// sketch is what near-duplicates are told by: the least hash of each bin of a text's shingles (Broder 1997; one permutation: Li, Owen & Zhang, NIPS 2012), and the text's
// numbers and negations in their order. Texts that differ in one of those say something else, however much they share.
type sketch struct {
	least    [sketchBins]uint64
	telltale uint64
}

func sketchOf(h rag.Hit) *sketch {
	var s sketch
	if s.read(h.Chunk.Text) < headedWords {
		s = sketch{}
		s.read(h.Chunk.Embedded(h.Document.Title))
	}
	return &s
}

// near tells whether two sketches are of nearly the same text.
func (s *sketch) near(t *sketch) bool {
	if s.telltale != t.telltale {
		return false
	}
	same, used := 0, 0
	for i, h := range s.least {
		if h|t.least[i] != 0 {
			used++
			if h == t.least[i] {
				same++
			}
		}
	}
	return float64(same) >= nearDuplicate*float64(used)
}

// read adds a text's shingles; it returns how many words there are. Words are as lexical folds them, unstemmed.
func (s *sketch) read(text string) (words int) {
	var window [shingleWords]uint64
	add := func(h uint64, tell bool) {
		window[words%shingleWords] = h
		words++
		if tell {
			s.telltale = (s.telltale ^ h) * fnv
		}
		if words >= shingleWords {
			s.shingle(window[words%shingleWords], window[(words+1)%shingleWords], window[(words+2)%shingleWords])
		}
	}
	word, digits := fnvOffset, false
	end := func() {
		if word != fnvOffset {
			add(word, digits || tellingWords[word])
		}
		word, digits = fnvOffset, false
	}
	letter := func(r rune) { word = (word ^ uint64(r)) * fnv }
	for i := 0; i < len(text); {
		r, width := rune(text[i]), 1
		if r < utf8.RuneSelf {
			switch {
			case 'a' <= r && r <= 'z':
				letter(r)
			case 'A' <= r && r <= 'Z':
				letter(r + 'a' - 'A')
			case '0' <= r && r <= '9':
				digits = true
				letter(r)
			case r == '\'':
			default:
				end()
			}
			i++
			continue
		}
		r, width = utf8.DecodeRuneInString(text[i:])
		switch {
		case '一' <= r && r <= '鿿' || lexical.IsHan(r):
			end()
			r = lexical.FoldRune(r)
			add((fnvOffset^uint64(r))*fnv, tellingCharacter(r))
		case r == '’':
		case !unicode.IsLetter(r) && !unicode.IsNumber(r) && !unicode.IsMark(r):
			end()
		default:
			for _, f := range norm.NFKC.String(text[i : i+width]) {
				digits = digits || unicode.IsNumber(f)
				letter(unicode.ToLower(f))
			}
		}
		i += width
	}
	end()
	if words > 0 && words < shingleWords {
		s.shingle(window[0], window[1], window[2])
	}
	if words == 0 { // marks and pictures only
		for _, r := range text {
			s.shingle(uint64(r), 0, 0)
		}
	}
	return words
}

func (s *sketch) shingle(a, b, c uint64) {
	h := mix(mix(mix(a)^b) ^ c)
	bin := &s.least[h%sketchBins]
	if h |= sketchBins; *bin == 0 || h < *bin { // never 0, which says that a bin is empty
		*bin = h
	}
}

// mix spreads every bit over all others (MurmurHash3's last step).
func mix(h uint64) uint64 {
	h = (h ^ h>>33) * 0xff51afd7ed558ccd
	h = (h ^ h>>33) * 0xc4ceb9fe1a85ec53
	return h ^ h>>33
}

// tellingWords, and the characters of tellingCharacter, make another statement of a text that is otherwise the same.
var tellingWords = func() map[uint64]bool {
	m := map[uint64]bool{}
	for _, w := range []string{"not", "no", "never", "none", "neither", "nor", "without", "cannot", "cant", "dont", "doesnt", "isnt", "wont", "zero", "one", "two", "three", "four", "five", "six", "seven",
		"eight", "nine", "ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty",
		"ninety", "hundred", "thousand", "million", "billion", "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december",
		"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"} {
		h := fnvOffset
		for _, r := range w {
			h = (h ^ uint64(r)) * fnv
		}
		m[h] = true
	}
	return m
}()

func tellingCharacter(r rune) bool {
	switch r {
	case '〇', '零', '一', '二', '三', '四', '五', '六', '七', '八', '九', '十', '百', '千', '万', '亿', '两', '半', '不', '没', '未', '无', '非', '勿':
		return true
	}
	return false
}
