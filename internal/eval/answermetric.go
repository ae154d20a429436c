package eval

import (
	"slices"
	"strings"
	"unicode"

	"footnote/internal/lexical"
	"footnote/internal/text"
)

// AnswerF1 is the greatest overlap of an answer with one of the gold answers, from 0 to 1. English: the words that both have, as SQuAD counts them (Rajpurkar et
// al., EMNLP 2016). Chinese: the longest run of characters that both have, as CMRC 2018 counts them (Cui et al., EMNLP 2019), words of other scripts being
// one. Width, case and traditional characters make no difference.
func AnswerF1(answer string, gold []string) float64 {
	best := 0.0
	for _, g := range gold {
		a, b, common := segments(answer, g)
		if len(a) == 0 || len(b) == 0 {
			if len(a) == len(b) {
				best = 1
			}
			continue
		}
		same := float64(common(a, b))
		best = max(best, 2*same/float64(len(a)+len(b))) // the harmonic mean of same/len(a) and same/len(b)
	}
	return best
}

// ExactMatch is 1 when an answer is one of the gold answers, after the normalisation of AnswerF1.
func ExactMatch(answer string, gold []string) float64 {
	for _, g := range gold {
		if a, b, _ := segments(answer, g); slices.Equal(a, b) {
			return 1
		}
	}
	return 0
}

// segments are an answer and a gold answer as their language's metric counts them, and what that counts as common.
func segments(answer, gold string) (a, b []string, common func(a, b []string) int) {
	if text.Language(answer) == "zh" || text.Language(gold) == "zh" {
		return characters(answer), characters(gold), longestRun
	}
	return squadWords(answer), squadWords(gold), sharedWords
}

// squadWords normalises as SQuAD's evaluation does: lower case, no punctuation, no articles, split at white space.
func squadWords(s string) []string {
	const punctuation = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
	s = strings.Map(func(r rune) rune {
		if strings.ContainsRune(punctuation, r) {
			return -1
		}
		return r
	}, lexical.Fold(s))
	return slices.DeleteFunc(strings.Fields(s), isArticle)
}

func isArticle(word string) bool { return word == "a" || word == "an" || word == "the" }

// characters segments as CMRC 2018's evaluation does: no punctuation, every Chinese character for itself, runs of others as words.
func characters(s string) (out []string) {
	var word strings.Builder
	flush := func() {
		if word.Len() > 0 {
			out = append(out, word.String())
			word.Reset()
		}
	}
	for _, r := range lexical.Fold(s) {
		switch {
		case lexical.IsHan(r):
			flush()
			out = append(out, string(r))
		case unicode.IsSpace(r):
			flush()
		case !unicode.IsPunct(r) && !unicode.IsSymbol(r):
			word.WriteRune(r)
		}
	}
	flush()
	return out
}

// sharedWords is the size of the intersection of two bags of words.
func sharedWords(a, b []string) (n int) {
	bag := map[string]int{}
	for _, w := range a {
		bag[w]++
	}
	for _, w := range b {
		if bag[w] > 0 {
			bag[w]--
			n++
		}
	}
	return n
}

// longestRun is the length of the longest run that both have.
func longestRun(a, b []string) (longest int) {
	ending := make([]int, len(b)+1) // of the runs that end at a[i] and b[j-1]
	for _, w := range a {
		for j := len(b); j > 0; j-- { // backwards: ending[j-1] is still the last row's
			if w == b[j-1] {
				ending[j] = ending[j-1] + 1
				longest = max(longest, ending[j])
			} else {
				ending[j] = 0
			}
		}
	}
	return longest
}

// Contains tells whether an answer holds a gold answer of each group, word for word (Chinese: character for character). Punctuation, width, case, traditional
// characters and the article before a gold answer make no difference; 16 is not held by 160, 1.6 or 16,000, nor art by part. Without a group nothing is held.
func Contains(answer string, groups [][]string) bool {
	if len(groups) == 0 {
		return false
	}
	has := words(answer)
	for _, group := range groups {
		if !slices.ContainsFunc(group, func(gold string) bool {
			w := words(gold)
			for len(w) > 1 && isArticle(w[0]) {
				w = w[1:]
			}
			return holds(has, w)
		}) {
			return false
		}
	}
	return true
}

// words are the Chinese characters, words, numbers and symbols of a text, without its punctuation but that inside of numbers.
func words(s string) (out []string) {
	r := []rune(lexical.Fold(s))
	for i := 0; i < len(r); {
		switch {
		case lexical.IsHan(r[i]) || unicode.IsSymbol(r[i]) || r[i] == '%':
			out = append(out, string(r[i]))
			i++
		case isWordRune(r[i]):
			from := i
			for i < len(r) && (isWordRune(r[i]) || betweenDigits(r, i)) {
				i++
			}
			out = append(out, string(r[from:i]))
		default:
			i++
		}
	}
	return out
}

func isWordRune(r rune) bool {
	return (unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.IsMark(r)) && !lexical.IsHan(r)
}

func betweenDigits(r []rune, i int) bool {
	return (r[i] == '.' || r[i] == ',') && i > 0 && i+1 < len(r) && unicode.IsDigit(r[i-1]) && unicode.IsDigit(r[i+1])
}

// holds tells whether part, which is not empty, is a run of whole.
func holds(whole, part []string) bool {
	if len(part) == 0 {
		return false
	}
	for i := 0; i+len(part) <= len(whole); i++ {
		if slices.Equal(whole[i:i+len(part)], part) {
			return true
		}
	}
	return false
}

// Names of the metrics of an answer. Each is a share, from 0 to 1, and the more the better.
const (
	MetricRight             = "right"              // of the answerable: contains the gold answer; of a long answer: cites a gold span, or where there is none a gold document
	MetricContains          = "contains"           // of those with a short answer: a gold answer stands in the answer, word for word
	MetricExact             = "exact_match"        // the answer is a gold answer
	MetricF1                = "f1"                 // its overlap with the nearest gold answer
	MetricCitationPrecision = "citation_precision" // of an answer's citations: overlap the sentence of a gold span
	MetricCitationRecall    = "citation_recall"    // of the gold spans: at least half of it is cited; of alternatives one will do
	MetricFirstCitation     = "first_citation"     // of the answerable: the first citation overlaps the sentence of a gold span
	MetricCitedDocument     = "cited_document"     // of an answer's citations: are of a gold document
	MetricVerified          = "verified"           // of all citations: the stored text has the quote at the span
	MetricSupportAUC        = "support_auc"        // the chance that a right answer has more support than a wrong one
	MetricAnswered          = "answered"           // of the answerable: is answered
	MetricRefused           = "refused"            // of the unanswerable and foreign: is not
	MetricEvidenceAUC       = "evidence_auc"       // the chance that an answerable question has more evidence than another
	MetricRefused80         = "refused_at_80"      // refused when the evidence asked for is set so that 80 % of the answerable are answered
	MetricRefused90         = "refused_at_90"
	MetricRefused95         = "refused_at_95"
)

// AnswerMetrics lists the metrics, in the order in which they are shown.
var AnswerMetrics = []string{
	MetricRight, MetricContains, MetricExact, MetricF1, MetricCitationPrecision, MetricCitationRecall, MetricFirstCitation, MetricCitedDocument, MetricVerified, MetricSupportAUC,
	MetricAnswered, MetricRefused, MetricEvidenceAUC, MetricRefused80, MetricRefused90, MetricRefused95,
}
