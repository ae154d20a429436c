package search

import (
	"context"
	"errors"
	"math"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"footnote/internal/lexical"
	"footnote/internal/rag"
	"footnote/internal/text"
)

// request is one search under way.
type request struct {
	*Service
	query       rag.Query
	text        string          // the query's, without the marks of its phrases
	language    string          // the text's; "" when it has none, such as a number
	phrases     []string        // that every hit must have
	as          *rag.Collection // instead of what the catalog has
	collections []spec
	vectors     map[string]rag.Embedding // the query's, by the fingerprint of their model
	terms       rag.SparseVector
	timings     rag.Timings

	depth                 int // that the lists were asked for last
	expanded              bool
	dense, lexical, fused []rag.Candidate
	home                  map[rag.ChunkID]int // which collection a candidate is of

	hydrated map[rag.ChunkID]*rag.Hit    // nil: no active version has it
	outcomes map[rag.ChunkID]rag.Outcome // of the candidates that were looked at and are no hits
	twins    map[rag.ChunkID]rag.ChunkID // of a duplicate: the hit that stands for it
	kept     []rag.Hit                   // what may be a hit, best first
	dropped  bool                        // something was left out that is not for want of an active version
	reranked []rag.Candidate             // with the reranker's own scores
	degraded []string
}

// request checks what only the service can know of a query: whether it has what is asked for.
func (s *Service) request(q rag.Query, as *rag.Collection) (*request, error) {
	if q.Fusion == "" {
		q.Fusion = s.o.Fusion
	}
	if q.Rerank == "" {
		q.Rerank = s.o.Rerank
	}
	switch {
	case q.Rerank == rag.RerankLate && s.o.Tokens == nil:
		return nil, rag.FieldErrorf("/rerank", "rerank late needs the built-in model, and the service runs another (FOOTNOTE_EMBED_BASE_URL); use none or endpoint.")
	case q.Rerank == rag.RerankEndpoint && s.o.Endpoint == nil:
		return nil, rag.FieldErrorf("/rerank", "rerank endpoint needs an endpoint, and the service has none; set FOOTNOTE_RERANK_BASE_URL, or use none or late.")
	}
	r := &request{Service: s, query: q, text: q.Text, as: as, timings: rag.Timings{}, hydrated: map[rag.ChunkID]*rag.Hit{}}
	if !q.IgnorePhrases {
		r.phrases, r.text = phrases(q.Text)
	}
	r.language = text.Language(r.text)
	return r, nil
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
	r.terms = lexical.QueryVector(r.text)
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
		if v := r.query.Vectors[c.Embedding.Fingerprint]; v != nil && r.text == r.query.Text {
			r.vectors[c.Embedding.Fingerprint] = slices.Clone(v) // it may be moved
			continue
		}
		v, err := e.EmbedQueries(ctx, []string{r.text})
		if err != nil {
			return err
		}
		r.vectors[c.Embedding.Fingerprint] = v[0]
	}
	return nil
}

func (r *request) lookUp(ctx context.Context, name string) (spec, error) {
	if r.as != nil {
		return r.specOf(ctx, *r.as)
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

// find fills the lists to depth and fuses them; exhausted tells that no list has more.
func (r *request) find(ctx context.Context, depth int) (exhausted bool, err error) {
	if exhausted, err = r.ask(ctx, depth); err != nil || r.expanded || r.query.Effort != rag.HighEffort {
		return exhausted, err
	}
	r.expanded = true
	if moved, err := r.expand(ctx); err != nil || !moved {
		return exhausted, err
	}
	return r.ask(ctx, depth)
}

func (r *request) ask(ctx context.Context, depth int) (exhausted bool, err error) {
	r.depth = depth
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
				per[i].dense, err = r.o.Index.SearchDense(gctx, c.IndexID, r.vector(c.Embedding.Fingerprint), r.query.Filter, depth)
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
	n := 0
	for _, f := range per {
		n += len(f.dense) + len(f.lexical)
	}
	r.home = make(map[rag.ChunkID]int, n)
	r.dense, r.lexical = nil, nil
	exhausted = true
	for i, f := range per {
		exhausted = exhausted && len(f.dense) < depth && len(f.lexical) < depth
		for _, list := range [][]rag.Candidate{f.dense, f.lexical} {
			for _, c := range list {
				r.home[c.ID] = i
			}
		}
		steady(f.dense)
		steady(f.lexical)
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
	r.timed("fuse", started)
	coverage, err := r.coverage(ctx)
	if err != nil {
		return false, err
	}
	defer r.timed("fuse", time.Now())
	foreign, err := r.foreign(ctx)
	if err != nil {
		return false, err
	}
	r.fused = Fuse(r.query.Fusion, r.dense, r.lexical, coverage, foreign)
	return exhausted, nil
}

// steady rounds scores to 1e-5. An index may add the same numbers in another order each time, and what then differs in the last bits, such as two copies of a text,
// shall stay a tie, which goes by chunk id.
func steady(list []rag.Candidate) {
	for i := range list {
		list[i].Score = math.Round(list[i].Score*1e5) / 1e5
	}
}
