package answer

import (
	"math"
	"slices"
	"strings"
	"unicode"

	"footnote/internal/rag"
	"footnote/internal/text"
)

// Bounds of the work of an extractive answer.
const (
	extractPassages  = 4  // passages whose sentences are looked at
	embeddedSentence = 16 // sentences that are embedded, the best by vocabulary
	maxSentences     = 2  // in the answer
	secondMargin     = 0.6
)

// candidate is a sentence that may be the answer.
type candidate struct {
	passage  rag.Passage
	span     rag.Span // of the document's text
	text     string
	foreign  bool // of another language than the question
	coverage float64
	cosine   float64
	score    float64
}

// hope ranks sentences before they are embedded: by vocabulary, or for one in another language by its passage alone.
func (c candidate) hope() float64 {
	if c.foreign {
		return 0.5 - 0.01*float64(c.passage.Number)
	}
	return c.coverage - 0.01*float64(c.passage.Number)
}

// extract answers with the sentences that answer best. A sentence's score is the sum of the z-scores of its idf-free term coverage, of its
// cosine with the question when embedded alone, and of its passage's fused score.
func (w *writer) extract() error {
	candidates, err := w.candidates()
	if err != nil {
		return err
	}
	if len(candidates) == 0 {
		return w.abstain("The passages that were found hold no sentence to quote.")
	}
	w.answer.Status = rag.Answered
	for i, c := range choose(candidates) {
		if i > 0 {
			if err := w.say(" "); err != nil {
				return err
			}
		}
		start := text.Len(w.answer.Text)
		said := withoutMarkers(strings.Join(strings.Fields(c.text), " ")) // a source's own [3] is no footnote of ours
		if err := w.say(said + " [" + itoa(i+1) + "]"); err != nil {
			return err
		}
		span := rag.Span{Start: start, End: text.Len(w.answer.Text)}
		cited, err := w.cite(i+1, c.passage, span, alignment{Source: c.span, Support: 1, Verdict: rag.VerdictSupported}, rag.AttributionMarker)
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

// candidates lists the sentences of the first passages with their scores.
func (w *writer) candidates() ([]candidate, error) {
	asked := termSet(w.question.Text)
	var out []candidate
	seen := map[string]bool{}
	for _, p := range beside(w.answer.Passages, extractPassages) {
		for _, s := range sentences(p.Hit.Chunk) {
			if key := string(p.Hit.Document.ID) + s.String(); !seen[key] { // chunks overlap
				seen[key] = true
				sentence := text.Slice(p.Hit.Chunk.Text, s.Start-p.Hit.Chunk.Span.Start, s.End-p.Hit.Chunk.Span.Start)
				out = append(out, candidate{passage: p, span: s, text: sentence, coverage: coverage(asked, termSet(sentence)), foreign: script(sentence) != script(w.question.Text)})
			}
		}
	}
	if len(out) == 0 {
		return nil, nil
	}
	slices.SortStableFunc(out, func(a, b candidate) int { return sign(b.hope() - a.hope()) })
	out = out[:min(len(out), embeddedSentence)]
	question, err := w.o.Embedder.EmbedQueries(w.ctx, []string{w.question.Text})
	if err != nil {
		return nil, err
	}
	texts := make([]string, len(out))
	for i, c := range out {
		texts[i] = c.text
	}
	vectors, err := w.sentenceVectors(w.ctx, texts)
	if err != nil {
		return nil, err
	}
	for i := range out {
		out[i].cosine = dot(question[0], vectors[i])
	}
	// Vocabulary says nothing of a sentence in another language: there its vector counts twice.
	standardise(out, func(c candidate) (float64, bool) { return c.coverage, !c.foreign })
	standardise(out, func(c candidate) (float64, bool) { return c.cosine, true })
	standardise(out, func(c candidate) (float64, bool) { return c.cosine, c.foreign })
	standardise(out, func(c candidate) (float64, bool) { return c.passage.Hit.Score, true })
	slices.SortStableFunc(out, func(a, b candidate) int { return sign(b.score - a.score) })
	return out, nil
}

// standardise adds the z-score of a feature to the score of each candidate that has it, among those.
func standardise(cs []candidate, feature func(candidate) (value float64, has bool)) {
	var n, sum, squares float64
	for _, c := range cs {
		if v, ok := feature(c); ok {
			n, sum, squares = n+1, sum+v, squares+v*v
		}
	}
	if n == 0 {
		return
	}
	mean := sum / n
	deviation := math.Sqrt(max(squares/n-mean*mean, 0))
	if deviation < 1e-9 {
		return
	}
	for i := range cs {
		if v, ok := feature(cs[i]); ok {
			cs[i].score += (v - mean) / deviation
		}
	}
}

// choose takes the best sentence and a second that is nearly as good, in text order where both are of one document.
func choose(ranked []candidate) []candidate {
	out := ranked[:1:1]
	for _, c := range ranked[1:] {
		if len(out) == maxSentences || ranked[0].score-c.score > secondMargin {
			break
		}
		if sameText(c.text, out[0].text) {
			continue
		}
		out = append(out, c)
	}
	slices.SortStableFunc(out, func(a, b candidate) int {
		if a.passage.Hit.Document.ID == b.passage.Hit.Document.ID {
			return a.span.Start - b.span.Start
		}
		return 0
	})
	return out
}

func sameText(a, b string) bool {
	return strings.Join(strings.Fields(a), " ") == strings.Join(strings.Fields(b), " ")
}

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

func sign(x float64) int {
	switch {
	case x < 0:
		return -1
	case x > 0:
		return 1
	}
	return 0
}
