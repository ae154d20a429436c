package answer

import (
	"context"
	"math"
	"slices"

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
func (w *writer) weak() (string, error) {
	if len(w.answer.Passages) == 0 {
		return "Nothing in the collections bears on the question.", nil
	}
	evidence := Evidence(w.o.Embedder.Model(), w.question.Text, w.answer.Passages)
	if model, ok := w.evidenceModel(); ok {
		r, err := w.look()
		if err != nil {
			return "", err
		}
		evidence = r.evidence(model)
	}
	if evidence < 0 {
		return "The closest passages do not bear on the question closely enough to answer from.", nil
	}
	return "", nil
}

// Evidence weighs how far the passages that a search found can answer the question: from 0 on, there is enough to answer from. Token states are used where the
// model gives them and its scale is known, else what the function Evidence looks at.
// Errors: those of the model.
func (s *Service) Evidence(ctx context.Context, question string, passages []rag.Passage) (float64, error) {
	model, ok := s.evidenceModel()
	if !ok || len(passages) == 0 {
		return Evidence(s.o.Embedder.Model(), question, passages), nil
	}
	r, err := s.read(ctx, question, passages)
	if err != nil {
		return 0, err
	}
	return r.evidence(model), nil
}

// evidenceModel is that of the model's token states; ok is false where it gives none or its scale is not known.
func (s *Service) evidenceModel() (m evidenceModel, ok bool) {
	m, ok = weights.Evidence[s.o.Embedder.Model()]
	return m, ok && s.o.Tokens != nil
}

// sign names what tells a question that the passages answer from one that they do not.
type sign int

// The signs, each of the found passages that were read and that are of one language.
const (
	signBest  sign = iota // greatest interaction of the question with a passage, title and headings included: the mean over its tokens of the best cosine
	signFirst             // that of the first passage
	signLift              // the best sentence's interaction above the mean of all: what answers stands out, what is merely on a like subject does not
	signs                 // how many there are
)

// evidenceModel is a logistic regression for each pair of languages. Cosines of one language run higher than those across two, and Chinese ones higher than English
// ones, so each pair has its own bias.
type evidenceModel struct {
	Same, Across [signs]float64
	Bias         map[string]float64 // by the question's language, "en" or "zh", and "en across" or "zh across" for passages of another
}

// evidence is the greater of that of the passages in the question's language and that of the others: one document can do.
func (r *reading) evidence(m evidenceModel) float64 {
	out := math.Inf(-1)
	for _, foreign := range []bool{false, true} {
		values, ok := r.signsOf(foreign)
		if !ok {
			continue
		}
		w, bias := m.Same, m.Bias[r.language]
		if foreign {
			w, bias = m.Across, m.Bias[r.language+" across"]
		}
		for k, x := range values {
			bias += w[k] * x
		}
		out = max(out, bias)
	}
	return out
}

// signsOf are the signs of the found passages of the question's language, or of the others; ok tells whether there are any.
func (r *reading) signsOf(foreign bool) (v [signs]float64, ok bool) {
	best := make([][]float32, len(r.passages)) // by passage and token of the question
	var n, sum, top float64
	for _, c := range r.sentence {
		p := r.passages[c.passage]
		if p.foreign != foreign || p.NeighbourOf > 0 || !c.known {
			continue
		}
		if best[c.passage] == nil {
			best[c.passage] = slices.Clone(p.head)
		}
		for k, x := range c.tokens {
			best[c.passage][k] = max(best[c.passage][k], x)
		}
		if n++; n == 1 || c.late > top {
			top = c.late
		}
		sum += c.late
	}
	for i := range r.passages {
		if best[i] == nil {
			continue
		}
		interaction := meanOf(best[i])
		if !ok {
			v[signFirst] = interaction
		}
		v[signBest], ok = max(v[signBest], interaction), true
	}
	if !ok {
		return v, false
	}
	v[signLift] = top - sum/n
	return v, true
}

// Evidence, without token states, weighs how near the nearest passages are and how much of the question's vocabulary one of them has: from 0 on, there is enough to
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
