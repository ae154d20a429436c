package answer

import (
	_ "embed" // the weights
	"encoding/json"
)

// weightsFile holds what cmd/answerfit fitted on labelled sets: which, and how, docs/quality.md says.
//
//go:embed weights.json
var weightsFile []byte

// Weights are what is learned: of the sentences' traits, by what sentences were read with and whether they are in the question's language, and of the evidence, by the model that gives states and
// vectors.
type Weights struct {
	States, Alone, StatesAcross, AloneAcross []float64 // by trait
	Evidence                                 map[string]EvidenceWeights
}

// EvidenceWeights are those of a model's evidence: by token states, and without.
type EvidenceWeights struct{ States, Alone EvidenceModel }

// EvidenceModel has a logistic regression for each pair of languages, by the question's, "en" or "zh", for passages of the same, and by "en across" or "zh across" for those of another: a cosine
// means something else for each, and so does a word in common. Both directions across have the same weights: there is less to fit them on.
type EvidenceModel map[string]Regression

// Regression is a bias and a weight for each sign.
type Regression struct {
	Bias  float64
	Signs []float64
}

// Weigh is the evidence that the signs of one side give.
func (m EvidenceModel) Weigh(language string, across bool, signs []float64) float64 {
	if across {
		language += " across"
	}
	r := m[language]
	evidence := r.Bias
	for k, w := range r.Signs {
		evidence += w * signs[k]
	}
	return evidence
}

var weights = func() (w Weights) {
	if err := json.Unmarshal(weightsFile, &w); err != nil {
		panic("answer: weights.json: " + err.Error()) // it is built in, and a test reads it
	}
	return w
}()
