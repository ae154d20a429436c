package answer

import (
	"context"

	"footnote/internal/lexical"
	"footnote/internal/rag"
	"footnote/internal/text"
)

// weak says why the passages cannot bear an answer, or nothing.
func (w *writer) weak() (string, error) {
	if len(w.answer.Passages) == 0 {
		return "Nothing in the collections bears on the question.", nil
	}
	look := w.look
	if _, ok := w.evidenceModel(); !ok { // what the model would say of the sentences is not asked for
		look = func() (*reading, error) { return newReading(w.question.Text, w.answer.Passages), nil }
	}
	r, err := look()
	if err != nil {
		return "", err
	}
	if w.evidence(r) < 0 {
		return "The closest passages do not bear on the question closely enough to answer from.", nil
	}
	return "", nil
}

// Evidence weighs how far the passages that a search found can answer the question: from 0 on, there is enough to answer from. Token states are used where the
// model gives them and its scale is known, else how near the passages are and how much of the question's vocabulary one of them has. Of a model whose scale is not known,
// only passages that share no term with a question of their own language are too little.
// Errors: those of the model.
func (s *Service) Evidence(ctx context.Context, question string, passages []rag.Passage) (float64, error) {
	r := newReading(question, passages)
	if _, ok := s.evidenceModel(); ok && len(passages) > 0 {
		var err error
		if r, err = s.read(ctx, question, passages); err != nil {
			return 0, err
		}
	}
	return s.evidence(r), nil
}

// evidenceModel is that of the model's token states; ok is false where it gives none or its scale is not known.
func (s *Service) evidenceModel() (m EvidenceModel, ok bool) {
	known, ok := weights.Evidence[s.o.Embedder.Model()]
	return known.States, ok && s.o.Tokens != nil && s.o.Centre != nil
}

// evidence is the reading's, by token states where it has them.
func (s *Service) evidence(r *reading) float64 {
	if m, ok := s.evidenceModel(); ok && r.states {
		return r.evidence(m, r.signsOf)
	}
	known, ok := weights.Evidence[s.o.Embedder.Model()]
	if !ok {
		known.Alone = anyModel
	}
	return r.evidence(known.Alone, r.plainSignsOf)
}

// anyModel is the evidence of a model whose scale is not known: a shared term is enough, and a passage in another language.
var anyModel = EvidenceModel{"en": {-1e-9, []float64{0, 1}}, "zh": {-1e-9, []float64{0, 1}}}

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
