package local

import (
	"crypto/sha256"
	_ "embed" // the means
	"encoding/binary"
	"encoding/hex"
	"errors"
	"math"
)

// means holds the mean unit vector of queries, then of passages, float32 little-endian. They were estimated once, on the texts that
// TestCentre_Update names, none of which is in an evaluation set.
//
//go:embed model/means.bin
var means []byte

// centreShare is how much of the mean is subtracted. The model's vectors share a large mean, which hides the differences that
// matter, most of all across languages; half of it measured best over nine sets.
const centreShare = 0.5

// centre subtracts the share of a constant mean from unit vectors and scales them to norm 1 again.
type centre struct{ query, document []float32 }

func openCentre(dims int) (*centre, error) {
	if len(means) != 2*4*dims {
		return nil, errors.New("the model's means have the wrong length; build the program anew")
	}
	c := &centre{make([]float32, dims), make([]float32, dims)}
	for i := range dims {
		c.query[i] = math.Float32frombits(binary.LittleEndian.Uint32(means[4*i:]))
		c.document[i] = math.Float32frombits(binary.LittleEndian.Uint32(means[4*(dims+i):]))
	}
	return c, nil
}

func (c *centre) apply(v []float32, query bool) {
	mean := c.document
	if query {
		mean = c.query
	}
	for i := range v {
		v[i] -= float32(centreShare * mean[i]) // the conversion keeps a compiler from fusing
	}
	unit(v)
}

// id names the means for the fingerprint.
func (c *centre) id() string {
	sum := sha256.Sum256(means)
	return hex.EncodeToString(sum[:4])
}
