package rag

import "math"

// Embedding is a dense vector of L2 norm 1, so that a dot product is the cosine.
type Embedding []float32

// Validate reports an error unless e has dims finite components that are not all zero. A NaN stored in an index would rank
// first in every query, so it is checked before it gets there.
func (e Embedding) Validate(dims int) error {
	if len(e) != dims {
		return Errorf(ModelMismatch, "embedding has %d dimensions, want %d", len(e), dims)
	}
	zero := true
	for _, v := range e {
		if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
			return Errorf(BadUpstream, "embedding has a component that is not finite")
		}
		if v != 0 {
			zero = false
		}
	}
	if zero {
		return Errorf(BadUpstream, "embedding is all zero")
	}
	return nil
}

// SparseVector holds term weights: Indices are term ids, strictly ascending; Values are as many weights.
type SparseVector struct {
	Indices []uint32
	Values  []float32
}

// Point is what an index stores of a chunk: enough to find it and to filter, never its text.
type Point struct {
	ID        ChunkID
	Document  DocumentID
	Embedding Embedding
	Sparse    SparseVector
	Metadata  Metadata
}

// Candidate is a chunk that an index found, with the score of that index.
type Candidate struct {
	ID    ChunkID
	Score float64
}
