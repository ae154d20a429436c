// Package compare finds where a claim says otherwise than its source: numbers, units, dates, names, roles, negation, quantifiers and directions, in English and in
// simplified and traditional Chinese.
//
// It owns the analysis of a text into facts and their comparison, by rules and word lists. It knows no vector and no score, and leaves the verdict to its caller.
// All functions are pure; a Text may be shared between goroutines. Every position is a code point of the text that was analysed.
package compare

import (
	"slices"
	"strings"
	"unicode"

	"github.com/kljensen/snowball/english"

	"footnote/internal/lexical"
	"footnote/internal/rag"
	"footnote/internal/text"
)

// Token is a unit of comparison: a word, a number in whatever digits or words, a Chinese word of the lists, or one Chinese character.
type token struct {
	key     string // what makes two tokens the same: a stem, a simplified character, a number's value
	word    string // lower case and simplified, as it stands
	span    rag.Span
	clause  int
	han     bool
	stop    bool
	capital bool // begins with a capital and does not begin the sentence
	first   bool // begins the sentence
	quoted  bool // in quotation marks or 《》
	number  *quantity
	senses  []sense // directions and quantifiers
	negates bool
	names   bool // the name of a place
}

// Text is a text with the facts that it states.
type Text struct {
	runes   []rune
	tokens  []token
	numbers []int // tokens that are numbers
	marks   []int // tokens with senses
	denials []int // tokens that negate
	chinese bool
	has     map[string]bool // keys of content tokens, and pairs of neighbouring characters
}

// Chinese tells whether most of the text is Chinese.
func (t *Text) Chinese() bool { return t.chinese }

// Analyse reads the facts of s once, for any number of comparisons.
func Analyse(s string) *Text {
	t := &Text{runes: []rune(s)}
	t.chinese = text.Language(s) == "zh"
	s2 := scanner{Text: t, folded: make([]rune, len(t.runes)), opening: true}
	for i, r := range t.runes {
		s2.folded[i] = lexical.FoldRune(unicode.ToLower(text.FoldRuneWidth(r)))
	}
	s2.scan()
	s2.joinNumbers()
	s2.datesAndUnits()
	t.has = make(map[string]bool, len(t.tokens)*2)
	for i := range t.tokens {
		k := &t.tokens[i]
		if k.number != nil {
			t.numbers = append(t.numbers, i)
		}
		if len(k.senses) > 0 {
			t.marks = append(t.marks, i)
		}
		if k.negates {
			t.denials = append(t.denials, i)
		}
		if k.stop {
			continue
		}
		t.has[k.key] = true
		if k.han && i > 0 && t.tokens[i-1].han && t.tokens[i-1].span.End == k.span.Start {
			t.has[t.tokens[i-1].key+k.key] = true
		}
	}
	return t
}

// Terms calls f with each content term: words, numbers, and pairs of neighbouring Chinese characters.
func (t *Text) Terms(f func(term string)) {
	for i := range t.tokens {
		k := &t.tokens[i]
		if k.stop && !k.han {
			continue
		}
		if !k.han || len(k.word) > 3 {
			f(k.key)
		}
		if k.han && i > 0 && t.tokens[i-1].han && t.tokens[i-1].span.End == k.span.Start {
			f(t.tokens[i-1].key + k.key)
		}
	}
}

type scanner struct {
	*Text
	folded  []rune
	clause  int
	opening bool // the next token begins a sentence
	quote   rune // the mark that would close the quotation; 0: none is open
	quoted  int  // tokens since it was opened
}

// longestQuotation in tokens: beyond, a mark was not paired.
const longestQuotation = 24

func (s *scanner) scan() {
	for i := 0; i < len(s.folded); {
		r := s.folded[i]
		switch {
		case r >= '0' && r <= '9':
			i = s.digits(i)
		case lexical.IsHan(r):
			i = s.hanWord(i)
		case unicode.IsLetter(r):
			i = s.latinWord(i)
		default:
			s.punctuation(i)
			i++
		}
	}
}

var closers = map[rune]rune{'《': '》', '「': '」', '『': '』', '“': '”', '〈': '〉', '"': '"'}

func (s *scanner) punctuation(i int) {
	raw := s.runes[i]
	switch {
	case s.quote != 0 && raw == s.quote:
		s.quote = 0
	case s.quote == 0 && closers[raw] != 0:
		s.quote, s.quoted = closers[raw], 0
	}
	switch s.folded[i] {
	case '.', '。', '!', '?':
		if s.folded[i] == '.' && i+1 < len(s.folded) && !unicode.IsSpace(s.folded[i+1]) {
			return
		}
		s.clause++
		s.opening = true
	case ',', ';', ':', '、', '(', ')', '—', '\n':
		s.clause++
	case '%', '‰', '°', '$', '€', '£', '¥', '℃':
		s.add(i, i+1, false)
	}
}

// add appends the token at [start, end).
func (s *scanner) add(start, end int, han bool) *token {
	word := string(s.folded[start:end])
	k := token{key: word, word: word, span: rag.Span{Start: start, End: end}, clause: s.clause, han: han, first: s.opening}
	s.opening = false
	if s.quote != 0 {
		if s.quoted++; s.quoted > longestQuotation {
			s.quote = 0
		} else {
			k.quoted = true
		}
	}
	s.tokens = append(s.tokens, k)
	return &s.tokens[len(s.tokens)-1]
}

// hanWord takes the longest word of the lists at i, a numeral, or one character.
func (s *scanner) hanWord(i int) int {
	end := i
	for end < len(s.folded) && end-i < known.longestHan && lexical.IsHan(s.folded[end]) {
		end++
	}
	if known.hanStarts[s.folded[i]] {
		for n := end; n > i+1; n-- {
			if e, ok := known.han[string(s.folded[i:n])]; ok {
				s.entry(s.add(i, n, true), e)
				return n
			}
		}
	}
	if n, q := hanNumeral(s.folded[i:]); n > 0 && s.isHanNumber(i, n) {
		k := s.add(i, i+n, false)
		k.number, k.key = &q, q.key()
		return i + n
	}
	k := s.add(i, i+1, true)
	if e, ok := known.han[k.word]; ok {
		s.entry(k, e)
	}
	if hanStops[s.folded[i]] {
		k.stop = true
	}
	return i + 1
}

func (s *scanner) entry(k *token, e entry) {
	k.senses, k.negates, k.names = e.senses, e.negates, e.names
	if e.key != "" {
		k.key = e.key
	}
}

// latinWord takes a word at i: letters, digits and apostrophes; n't is a word of its own.
func (s *scanner) latinWord(i int) int {
	end := i
	for end < len(s.folded) {
		r := s.folded[end]
		if (unicode.IsLetter(r) || unicode.IsMark(r)) && !lexical.IsHan(r) || r >= '0' && r <= '9' {
			end++
			continue
		}
		if r == '\'' && end+1 < len(s.folded) && unicode.IsLetter(s.folded[end+1]) && !lexical.IsHan(s.folded[end+1]) {
			end++
			continue
		}
		break
	}
	word := string(s.folded[i:end])
	if before, ok := strings.CutSuffix(word, "n't"); ok && before != "" {
		cut := end - 3
		if before == "ca" { // can't
			cut = end - 2
		}
		s.english(i, cut)
		s.english(cut, end)
		return end
	}
	if at := strings.LastIndexByte(word, '\''); at > 0 {
		n := text.Len(word[at:])
		s.english(i, end-n) // a possessive's or contraction's tail says nothing
		return end
	}
	s.english(i, end)
	return end
}

func (s *scanner) english(start, end int) {
	capital := unicode.IsUpper(s.runes[start])
	k := s.add(start, end, false)
	k.capital = capital && !k.first
	if e, ok := known.english[k.word]; ok {
		s.entry(k, e)
	}
	if englishStops[k.word] {
		k.stop = true
		k.capital = k.capital && end-start > 1 && allCapitals(s.runes[start:end])
		return
	}
	k.key = stem(k.word)
	if e, ok := known.stems[k.key]; ok && !k.negates {
		if len(k.senses) > 0 {
			e.senses = k.senses
		}
		s.entry(k, e)
	}
}

func allCapitals(r []rune) bool {
	return !slices.ContainsFunc(r, unicode.IsLower)
}

// stem is the English stem of a plain word; others are left.
func stem(w string) string {
	for i := range len(w) {
		if w[i] < 'a' || w[i] > 'z' {
			return w
		}
	}
	if s, ok := irregular[w]; ok {
		return s
	}
	return english.Stem(w, false)
}

// Join puts texts together as one: its facts are theirs. Spans keep to the texts that they came from, so a joined text serves as Compare's passage only.
func Join(texts []*Text) *Text {
	t := &Text{has: map[string]bool{}}
	han := 0
	for _, o := range texts {
		at := len(t.tokens)
		t.tokens = append(t.tokens, o.tokens...)
		for _, i := range o.numbers {
			t.numbers = append(t.numbers, at+i)
		}
		for k := range o.has {
			t.has[k] = true
		}
		if o.chinese {
			han++
		}
	}
	t.chinese = han*2 > len(texts)
	return t
}

// Length is the number of tokens.
func (t *Text) Length() int { return len(t.tokens) }

// spanOf is the span from token i to token j, both included.
func (t *Text) spanOf(i, j int) rag.Span {
	if i < 0 || j < i || j >= len(t.tokens) {
		return rag.Span{}
	}
	return rag.Span{Start: t.tokens[i].span.Start, End: t.tokens[j].span.End}
}

// Slice is the text at a span.
func (t *Text) Slice(s rag.Span) string { return string(t.runes[s.Start:s.End]) }
