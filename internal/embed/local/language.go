package local

import (
	_ "embed" // the direction
	"encoding/binary"
	"errors"
	"math"
	"slices"

	"footnote/internal/rag"
)

// languageDirection holds the unit vector from the mean of English passages to that of Chinese ones, float32 little-endian. It was estimated once, on the texts that
// TestLanguage_Update names, none of which is in an evaluation set.
//
//go:embed model/language.bin
var languageDirection []byte

// openLanguage gives the direction that AcrossLanguages leaves out.
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

// AcrossLanguages is the vector of a query for passages of which some are in another language. Vectors of texts that say the same in two languages differ most of all along one direction, so that a question is
// nearer to passages in its own language, whatever they say. Without that component it compares with both alike. Passages keep theirs: what a query lacks does
// not count, and vectors that are stored stay good. Where all are in the query's language it tells passages apart a little, and is better left in. The vector of a model whose direction is not known is returned as it is.
func (e *Embedder) AcrossLanguages(query rag.Embedding) rag.Embedding {
	if len(query) != len(e.language) {
		return query
	}
	out := slices.Clone(query)
	project(out, e.language)
	return out
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
