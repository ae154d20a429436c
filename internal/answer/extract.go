package answer

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"footnote/internal/lexical"
	"footnote/internal/rag"
	"footnote/internal/text"
)

// Bounds of an extractive answer.
const (
	maxSentences = 4   // in the answer, lead context included
	enoughChance = .75 // that one of the chosen sentences answers; with it, no further one is added
	leastChance  = .06 // of a sentence that is worth adding
	maxLead      = 300 // code points of a sentence that is kept for context
)

// excerpt is a chosen sentence, with the one before it where it cannot be understood without.
type excerpt struct {
	candidate
	lead bool
}

// sentences is how many an excerpt has.
func (e excerpt) sentences() int {
	if e.lead {
		return 2
	}
	return 1
}

// extract answers with the sentences that answer best.
func (w *writer) extract() error {
	r, err := w.look()
	if err != nil {
		return err
	}
	r.weigh()
	chosen := r.choose()
	if len(chosen) == 0 {
		return w.abstain("The passages that were found hold no sentence to quote.")
	}
	w.answer.Status = rag.Answered
	for i, e := range chosen {
		if i > 0 {
			if err := w.say(" "); err != nil {
				return err
			}
		}
		passage := r.passages[e.passage].Passage
		start := text.Len(w.answer.Text)
		said := withoutMarkers(strings.Join(strings.Fields(inChunk(passage.Hit.Chunk, e.span)), " ")) // a source's own [3] is no footnote of ours
		if err := w.say(said + " [" + itoa(i+1) + "]"); err != nil {
			return err
		}
		span := rag.Span{Start: start, End: text.Len(w.answer.Text)}
		cited, err := w.cite(i+1, passage, span, alignment{Source: e.span, Support: 1, Verdict: rag.VerdictSupported}, rag.AttributionMarker)
		if err != nil {
			return err
		}
		claim := rag.Claim{Span: span, Support: 1, Verdict: rag.VerdictSupported, Citations: []int{i + 1}, Attribution: rag.AttributionMarker}
		if !cited.Verified {
			claim.Support, claim.Verdict = 0, rag.VerdictUnsupported
			w.answer.Status, w.answer.Reason = rag.Partial, "A source changed while the answer was made, so a citation could not be verified."
		}
		w.answer.Claims = append(w.answer.Claims, claim)
	}
	return nil
}

// choose takes sentences, best first, until one of them answers with enoughChance, at most maxSentences with their leads. What says the same as a chosen one adds
// its chance to it, not its words. The best comes first, for that is the answer; the others follow by passage and in text order.
func (r *reading) choose() []excerpt {
	order := make([]int, 0, len(r.sentence))
	for i, c := range r.sentence {
		if c.chance > 0 {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(r.sentence[b].chance, r.sentence[a].chance) })
	var out []excerpt
	sure, n := 0.0, 0
	for _, i := range order {
		c := r.sentence[i]
		if len(out) > 0 && (sure >= enoughChance || c.chance < leastChance) {
			break
		}
		sure += c.chance
		if slices.ContainsFunc(out, func(e excerpt) bool { return r.said(e, c) }) {
			continue
		}
		e := r.withLead(i)
		if n+e.sentences() > maxSentences {
			if e = (excerpt{candidate: c}); n == maxSentences {
				break
			}
		}
		out = r.without(out, e)
		out = append(out, e)
		n = 0
		for _, e := range out {
			n += e.sentences()
		}
	}
	if len(out) > 1 {
		slices.SortStableFunc(out[1:], func(a, b excerpt) int {
			return cmp.Or(cmp.Compare(a.passage, b.passage), cmp.Compare(a.span.Start, b.span.Start))
		})
	}
	return out
}

// said tells whether an excerpt has the sentence, or one that says the same in nearly the same words.
func (r *reading) said(e excerpt, c candidate) bool {
	if e.passage == c.passage && e.span.Contains(c.span) {
		return true
	}
	a, b := e.terms, c.terms
	if len(a) == 0 || len(b) == 0 {
		return lexical.Fold(e.text) == lexical.Fold(c.text)
	}
	return coverage(a, b) >= 0.9 && coverage(b, a) >= 0.9 && figures(e.text) == figures(c.text)
}

// figures are the numbers of a text, in its order: two sentences that differ in one do not say the same.
func figures(s string) string {
	return strings.Join(digits.FindAllString(text.FoldWidth(s), -1), " ")
}

// without drops from chosen, but for the first, what the excerpt's lead says already.
func (r *reading) without(chosen []excerpt, e excerpt) []excerpt {
	return slices.DeleteFunc(chosen, func(o excerpt) bool {
		return o.passage == e.passage && o.span != chosen[0].span && e.span.Contains(o.span)
	})
}

// pointing are the words at the head of a sentence that speaks of what the one before it named.
var pointing = regexp.MustCompile(`^(?i:(?:he|she|it|they|his|her|hers|its|their|theirs|this|that|these|those|such|both|the (?:former|latter|same))\b)|^(?:他|她|它|牠|祂|其(?:[^他它余中实實]|$)|此|该|該|这|這|那|前者|后者|後者|两者|兩者|二者|同年|同月|同时|同時|当时|當時|当年|當年|次年|翌年|之后|之後|随后|隨後)`)

// withLead is the sentence, with the one before it where it points back to that.
func (r *reading) withLead(i int) excerpt {
	e := excerpt{candidate: r.sentence[i]}
	if i == 0 || !pointing.MatchString(strings.TrimLeft(e.text, "\"“‘「『(（* ")) {
		return e
	}
	before := r.sentence[i-1]
	if before.passage != e.passage || before.span.Len() > maxLead {
		return e
	}
	chunk := r.passages[e.passage].Hit.Chunk
	between := inChunk(chunk, rag.Span{Start: before.span.End, End: e.span.Start})
	if strings.TrimSpace(between) != "" || strings.Contains(between, "\n\n") || isHeading(before.text) {
		return e
	}
	e.span.Start, e.lead = before.span.Start, true
	return e
}

// isHeading tells a line that names what follows from a sentence.
func isHeading(s string) bool { return strings.HasPrefix(s, "#") || strings.HasPrefix(s, "|") }

// sentences lists the sentences of a chunk that say something, as spans of the document. A line of a list or table is one.
func sentences(c rag.Chunk) []rag.Span {
	var out []rag.Span
	for _, s := range text.Sentences(c.Text) {
		body := text.Slice(c.Text, s.Start, s.End)
		left := len(body) - len(strings.TrimLeftFunc(body, unicode.IsSpace))
		s.Start += text.Len(body[:left])
		s.End = s.Start + text.Len(strings.TrimSpace(body))
		if strings.ContainsFunc(text.Slice(c.Text, s.Start, s.End), func(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) }) {
			out = append(out, s.Shift(c.Span.Start))
		}
	}
	return out
}

func dot(a, b rag.Embedding) float64 {
	var s float64
	for i := range a {
		s += float64(a[i]) * float64(b[i])
	}
	return s
}
