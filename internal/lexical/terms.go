// Package lexical turns text into terms, English and Chinese, and terms into BM25 weights. Pure functions: both the embedded index and
// production's use the same numbers.
package lexical

import (
	_ "embed" // the character table
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/kljensen/snowball/english"
	"golang.org/x/text/unicode/norm"

	"footnote/internal/rag"
)

//go:embed data/simplified.txt
var simplifiedTable string

// simplified maps a traditional character to its simplified form.
var simplified = func() map[rune]rune {
	m := make(map[rune]rune, 4096)
	for line := range strings.Lines(simplifiedTable) {
		from, n := utf8.DecodeRuneInString(line)
		to, _ := utf8.DecodeRuneInString(line[n:])
		m[from] = to
	}
	return m
}()

// stop words carry no subject. The list is short on purpose: BM25's IDF does the rest.
var stop = func() map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields("a an and are as at be but by for if in into is it no not of on or such that the their then there these they this to was will with") {
		m[w] = true
	}
	return m
}()

// Term is a unit of matching and where it stands in the text, in code points.
type Term struct {
	Text string
	Span rag.Span
}

// Identifier tells whether the term is a whole identifier, parts and joiners: err_404, v1.18.3.
func (t Term) Identifier() bool { return strings.ContainsFunc(t.Text, joins) }

// Terms analyses s: NFKC and lower case throughout; words of other scripts than Han are stemmed (Porter 2) unless they hold a digit, stop words
// left out; Han runs give every character and every pair of neighbours, in simplified form. An identifier (v1.18.3, ERR_404, AB-1234) gives
// itself whole and its parts.
func Terms(s string) []Term {
	var out []Term
	runes := []rune(s)
	for i := 0; i < len(runes); {
		switch {
		case isHan(runes[i]):
			j := i
			for j < len(runes) && isHan(runes[j]) {
				j++
			}
			out = appendHan(out, runes[i:j], i)
			i = j
		case isWord(runes[i]):
			j := i + 1
			for j < len(runes) && (isWord(runes[j]) && !isHan(runes[j]) || isMark(runes[j]) ||
				joins(runes[j]) && j+1 < len(runes) && isWord(runes[j+1]) && !isHan(runes[j+1])) {
				j++
			}
			out = appendWord(out, runes[i:j], i)
			i = j
		default:
			i++
		}
	}
	return out
}

func isHan(r rune) bool { return unicode.Is(unicode.Han, r) || r == '〇' }

func isWord(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

func isMark(r rune) bool { return unicode.IsMark(r) }

// joins tells whether r may stand inside an identifier.
func joins(r rune) bool {
	switch r {
	case '.', '_', '-', '/', '+', '#', '@', ':', '\'', '’', '＿', '－', '．':
		return true
	}
	return false
}

func appendHan(out []Term, run []rune, at int) []Term {
	folded := make([]rune, len(run))
	for i, r := range run {
		if to, ok := simplified[r]; ok {
			r = to
		}
		folded[i] = r
	}
	for i := range folded {
		out = append(out, Term{string(folded[i]), rag.Span{Start: at + i, End: at + i + 1}})
		if i+1 < len(folded) {
			out = append(out, Term{string(folded[i : i+2]), rag.Span{Start: at + i, End: at + i + 2}})
		}
	}
	return out
}

// appendWord adds a run of letters, digits and joiners: its parts, and the whole when it is an identifier, that is, has a digit or an
// underscore beside a joiner.
func appendWord(out []Term, run []rune, at int) []Term {
	parts, digits := 0, false
	for i := 0; i < len(run); {
		if joins(run[i]) {
			i++
			continue
		}
		j := i
		for j < len(run) && !joins(run[j]) {
			digits = digits || unicode.IsDigit(run[j])
			j++
		}
		// An English possessive's or contraction's tail is no word.
		if !(parts > 0 && j-i == 1 && (run[i-1] == '\'' || run[i-1] == '’')) {
			if w := word(string(run[i:j])); w != "" {
				out = append(out, Term{w, rag.Span{Start: at + i, End: at + j}})
			}
		}
		parts++
		i = j
	}
	if parts > 1 && (digits || strings.ContainsRune(string(run), '_')) {
		out = append(out, Term{fold(string(run)), rag.Span{Start: at, End: at + len(run)}})
	}
	return out
}

func fold(s string) string { return strings.ToLower(norm.NFKC.String(s)) }

// word is the term of one word, "" for a stop word.
func word(s string) string {
	s = fold(s)
	if stop[s] {
		return ""
	}
	for i := range len(s) {
		if c := s[i]; c >= utf8.RuneSelf || c >= '0' && c <= '9' {
			return s // only plain English words are stemmed
		}
	}
	return english.Stem(s, false)
}
