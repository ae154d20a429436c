package answer

import (
	_ "embed" // the weights
	"encoding/json"
)

// weightsFile holds what was fitted on labelled sets: which, and how, docs/quality.md says.
//
//go:embed weights.json
var weightsFile []byte

// weights of the traits, by what sentences were read with and whether they are in the question's language, and of the signs, by the model that gives the states.
var weights = func() (w struct {
	States, StatesAcross, Alone, AloneAcross [traits]float64
	Evidence                                 map[string]evidenceModel
}) {
	if err := json.Unmarshal(weightsFile, &w); err != nil {
		panic("answer: weights.json: " + err.Error()) // it is built in, and a test reads it
	}
	return w
}()
