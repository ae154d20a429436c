package rag

import (
	"strings"
	"time"
	"unicode/utf8"
)

// Mode says which halves of the search run.
type Mode string

// The modes.
const (
	Hybrid  Mode = "hybrid"
	Dense   Mode = "dense"
	Lexical Mode = "lexical"
)

// Fusion names a way to make one ranking of a dense and a lexical one.
type Fusion string

// The ways.
const (
	ZScore Fusion = "zscore" // a weighted sum of z-scores
	RRF    Fusion = "rrf"    // reciprocal ranks: Cormack, Clarke & Büttcher, SIGIR 2009
	Convex Fusion = "convex" // a weighted sum of scores scaled to [0, 1]: Bruch, Gai & Ingber, TOIS 2023
)

// Rerank names what orders the best of the fused candidates anew.
type Rerank string

// The rerankers.
const (
	RerankNone     Rerank = "none"
	RerankLate     Rerank = "late"     // late interaction over the built-in model's token states
	RerankEndpoint Rerank = "endpoint" // a cross-encoder behind an endpoint
)

// Effort says how much a search may do beyond asking once.
type Effort string

// The efforts.
const (
	NormalEffort Effort = "normal"
	HighEffort   Effort = "high" // search again with the query's vector moved towards the best candidates
)

// Bounds of a query.
const (
	MaxQueryLength = 2000 // code points
	MaxTopK        = 200
	MaxCollections = 16
	MaxRerankDepth = 50
)

// Query asks for the chunks that bear on Text.
type Query struct {
	Text        string
	Collections []string // names; 1 to MaxCollections
	Mode        Mode     // empty: Hybrid
	TopK        int      // 0: 10
	Filter      *Filter

	Fusion         Fusion               // empty: the service's
	Effort         Effort               // empty: NormalEffort
	Rerank         Rerank               // empty: the service's
	RerankDepth    int                  // how many of the best are ordered anew; 0: 20
	MaxPerDocument int                  // most hits of one document; 0: any number
	Collapse       bool                 // hits whose texts are nearly the same are one hit, with the others in its Duplicates
	Vectors        map[string]Embedding // of Text, by the fingerprint of the model that made them; one that is not here is made
	IgnorePhrases  bool                 // quotation marks ask for nothing: a question quotes to stress, too

	Explain         bool
	ExplainDocument string // a document's id or external id: tell why it is, or is not, among the hits; implies Explain
}

// WithDefaults fills what was left empty.
func (q Query) WithDefaults() Query {
	if q.Mode == "" {
		q.Mode = Hybrid
	}
	if q.TopK == 0 {
		q.TopK = 10
	}
	if q.Effort == "" {
		q.Effort = NormalEffort
	}
	if q.RerankDepth == 0 {
		q.RerankDepth = 20
	}
	if q.ExplainDocument != "" {
		q.Explain = true
	}
	return q
}

// Validate reports an Invalid error naming the field that is out of bounds.
func (q Query) Validate() error {
	switch {
	case strings.TrimSpace(q.Text) == "":
		return FieldErrorf("/query", "query must not be empty.")
	case !utf8.ValidString(q.Text):
		return FieldErrorf("/query", "query must be valid UTF-8.")
	case utf8.RuneCountInString(q.Text) > MaxQueryLength:
		return FieldErrorf("/query", "query has %d characters; at most %d are allowed.", utf8.RuneCountInString(q.Text), MaxQueryLength)
	case len(q.Collections) == 0:
		return FieldErrorf("/collections", "collections must name at least one collection.")
	case len(q.Collections) > MaxCollections:
		return FieldErrorf("/collections", "collections names %d collections; at most %d are allowed.", len(q.Collections), MaxCollections)
	case q.Mode != Hybrid && q.Mode != Dense && q.Mode != Lexical:
		return FieldErrorf("/mode", "mode must be hybrid, dense or lexical, got %q.", Clip(string(q.Mode), 40))
	case q.TopK < 1 || q.TopK > MaxTopK:
		return FieldErrorf("/top_k", "top_k must be between 1 and %d, got %d.", MaxTopK, q.TopK)
	case q.Fusion != "" && q.Fusion != ZScore && q.Fusion != RRF && q.Fusion != Convex:
		return FieldErrorf("/fusion", "fusion must be zscore, rrf or convex, got %q.", Clip(string(q.Fusion), 40))
	case q.Effort != NormalEffort && q.Effort != HighEffort:
		return FieldErrorf("/effort", "effort must be normal or high, got %q.", Clip(string(q.Effort), 40))
	case q.Rerank != "" && q.Rerank != RerankNone && q.Rerank != RerankLate && q.Rerank != RerankEndpoint:
		return FieldErrorf("/rerank", "rerank must be none, late or endpoint, got %q.", Clip(string(q.Rerank), 40))
	case q.RerankDepth < 1 || q.RerankDepth > MaxRerankDepth:
		return FieldErrorf("/rerank_depth", "rerank_depth must be between 1 and %d, got %d.", MaxRerankDepth, q.RerankDepth)
	case q.MaxPerDocument < 0 || q.MaxPerDocument > MaxTopK:
		return FieldErrorf("/max_per_document", "max_per_document must be between 1 and %d, got %d.", MaxTopK, q.MaxPerDocument)
	case utf8.RuneCountInString(q.ExplainDocument) > MaxExternalIDLength:
		return FieldErrorf("/explain_document", "explain_document has %d characters; a document's id has at most %d.", utf8.RuneCountInString(q.ExplainDocument), MaxExternalIDLength)
	}
	if err := validateCollectionNames(q.Collections); err != nil {
		return err
	}
	return q.Filter.Validate()
}

// Stage is what one stage of the search said of a chunk: its rank from 1 and that stage's score.
type Stage struct {
	Rank  int
	Score float64
	Terms []string // of the lexical stage: the query's terms that matched
}

// Hit is a chunk that a search returns. Score is the score of the last stage that ran. Dense, Lexical and Rerank are nil when that stage
// did not see the chunk.
type Hit struct {
	Rank       int
	Score      float64
	Collection string // name
	Document   Document
	Chunk      Chunk
	Dense      *Stage
	Lexical    *Stage
	Fused      *Stage
	Rerank     *Stage
	Duplicates []Duplicate // that this hit stands for, best ranked first
}

// Duplicate is a chunk whose text is nearly that of a hit that ranked better.
type Duplicate struct {
	Collection string // name
	Document   Document
	Chunk      ChunkID
}

// Timings are the durations of stages by name (embed, dense, lexical, fuse, hydrate, rerank, generate, verify, total).
type Timings map[string]time.Duration

// Hits is the outcome of a search.
type Hits struct {
	Hits        []Hit
	Degraded    []string     // stages that failed and were left out: the hits are in the order of the stage before
	Explanation *Explanation // nil unless it was asked for
	Timings     Timings
}
