// Package search finds the chunks that bear on a query: embed, dense ∥ lexical, fuse, hydrate, explain.
//
// It owns the ranking, which both modes share, and knows no store and no client. What is near is the index's to say, what is
// true the catalog's.
package search

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"footnote/internal/lexical"
	"footnote/internal/rag"
)

// Catalog is what search asks of the truth.
type Catalog interface {
	Collection(ctx context.Context, name string) (rag.Collection, error)
	Hydrate(ctx context.Context, collection rag.CollectionID, ids []rag.ChunkID) ([]rag.Hit, error)
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

// Options wires a Service. Catalog, Index and Embedder are needed.
type Options struct {
	Catalog  Catalog
	Index    Index
	Embedder Embedder
	Others   []Embedder // of collections that have another model
	Fusion   Fusion     // empty: ZScore
	Logger   *slog.Logger
	Observe  func(stage string, d time.Duration) // nil: nobody looks
}

// Service searches. Any number of goroutines may use it.
type Service struct {
	o     Options
	specs sync.Map // name → spec
}

// spec is a collection as it was looked up a moment ago.
type spec struct {
	rag.Collection
	at time.Time
}

// specAge is for how long a collection's identity is taken for known: most searches then ask the catalog once, for the passages.
const specAge = time.Second

// collection finds a collection; its counts may be old.
func (s *Service) collection(ctx context.Context, name string) (rag.Collection, error) {
	if v, ok := s.specs.Load(name); ok && time.Since(v.(spec).at) < specAge {
		return v.(spec).Collection, nil
	}
	c, err := s.o.Catalog.Collection(ctx, name)
	if err != nil {
		s.specs.Delete(name)
		return c, err
	}
	s.specs.Store(name, spec{c, time.Now()})
	return c, nil
}

// New makes a Service.
func New(o Options) *Service {
	if o.Fusion == "" {
		o.Fusion = ZScore
	}
	if o.Observe == nil {
		o.Observe = func(string, time.Duration) {}
	}
	return &Service{o: o}
}

// candidateDepth is the least that is asked of each list: what fusion takes its statistics over.
const candidateDepth = fusionDepth

// Search returns the TopK best chunks of the named collections, best first, ties by chunk id. Chunks of versions that are no longer, or not yet,
// active never come back: the lists are asked for more until there are enough.
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
	q = q.WithDefaults()
	if err := q.Validate(); err != nil {
		return rag.Hits{}, err
	}
	return s.search(ctx, q, &c)
}

func (s *Service) search(ctx context.Context, q rag.Query, as *rag.Collection) (rag.Hits, error) {
	started := time.Now()
	r := &request{Service: s, query: q, as: as, timings: rag.Timings{}}
	if err := r.open(ctx); err != nil {
		return rag.Hits{}, err
	}
	var hits []rag.Hit
	for depth := max(candidateDepth, 4*q.TopK); ; depth *= 2 {
		exhausted, err := r.find(ctx, depth)
		if err != nil {
			return rag.Hits{}, err
		}
		if hits, err = r.hydrate(ctx); err != nil {
			return rag.Hits{}, err
		}
		if len(hits) >= q.TopK || exhausted {
			break
		}
	}
	r.timings["total"] = time.Since(started)
	for stage, d := range r.timings {
		s.o.Observe(stage, d)
	}
	return rag.Hits{Hits: hits, Timings: r.timings}, nil
}

// request is one search under way.
type request struct {
	*Service
	query       rag.Query
	as          *rag.Collection // instead of what the catalog has
	collections []rag.Collection
	vectors     map[string]rag.Embedding // the query's, by the fingerprint of their model
	terms       rag.SparseVector
	timings     rag.Timings

	dense, lexical, fused []rag.Candidate
	home                  map[rag.ChunkID]int // which collection a candidate is of
}

func (r *request) timed(stage string, started time.Time) { r.timings[stage] += time.Since(started) }

// open resolves the collections and makes the query's vectors.
func (r *request) open(ctx context.Context) error {
	names := slices.Clone(r.query.Collections)
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		c, err := r.lookUp(ctx, name)
		if err != nil {
			return err
		}
		r.collections = append(r.collections, c)
	}
	r.terms = lexical.QueryVector(r.query.Text)
	if r.query.Mode == rag.Lexical {
		return nil
	}
	defer r.timed("embed", time.Now())
	r.vectors = map[string]rag.Embedding{}
	for _, c := range r.collections {
		if r.vectors[c.Embedding.Fingerprint] != nil {
			continue
		}
		e := r.model(c.Embedding.Fingerprint)
		if e == nil {
			return rag.Errorf(rag.ModelMismatch, "Collection %q was embedded by %s (%s), and the service runs %s (%s): their vectors cannot be compared. Start the service with the former model, "+
				"or make a new collection and take the documents in again; mode=lexical works meanwhile.",
				c.Name, c.Embedding.Model, c.Embedding.Fingerprint, r.o.Embedder.Model(), r.o.Embedder.Fingerprint())
		}
		v, err := e.EmbedQueries(ctx, []string{r.query.Text})
		if err != nil {
			return err
		}
		r.vectors[c.Embedding.Fingerprint] = v[0]
	}
	return nil
}

func (r *request) lookUp(ctx context.Context, name string) (rag.Collection, error) {
	if r.as != nil {
		return *r.as, nil
	}
	return r.collection(ctx, name)
}

// model is the embedder with a fingerprint; nil when there is none.
func (s *Service) model(fingerprint string) Embedder {
	for _, e := range append([]Embedder{s.o.Embedder}, s.o.Others...) {
		if e.Fingerprint() == fingerprint {
			return e
		}
	}
	return nil
}

// find fills the lists to depth; exhausted tells that no list has more.
func (r *request) find(ctx context.Context, depth int) (exhausted bool, err error) {
	type found struct {
		dense, lexical         []rag.Candidate
		denseTime, lexicalTime time.Duration
	}
	per := make([]found, len(r.collections))
	g, gctx := errgroup.WithContext(ctx)
	for i, c := range r.collections {
		if r.query.Mode != rag.Lexical {
			g.Go(func() (err error) {
				started := time.Now()
				per[i].dense, err = r.o.Index.SearchDense(gctx, c.IndexID, r.vectors[c.Embedding.Fingerprint], r.query.Filter, depth)
				per[i].denseTime = time.Since(started)
				return err
			})
		}
		if r.query.Mode != rag.Dense {
			g.Go(func() (err error) {
				started := time.Now()
				per[i].lexical, err = r.o.Index.SearchLexical(gctx, c.IndexID, r.terms, r.query.Filter, depth)
				per[i].lexicalTime = time.Since(started)
				return err
			})
		}
	}
	if err := g.Wait(); err != nil {
		var known *rag.Error
		switch {
		case rag.CodeOf(err) == rag.NotFound:
			err = &errIndexLacks{err}
		case errors.As(err, &known) && known.Code == rag.RateLimited:
			// The index's limit is not the caller's doing.
			err = &rag.Error{Code: rag.Unavailable, Message: "The index limits requests now; try again.", RetryAfter: known.RetryAfter, Err: err}
		}
		return false, err
	}
	started := time.Now()
	r.home = map[rag.ChunkID]int{}
	r.dense, r.lexical = nil, nil
	exhausted = true
	for i, f := range per {
		exhausted = exhausted && len(f.dense) < depth && len(f.lexical) < depth
		for _, c := range slices.Concat(f.dense, f.lexical) {
			r.home[c.ID] = i
		}
		if len(r.vectors) > 1 {
			f.dense = standardised(f.dense) // cosines of different models are not
		}
		// One model and one formula: scores of different collections compare.
		r.dense, r.lexical = append(r.dense, f.dense...), append(r.lexical, f.lexical...)
		r.timings["dense"] = max(r.timings["dense"], f.denseTime)
		r.timings["lexical"] = max(r.timings["lexical"], f.lexicalTime)
	}
	slices.SortFunc(r.dense, order)
	slices.SortFunc(r.lexical, order)
	r.fused = Fuse(r.o.Fusion, r.dense, r.lexical)
	r.timed("fuse", started)
	return exhausted, nil
}

// hydrate asks the catalog for the best candidates until TopK of them turn out to be active.
func (r *request) hydrate(ctx context.Context) ([]rag.Hit, error) {
	defer r.timed("hydrate", time.Now())
	var hits []rag.Hit
	rank := 0
	for at := 0; at < len(r.fused) && len(hits) < r.query.TopK; {
		batch := r.fused[at:min(at+2*r.query.TopK, len(r.fused))]
		at += len(batch)
		ids := make([][]rag.ChunkID, len(r.collections))
		for _, c := range batch {
			ids[r.home[c.ID]] = append(ids[r.home[c.ID]], c.ID)
		}
		active := map[rag.ChunkID]rag.Hit{}
		for i, c := range r.collections {
			if len(ids[i]) == 0 {
				continue
			}
			found, err := r.o.Catalog.Hydrate(ctx, c.ID, ids[i])
			if err != nil {
				return nil, err
			}
			for _, h := range found {
				active[h.Chunk.ID] = h
			}
		}
		for _, c := range batch {
			rank++
			h, ok := active[c.ID]
			// An index may let a little more pass than the filter does.
			if !ok || !r.query.Filter.Matches(h.Document.Metadata) || len(hits) == r.query.TopK {
				continue
			}
			h.Rank, h.Score = len(hits)+1, c.Score
			h.Fused = &rag.Stage{Rank: rank, Score: c.Score}
			hits = append(hits, h)
		}
	}
	r.explain(hits)
	return hits, nil
}

// explain says of each hit what each list said of it.
func (r *request) explain(hits []rag.Hit) {
	denseRank, lexicalRank := ranks(r.dense), ranks(r.lexical)
	asked := map[uint32]string{}
	for _, t := range lexical.Terms(r.query.Text) {
		asked[lexical.Hash(t.Text)] = t.Text
	}
	for i := range hits {
		h := &hits[i]
		if n, ok := denseRank[h.Chunk.ID]; ok {
			h.Dense = &rag.Stage{Rank: n, Score: r.dense[n-1].Score}
		}
		if n, ok := lexicalRank[h.Chunk.ID]; ok {
			h.Lexical = &rag.Stage{Rank: n, Score: r.lexical[n-1].Score}
			if r.query.Explain {
				h.Lexical.Terms = matched(asked, rag.EmbeddedText(h.Document.Title, h.Chunk.HeadingPath, h.Chunk.Text))
			}
		}
	}
}

func ranks(list []rag.Candidate) map[rag.ChunkID]int {
	m := make(map[rag.ChunkID]int, len(list))
	for i, c := range list {
		m[c.ID] = i + 1
	}
	return m
}

// matched lists the asked terms that text has, sorted.
func matched(asked map[uint32]string, text string) []string {
	seen := map[string]bool{}
	var out []string
	for _, t := range lexical.Terms(text) {
		if term, ok := asked[lexical.Hash(t.Text)]; ok && !seen[term] {
			seen[term] = true
			out = append(out, term)
		}
	}
	slices.Sort(out)
	return out
}
