package rag

import (
	"crypto/rand"
	"time"
)

// ReembeddingState is how far a collection's way to another model is.
type ReembeddingState string

// The states. A re-embedding that is swapped can be swapped back until it is ended.
const (
	ReembedBuilding ReembeddingState = "building" // vectors of the other model are made, beside the ones in use
	ReembedReady    ReembeddingState = "ready"    // all are made, the former model is in use
	ReembedSwapped  ReembeddingState = "swapped"  // the other model is in use, the former one's vectors are kept
	ReembedHeld     ReembeddingState = "held"     // all are made, and the gate did not let them pass
)

// Reembedding is a collection on its way to another model. Its chunks have two vectors each: those in use, and those of Other.
type Reembedding struct {
	Collection CollectionID
	Other      EmbeddingSpec // the new model before the swap, the former one after it
	IndexID    CollectionID  // where the index has Other's vectors
	State      ReembeddingState
	Plan       ReembeddingPlan
	Gate       *Gate // when it was evaluated
	Error      string
	Done       int // chunks that have a vector of Other
	Total      int
	StartedAt  time.Time
	UpdatedAt  time.Time
}

// ReembeddingPlan says what happens when the vectors are there.
type ReembeddingPlan struct {
	Swap     bool          // swap when the gate lets them pass
	MinRatio float64       // of the metric with the new model to that with the old one
	Queries  []JudgedQuery // to evaluate with; none: questions made of the documents' own sentences
}

// JudgedQuery is a question with the external ids of the documents that answer it.
type JudgedQuery struct {
	Query     string
	Documents []string
}

// Gate is the comparison of two models on a collection's own questions: the mean reciprocal rank of the first right document among ten.
type Gate struct {
	Queries  int
	Before   float64
	After    float64
	MinRatio float64
	Passed   bool
}

// NewIndexID makes a name for another set of a collection's vectors.
func NewIndexID(id CollectionID) CollectionID {
	var b [5]byte
	rand.Read(b[:])
	return id + "." + CollectionID(idAlphabet.EncodeToString(b[:]))
}
