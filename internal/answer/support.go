package answer

import (
	"regexp"
	"strings"

	"footnote/internal/rag"
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

// align finds the sentence of the passage that says most of what the claim says, and scores how far the passage bears the claim out: half by the
// claim's vocabulary, half by the vector; across languages by the vector alone. Numbers must be there as such, and a negation on one side
// only contradicts, whatever the score: neither vocabulary nor vector can see them.
func (w *writer) align(claim string, p rag.Passage) (source rag.Span, support float64, verdict rag.Verdict, err error) {
	chunk := p.Hit.Chunk
	spans := sentences(chunk)
	if len(spans) == 0 {
		return chunk.Span, 0, rag.VerdictUnsupported, nil
	}
	texts := []string{w.clip(claim)}
	for _, s := range spans {
		texts = append(texts, w.clip(text.Slice(chunk.Text, s.Start-chunk.Span.Start, s.End-chunk.Span.Start)))
	}
	vectors, err := w.o.Embedder.EmbedDocuments(w.ctx, texts)
	if err != nil {
		return source, 0, "", err
	}
	terms := termSet(claim)
	foreign := text.Language(claim) != text.Language(chunk.Text)
	best := 0
	for i := range spans {
		cosine := min(max((dot(vectors[0], vectors[i+1])-unrelatedCosine)/(sameCosine-unrelatedCosine), 0), 1)
		score := cosine
		if !foreign {
			score = (cosine + coverage(terms, termSet(texts[i+1]))) / 2
		}
		if i == 0 || score > support {
			best, support = i, score
		}
	}
	source = spans[best]
	switch {
	case !numbersIn(claim, rag.EmbeddedText(p.Hit.Document.Title, chunk.HeadingPath, chunk.Text)):
		return source, min(support, weakFrom-0.01), rag.VerdictUnsupported, nil
	case support >= weakFrom && !foreign && negated(claim) != negated(texts[best+1]):
		return source, min(support, weakFrom-0.01), rag.VerdictContradicted, nil
	case support >= supportedFrom:
		return source, support, rag.VerdictSupported, nil
	case support >= weakFrom:
		return source, support, rag.VerdictWeak, nil
	}
	return source, support, rag.VerdictUnsupported, nil
}

// clip shortens a sentence that the model cannot take whole.
func (w *writer) clip(s string) string {
	if strings.TrimSpace(s) == "" {
		return "-"
	}
	for w.o.Embedder.CountTokens(s) > w.o.Embedder.MaxTokens() {
		s = text.Slice(s, 0, text.Len(s)*3/4)
	}
	return s
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
