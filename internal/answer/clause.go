package answer

import (
	"strings"
	"unicode"

	"footnote/internal/answer/compare"
	"footnote/internal/rag"
	"footnote/internal/text"
)

// keptShare is the share of the terms that a long sentence has of a statement, by rarity, which the clauses that stand for it must keep.
const keptShare = 0.999

// tighten cuts a long sentence to the fewest neighbouring clauses that have all that it has of the statement, and the words that differ.
func (a *aligner) tighten(p *preparedPassage, span rag.Span, source *compare.Text, terms map[string]float64, mismatches []rag.Mismatch) rag.Span {
	limit := longSentence
	if source.Chinese() {
		limit /= 3
	}
	if span.Len() < limit {
		return span
	}
	sentence := p.slice(span)
	cuts := clauseCuts(sentence)
	if len(cuts) < 3 {
		return span
	}
	want := share(terms, termsOf(source)) * keptShare
	sets := make([]map[string]bool, len(cuts)-1)
	for i := range sets {
		sets[i] = termsOf(a.analysis(text.Slice(sentence, cuts[i], cuts[i+1])))
	}
	best := span
	for i := range sets {
		for j := i + 1; j <= len(sets); j++ {
			if share(terms, sets[i:j]...) < want {
				continue
			}
			if c := trimmed(sentence, rag.Span{Start: cuts[i], End: cuts[j]}).Shift(span.Start); c.Len() < best.Len() && !c.Empty() && holds(c, mismatches) {
				best = c
			}
			break
		}
	}
	if best.Len() < limit/8 { // a scrap says too little to a reader
		return span
	}
	return best
}

func holds(span rag.Span, mismatches []rag.Mismatch) bool {
	for _, m := range mismatches {
		if !m.SourceSpan.Empty() && !span.Contains(m.SourceSpan) {
			return false
		}
	}
	return true
}

// clauseCuts are the code points at which clauses of a sentence begin, and its end.
func clauseCuts(sentence string) []int {
	cuts := []int{0}
	runes := []rune(sentence)
	for i, r := range runes {
		switch r {
		case '，', '；', '：':
		case ',', ';', ':':
			if i+1 < len(runes) && !unicode.IsSpace(runes[i+1]) {
				continue // inside a number or a name
			}
		default:
			continue
		}
		if i+1 < len(runes) {
			cuts = append(cuts, i+1)
		}
	}
	return append(cuts, len(runes))
}

// trimmed is span without white space and separators at its ends.
func trimmed(s string, span rag.Span) rag.Span {
	body := text.Slice(s, span.Start, span.End)
	left := strings.TrimLeftFunc(body, unicode.IsSpace)
	span.Start += text.Len(body) - text.Len(left)
	right := strings.TrimRightFunc(left, func(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune("，；：,;:", r) })
	span.End = span.Start + text.Len(right)
	return span
}
