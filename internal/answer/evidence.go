package answer

import (
	"footnote/internal/lexical"
	"footnote/internal/rag"
	"footnote/internal/text"
)

// evidencePassages is how many passages are looked at to tell whether the answer is there at all.
const evidencePassages = 5

// calibration weighs the evidence of one model's vectors: cosine · greatest cosine + coverage · greatest share of the question's terms in one passage
// + bias. Cosines of one language run higher than those across two, and Chinese ones higher than English ones, so each pair has its own.
type calibration struct{ cosine, coverage, bias float64 }

// calibrations were fitted by logistic regression on questions asked of their own and of a foreign collection (xquad against cranfield and
// dureader-robust), and their biases moved to where at least 95 % of the answerable questions of the same language are answered.
// Across languages the two kinds overlap more: see docs/quality.md.
var calibrations = map[string]map[string]calibration{
	"multilingual-e5-small": {
		"en":    {39.35, 24.17, -35},
		"zh":    {40, 16, -35},
		"cross": {41, 0, -20.1},
	},
}

// weak says why the passages cannot bear an answer, or nothing.
func (w *writer) weak() string {
	if len(w.answer.Passages) == 0 {
		return "Nothing in the collections bears on the question."
	}
	if Evidence(w.o.Embedder.Model(), w.question.Text, w.answer.Passages) < 0 {
		return "The closest passages do not bear on the question closely enough to answer from."
	}
	return ""
}

// Evidence weighs how near the nearest passages are and how much of the question's vocabulary one of them has: from 0 on, there is enough to
// answer from. Of a model without a calibration, only passages that share no term with a question of their own language are too little.
func Evidence(model, question string, passages []rag.Passage) float64 {
	type best struct{ cosine, coverage float64 }
	terms := termSet(question)
	language := script(question)
	nearest := map[string]best{}
	passages = found(passages) // what stands beside a passage was not near
	for _, p := range passages[:min(len(passages), evidencePassages)] {
		pair := language
		if script(p.Hit.Chunk.Text) != language {
			pair = "cross"
		}
		b := nearest[pair]
		if p.Hit.Dense != nil {
			b.cosine = max(b.cosine, p.Hit.Dense.Score)
		}
		passage := p.Hit.Chunk.Embedded(p.Hit.Document.Title)
		b.coverage = max(b.coverage, coverage(terms, termSet(passage)))
		nearest[pair] = b
	}
	evidence, first := 0.0, true
	for pair, b := range nearest {
		e := b.coverage - 1e-9
		if pair == "cross" {
			e = 0
		}
		if c, ok := calibrations[model]; ok {
			e = c[pair].cosine*b.cosine + c[pair].coverage*b.coverage + c[pair].bias
		}
		if first || e > evidence {
			evidence, first = e, false
		}
	}
	return evidence
}

// script is "zh" for text in Chinese, "en" for everything else.
func script(s string) string {
	if text.Language(s) == "zh" {
		return "zh"
	}
	return "en"
}

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
