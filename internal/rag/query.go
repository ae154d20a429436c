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

// Bounds of a query.
const (
	MaxQueryLength = 2000 // code points
	MaxTopK        = 200
	MaxCollections = 16
)

// Query asks for the chunks that bear on Text.
type Query struct {
	Text        string
	Collections []string // names; 1 to MaxCollections
	Mode        Mode     // empty: Hybrid
	TopK        int      // 0: 10
	Filter      *Filter
	Explain     bool
}

// WithDefaults fills what was left empty.
func (q Query) WithDefaults() Query {
	if q.Mode == "" {
		q.Mode = Hybrid
	}
	if q.TopK == 0 {
		q.TopK = 10
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
	}
	for i, name := range q.Collections {
		if err := ValidateCollectionName(name); err != nil {
			e := err.(*Error)
			e.Field = "/collections/" + itoa(i)
			return e
		}
	}
	return q.Filter.Validate()
}

// Stage is what one stage of the search said of a chunk: its rank from 1 and that stage's score.
type Stage struct {
	Rank  int
	Score float64
	Terms []string // of the lexical stage: the query's terms that matched
}

// Hit is a chunk that a search returns. Score is the score of the last stage that ran. Dense and Lexical are nil when that stage
// did not find the chunk.
type Hit struct {
	Rank       int
	Score      float64
	Collection string // name
	Document   Document
	Chunk      Chunk
	Dense      *Stage
	Lexical    *Stage
	Fused      *Stage
}

// Timings are the durations of stages by name (embed, dense, lexical, fuse, hydrate, generate, verify, total).
type Timings map[string]time.Duration

// Hits is the outcome of a search.
type Hits struct {
	Hits    []Hit
	Timings Timings
}
