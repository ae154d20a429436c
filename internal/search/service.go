// Package search finds the chunks that bear on a query: embed, dense ∥ lexical, fuse, hydrate, collapse, rerank, explain.
//
// It owns the ranking, which both modes share, and knows no store and no client. What is near is the index's to say, what is
// true the catalog's.
package search

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"footnote/internal/rag"
)

// Catalog is what search asks of the truth.
type Catalog interface {
	Collection(ctx context.Context, name string) (rag.Collection, error)
	Hydrate(ctx context.Context, collection rag.CollectionID, ids []rag.ChunkID) ([]rag.Hit, error)
	Embeddings(ctx context.Context, ids []rag.ChunkID) (map[rag.ChunkID]rag.Embedding, error)
	Languages(ctx context.Context, collection rag.CollectionID) (map[string]int, error)
	ChunkLanguages(ctx context.Context, collection rag.CollectionID, ids []rag.ChunkID) (map[rag.ChunkID]string, error)
}

// Documents is what search asks of the truth to explain what became of a document.
type Documents interface {
	Document(ctx context.Context, collection rag.CollectionID, externalID string) (rag.Document, error)
	DocumentByID(ctx context.Context, id rag.DocumentID) (rag.Document, error)
	Chunks(ctx context.Context, id rag.DocumentID, after, limit int) ([]rag.Chunk, error)
}

// Index finds chunk ids.
type Index interface {
	SearchDense(ctx context.Context, id rag.CollectionID, v rag.Embedding, filter *rag.Filter, k int) ([]rag.Candidate, error)
	SearchLexical(ctx context.Context, id rag.CollectionID, query rag.SparseVector, filter *rag.Filter, k int) ([]rag.Candidate, error)
}

// Embedder embeds queries.
type Embedder interface {
	EmbedQueries(ctx context.Context, texts []string) ([]rag.Embedding, error)
	Model() string
	Fingerprint() string
}

// TokenEmbedder gives the state of every token of a text, as unit vectors of one length. Only some models do.
type TokenEmbedder interface {
	TokenStates(ctx context.Context, texts []string, query bool) ([][]rag.Embedding, error)
}

// Reranker scores each text against a query, the higher the better, in the texts' order.
type Reranker interface {
	Rerank(ctx context.Context, query string, texts []string) ([]float64, error)
}

// Options wires a Service. Catalog, Index, Embedder and Logger are needed.
type Options struct {
	Catalog   Catalog
	Documents Documents // nil: no document can be explained
	Index     Index
	Embedder  Embedder
	Others    []Embedder // of collections that have another model
	Fusion    rag.Fusion // empty: rag.ZScore

	Rerank        rag.Rerank    // of queries that do not say; empty: rag.RerankNone
	Tokens        TokenEmbedder // for rag.RerankLate; nil: there is none
	Endpoint      Reranker      // for rag.RerankEndpoint; nil: there is none
	RerankTimeout time.Duration // after which the fused order has to do; 0: 3 s

	Logger   *slog.Logger
	Observe  func(stage string, d time.Duration) // nil: nobody looks
	Degraded func(stage string)                  // called when a stage failed and was left out; nil: nobody looks
	Begin    func() (end func())                 // called when a search turns to the index, and what it returns when it has its passages; nil: nobody looks
}

// Service searches. Any number of goroutines may use it.
type Service struct {
	o     Options
	specs sync.Map // name → spec

	endpoint breaker // of Options.Endpoint
}

// spec is a collection as it was looked up a moment ago.
type spec struct {
	rag.Collection
	languages map[string]int // how many of its documents are in each, about; "" is one that is not known
	at        time.Time
}

// hasLanguage tells whether some of the collection's documents are in such a language.
func (c spec) hasLanguage(such func(language string) bool) bool {
	for l := range c.languages {
		if such(l) {
			return true
		}
	}
	return false
}

// specAge is for how long a collection's identity is taken for known: most searches then ask the catalog once, for the passages.
const specAge = time.Second

// collection finds a collection; its counts may be old.
func (s *Service) collection(ctx context.Context, name string) (spec, error) {
	if v, ok := s.specs.Load(name); ok && time.Since(v.(spec).at) < specAge {
		return v.(spec), nil
	}
	c, err := s.o.Catalog.Collection(ctx, name)
	if err != nil {
		s.specs.Delete(name)
		return spec{}, err
	}
	found, err := s.specOf(ctx, c)
	if err == nil {
		s.specs.Store(name, found)
	}
	return found, err
}

func (s *Service) specOf(ctx context.Context, c rag.Collection) (spec, error) {
	languages, err := s.o.Catalog.Languages(ctx, c.ID)
	return spec{c, languages, time.Now()}, err
}

// New makes a Service.
func New(o Options) *Service {
	if o.Fusion == "" {
		o.Fusion = rag.ZScore
	}
	if o.Rerank == "" {
		o.Rerank = rag.RerankNone
	}
	if o.RerankTimeout == 0 {
		o.RerankTimeout = 3 * time.Second
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Begin == nil {
		o.Begin = func() func() { return func() {} }
	}
	if o.Degraded == nil {
		o.Degraded = func(string) {}
	}
	if o.Observe == nil {
		o.Observe = func(string, time.Duration) {}
	}
	return &Service{o: o}
}

// candidateDepth is the least that is asked of each list: what fusion takes its statistics over. maxDepth is the most, unless it is for want of active chunks.
const (
	candidateDepth = fusionDepth
	maxDepth       = 12800
)

// Search returns the TopK best chunks of the named collections, best first, ties by chunk id. Chunks of versions that are no longer, or not yet,
// active never come back: the lists are asked for more until there are enough. A reranker that fails is left out, and Degraded says so.
// Errors: rag.Invalid for a query out of bounds; rag.NotFound for an unknown collection; rag.ModelMismatch for one that another
// model embedded.
func (s *Service) Search(ctx context.Context, q rag.Query) (rag.Hits, error) {
	q = q.WithDefaults()
	if err := q.Validate(); err != nil {
		return rag.Hits{}, err
	}
	hits, err := s.search(ctx, q, nil)
	var lacks *errIndexLacks
	if errors.As(err, &lacks) {
		// A collection may have been deleted, or made anew, since it was looked up.
		for _, name := range q.Collections {
			s.specs.Delete(name)
		}
		if hits, err = s.search(ctx, q, nil); errors.As(err, &lacks) {
			err = rag.Errorf(rag.Unavailable, "The index lacks a collection that the catalog has; `footnote reconcile --fix` fills it from the catalog. %w", lacks.error)
		}
	}
	return hits, err
}

// errIndexLacks says that the index has no such collection.
type errIndexLacks struct{ error }

// SearchAs searches one collection as it is given, under another model and index than the catalog has for it: what a re-embedding is judged by before it is swapped.
func (s *Service) SearchAs(ctx context.Context, q rag.Query, c rag.Collection) (rag.Hits, error) {
	q.Collections = []string{c.Name}
	q.Rerank, q.Collapse, q.IgnorePhrases = rag.RerankNone, false, true // the model is judged, nothing else
	q = q.WithDefaults()
	if err := q.Validate(); err != nil {
		return rag.Hits{}, err
	}
	return s.search(ctx, q, &c)
}

func (s *Service) search(ctx context.Context, q rag.Query, as *rag.Collection) (rag.Hits, error) {
	started := time.Now()
	r, err := s.request(q, as)
	if err != nil {
		return rag.Hits{}, err
	}
	if err := r.open(ctx); err != nil {
		return rag.Hits{}, err
	}
	if err := r.retrieve(ctx); err != nil {
		return rag.Hits{}, err
	}
	if err := r.rerank(ctx); err != nil {
		return rag.Hits{}, err
	}
	hits := rag.Hits{Hits: r.cut(), Degraded: r.degraded, Timings: r.timings}
	r.mark(hits.Hits)
	if q.Explain {
		if hits.Explanation, err = r.explanation(ctx, hits.Hits); err != nil {
			return rag.Hits{}, err
		}
	}
	r.timings["total"] = time.Since(started)
	for stage, d := range r.timings {
		s.o.Observe(stage, d)
	}
	return hits, nil
}

// retrieve asks the index for more until there are enough passages, or no more.
func (r *request) retrieve(ctx context.Context) error {
	defer r.o.Begin()()
	for depth := max(candidateDepth, 4*r.query.TopK); ; depth *= 2 {
		exhausted, err := r.find(ctx, depth)
		if err != nil {
			return err
		}
		enough, err := r.gather(ctx)
		if err != nil {
			return err
		}
		if enough || exhausted || r.dropped && depth >= maxDepth {
			return nil
		}
	}
}
