package local

import (
	_ "embed" // the direction
	"encoding/binary"
	"errors"
	"math"
)

// languageDirection holds the unit vector from the mean of English passages to that of Chinese ones, float32 little-endian. It was estimated once, on the texts that
// TestLanguage_Update names, none of which is in an evaluation set.
//
//go:embed model/language.bin
var languageDirection []byte

// openLanguage gives what queries are made blind to. Vectors of texts that say the same in two languages differ most of all along one direction, so that a question is
// nearer to passages in its own language, whatever they say. A query without that component compares with both alike. Passages keep theirs: what a query lacks does
// not count, and vectors that are stored stay good.
func openLanguage(dims int) ([]float32, error) {
	if len(languageDirection) != 4*dims {
		return nil, errors.New("the model's direction between languages has the wrong length; build the program anew")
	}
	direction := make([]float32, dims)
	for i := range direction {
		direction[i] = math.Float32frombits(binary.LittleEndian.Uint32(languageDirection[4*i:]))
	}
	return direction, nil
}

// project takes the component along a unit vector out of v and scales it to norm 1 again.
func project(v, direction []float32) {
	var along float64 // in order, and exact products: the same bits on every CPU
	for i, x := range v {
		along += float64(x) * float64(direction[i])
	}
	for i := range v {
		v[i] -= float32(float32(along) * direction[i]) // the conversion keeps a compiler from fusing
	}
	unit(v)
}
