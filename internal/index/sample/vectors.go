// Package sample makes collections of any size for the index's tests and benchmark from real ones: vectors grown from real embeddings, and texts
// recombined from real sentences. The same seed gives the same.
package sample

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
)

// Vectors are real embeddings, as the command internal/e2e/vectors writes them.
type Vectors struct {
	Dims     int
	Passages []float32 // [n][Dims], norm 1
	Queries  []float32 // [m][Dims]
}

// ReadVectors reads a file of vectors: a line of JSON with dims, passages and queries, then float32s, little end first.
func ReadVectors(path string) (*Vectors, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	r := bufio.NewReaderSize(f, 1<<20)
	line, err := r.ReadBytes('\n')
	if err != nil {
		return nil, err
	}
	var head struct{ Dims, Passages, Queries int }
	if err := json.Unmarshal(line, &head); err != nil {
		return nil, err
	}
	b, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	if n := 4 * head.Dims * (head.Passages + head.Queries); len(b) != n || n == 0 {
		return nil, fmt.Errorf("%s has %d bytes of vectors, want %d", path, len(b), n)
	}
	all := make([]float32, len(b)/4)
	for i := range all {
		all[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
	}
	return &Vectors{head.Dims, all[:head.Passages*head.Dims], all[head.Passages*head.Dims:]}, nil
}

// The growth was fitted to how the neighbours of real queries lie when a collection doubles: over 1,250 real passages and as many grown from them, the mean cosines of
// the queries' neighbours of rank 1, 5, 10, 50 and 100 are .685, .644, .631, .602 and .589, over 2,500 real ones .702, .645, .630, .599
// and .585. Less noise gives clumps, more a cloud without neighbours.
const (
	towards = 0.4 // a grown vector lies at most so far on the way from one real vector to another
	noise   = 0.3 // norm of the Gaussian noise on top
)

// Grow makes n vectors: the real passages, and what is grown from them.
func (v *Vectors) Grow(n int, seed uint64) []float32 {
	r := rand.New(rand.NewPCG(seed, 11))
	d := v.Dims
	out := make([]float32, n*d)
	real := copy(out, v.Passages) / d
	m := len(v.Passages) / d
	sigma := noise / math.Sqrt(float64(d))
	for i := real; i < n; i++ {
		x, y := v.Passages[r.IntN(m)*d:][:d], v.Passages[r.IntN(m)*d:][:d]
		w := float32(r.Float64() * towards)
		to, norm := out[i*d:][:d], 0.0
		for j := range to {
			to[j] = x[j] + w*(y[j]-x[j]) + float32(r.NormFloat64()*sigma)
			norm += float64(to[j]) * float64(to[j])
		}
		scale := float32(1 / math.Sqrt(norm))
		for j := range to {
			to[j] *= scale
		}
	}
	// The real ones come first in the file; in a collection they lie anywhere.
	r.Shuffle(n, func(a, b int) {
		x, y := out[a*d:][:d], out[b*d:][:d]
		for j := range x {
			x[j], y[j] = y[j], x[j]
		}
	})
	return out
}

// Query is the i-th real query, over and over.
func (v *Vectors) Query(i int) []float32 {
	return v.Queries[i%(len(v.Queries)/v.Dims)*v.Dims:][:v.Dims]
}
