package answer

import (
	"regexp"
	"strings"

	"footnote/internal/text"
)

// Support at and above which a claim is supported, or weak.
const (
	supportedFrom = 0.55
	weakFrom      = 0.3
)

// The centred cosine of a claim and the sentence that bears it out runs from about unrelatedCosine to sameCosine.
const (
	unrelatedCosine = 0.15
	sameCosine      = 0.75
)

// clip shortens a sentence that the model cannot take whole.
func (s *Service) clip(sentence string) string {
	if strings.TrimSpace(sentence) == "" {
		return "-"
	}
	for s.o.Embedder.CountTokens(sentence) > s.o.Embedder.MaxTokens() {
		sentence = text.Slice(sentence, 0, text.Len(sentence)*3/4)
	}
	return sentence
}

var number = regexp.MustCompile(`[0-9]+(?:[.,][0-9]+)*`)

// numbersIn tells whether every number of the claim stands in the source, whatever separates its thousands.
func numbersIn(claim, source string) bool {
	has := map[string]bool{}
	for _, n := range number.FindAllString(text.FoldWidth(source), -1) {
		has[plainNumber(n)] = true
	}
	for _, n := range number.FindAllString(text.FoldWidth(claim), -1) {
		if !has[plainNumber(n)] {
			return false
		}
	}
	return true
}

var thousands = regexp.MustCompile(`^[0-9]{1,3}(,[0-9]{3})+(\.[0-9]+)?$`)

func plainNumber(n string) string {
	if thousands.MatchString(n) {
		n = strings.ReplaceAll(n, ",", "")
	}
	return n
}

var negation = regexp.MustCompile(`(?i)\b(?:not|no|never|none|neither|nor|cannot|without)\b|n['’]t\b|不|没有|沒有|未|无法|無法|并非|並非`)

func negated(s string) bool { return negation.MatchString(s) }
