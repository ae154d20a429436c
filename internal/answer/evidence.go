package answer

import (
	"footnote/internal/lexical"
	"footnote/internal/rag"
	"footnote/internal/text"
)

// evidencePassages is how many passages are looked at to tell whether the answer is there at all.
const evidencePassages = 5

// Weights of the evidence, fitted by logistic regression on questions asked of their own and of a foreign collection, in English, in Chinese
// and across the two (docs/quality.md has the figures and the command). Evidence below zero abstains.
const (
	cosineWeight   = 20.0
	coverageWeight = 3.0
	evidenceBias   = -7.6
)

// weak says why the passages cannot bear an answer, or nothing.
func (w *writer) weak() string {
	if len(w.answer.Passages) == 0 {
		return "Nothing in the collections bears on the question."
	}
	if w.evidence() < 0 {
		return "The closest passages do not bear on the question closely enough to answer from."
	}
	return ""
}

// evidence weighs how near the nearest passage is, and how much of the question's vocabulary one passage has. Across languages, only
// the vector can tell.
func (w *writer) evidence() float64 {
	cosine, covered := Evidence(w.question.Text, w.answer.Passages)
	return cosineWeight*cosine + coverageWeight*covered + evidenceBias
}

// Evidence returns the greatest cosine and the greatest term coverage among the first passages. When a passage is in another language than the
// question, its coverage counts as the middle of the scale: it says nothing.
func Evidence(question string, passages []rag.Passage) (cosine, covered float64) {
	terms := termSet(question)
	language := text.Language(question)
	for _, p := range passages[:min(len(passages), evidencePassages)] {
		if p.Hit.Dense != nil {
			cosine = max(cosine, p.Hit.Dense.Score)
		}
		passage := rag.EmbeddedText(p.Hit.Document.Title, p.Hit.Chunk.HeadingPath, p.Hit.Chunk.Text)
		share := coverage(terms, termSet(passage))
		if l := text.Language(p.Hit.Chunk.Text); l != "" && language != "" && l != language {
			share = max(share, foreignCoverage)
		}
		covered = max(covered, share)
	}
	return cosine, covered
}

const foreignCoverage = 0.5

func termSet(s string) map[string]bool {
	set := map[string]bool{}
	for _, t := range lexical.Terms(s) {
		set[t.Text] = true
	}
	return set
}

// coverage is the share of the asked terms that a text has; 0 when nothing is asked.
func coverage(asked, has map[string]bool) float64 {
	if len(asked) == 0 {
		return 0
	}
	n := 0
	for t := range asked {
		if has[t] {
			n++
		}
	}
	return float64(n) / float64(len(asked))
}
