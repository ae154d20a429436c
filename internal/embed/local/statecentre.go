package local

import (
	_ "embed" // the constants
	"encoding/binary"
	"errors"
	"math"

	"footnote/internal/rag"
)

// stateConstants holds three vectors, float32 little-endian: the unit vector from the mean token state of English passages to that of Chinese ones, the mean state of
// queries and that of passages. They were estimated once, on the texts that TestStates_Update names, none of which is in an evaluation set.
//
//go:embed model/states.bin
var stateConstants []byte

// stateCentre takes out of token states what they all share, so that cosines tell more, and what tells languages apart, so that those across languages compare with
// those within one.
type stateCentre struct{ language, query, document []float32 }

func openStateCentre(dims int) (*stateCentre, error) {
	if len(stateConstants) != 3*4*dims {
		return nil, errors.New("the constants of the model's states have the wrong length; build the program anew")
	}
	vectors := make([]float32, 3*dims)
	for i := range vectors {
		vectors[i] = math.Float32frombits(binary.LittleEndian.Uint32(stateConstants[4*i:]))
	}
	return &stateCentre{vectors[:dims], vectors[dims : 2*dims], vectors[2*dims:]}, nil
}

// StateCentring gives the function that centres token states in place: it takes the direction between the languages and half of a constant mean out of each, and scales
// it to norm 1 again. It is nil for a model whose constants are not known.
func (e *Embedder) StateCentring() func(states []rag.Embedding, query bool) {
	if e.states == nil {
		return nil
	}
	return e.states.apply
}

func (c *stateCentre) apply(states []rag.Embedding, query bool) {
	mean := c.document
	if query {
		mean = c.query
	}
	for _, s := range states {
		project(s, c.language)
		for i := range s {
			s[i] -= float32(centreShare * mean[i])
		}
		unit(s)
	}
}
