package rag

import "time"

// MaxExplained is how many candidates of a stage an Explanation lists.
const MaxExplained = 50

// Explanation tells how a search came to its hits.
type Explanation struct {
	Stages   []ExplainedStage // in the order in which they ran
	Document *ExplainedDocument
}

// ExplainedStage is a stage of a search with the best of its candidates.
type ExplainedStage struct {
	Name       string // dense, lexical, fused or rerank
	Found      int    // how many candidates it gave
	Duration   time.Duration
	Candidates []ExplainedCandidate // the first MaxExplained
}

// ExplainedCandidate is a candidate of a stage and what became of it.
type ExplainedCandidate struct {
	Rank       int
	Score      float64
	Chunk      ChunkID
	Collection string
	Document   DocumentID // empty, as ExternalID, where the catalog was not asked for the chunk or no active version has it
	ExternalID string
	Outcome    Outcome
}

// Outcome is what became of a candidate, or of a document.
type Outcome string

// The outcomes.
const (
	OutcomeReturned    Outcome = "returned"          // it is a hit
	OutcomeTopK        Outcome = "below_top_k"       // better ones fill the answer
	OutcomePerDocument Outcome = "max_per_document"  // its document has as many hits as it may
	OutcomeDuplicate   Outcome = "duplicate"         // a better hit's text is nearly the same
	OutcomePhrase      Outcome = "lacks_phrase"      // it lacks a phrase that the query has in quotes
	OutcomeFiltered    Outcome = "filtered"          // the filter excludes it
	OutcomeInactive    Outcome = "inactive"          // no active version has it
	OutcomeDepth       Outcome = "below_depth"       // no list reached down to it
	OutcomeNever       Outcome = "never_a_candidate" // it was not found by looking deeper, either
	OutcomeNotFound    Outcome = "not_found"         // the collections have no such document
)

// ExplainedDocument says why a document is, or is not, among the hits: by its best chunk.
type ExplainedDocument struct {
	Asked       string // the id that was asked for
	Collection  string
	Document    Document // empty when it was not found
	Chunk       ChunkID  // the chunk that came furthest; empty when none was found
	Outcome     Outcome
	Detail      string // the same for people, and what to do about it
	Dense       *Stage // its rank in the list, looked for further down than the search did where need be
	Lexical     *Stage
	Fused       *Stage
	Rerank      *Stage
	DuplicateOf ChunkID
}
