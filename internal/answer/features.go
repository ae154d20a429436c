package answer

import (
	"context"
	"errors"

	"footnote/internal/rag"
)

// Features are what is weighed of a question and its passages before it is answered: what the weights of weights.json are fitted on.
type Features struct {
	Language  string             `json:"language"`
	Sides     []SideFeatures     `json:"sides"`
	Sentences []SentenceFeatures `json:"sentences,omitempty"`
}

// SideFeatures are the signs of the passages of the question's language, or of the others, in the order of SignNames: with token states, and without.
type SideFeatures struct {
	Across bool      `json:"across,omitempty"`
	States []float64 `json:"states"`
	Alone  []float64 `json:"alone"`
}

// SentenceFeatures are the traits of a sentence, in the order of TraitNames: read with token states, and alone; null where it was not embedded.
type SentenceFeatures struct {
	Document string    `json:"document"` // its external id
	Span     rag.Span  `json:"span"`
	Across   bool      `json:"across,omitempty"`
	States   []float64 `json:"states"`
	Alone    []float64 `json:"alone"`
}

// Features gives the features of a question and the passages that a search found, with those of the sentences when traits is true. The model has to give token states.
func (s *Service) Features(ctx context.Context, question string, passages []rag.Passage, traits bool) (Features, error) {
	if s.o.Tokens == nil {
		return Features{}, errors.New("the model gives no token states, so there is nothing to fit to")
	}
	r := newReading(question, passages)
	f := Features{Language: r.language}
	if len(r.sentence) == 0 {
		return f, nil
	}
	if err := s.readStates(ctx, r); err != nil {
		return f, err
	}
	for _, across := range []bool{false, true} {
		if v, ok := r.signsOf(across); ok {
			alone, _ := r.plainSignsOf(across)
			f.Sides = append(f.Sides, SideFeatures{across, v, alone})
		}
	}
	if !traits {
		return f, nil
	}
	with := r.traitsOf()
	r = newReading(question, passages)
	if err := s.readAlone(ctx, r); err != nil {
		return f, err
	}
	for i, alone := range r.traitsOf() {
		c := r.sentence[i]
		p := r.passages[c.passage]
		f.Sentences = append(f.Sentences, SentenceFeatures{p.Hit.Document.ExternalID, c.span, p.foreign, with[i], alone})
	}
	return f, nil
}
