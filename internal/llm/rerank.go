package llm

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/cenkalti/backoff/v5"

	"footnote/internal/rag"
)

// RerankOptions configures a Reranker. BaseURL is needed.
type RerankOptions struct {
	BaseURL string // to which /rerank is added
	Model   string // empty: the endpoint has one model
	APIKey  string
	HTTP    *http.Client // nil: one of its own
}

// Reranker is a cross-encoder behind an endpoint in the manner of Cohere and Jina ({model, query, documents} → {results: [{index, relevance_score}]}) or of Hugging
// Face's text-embeddings-inference ({query, texts} → [{index, score}]). Any number of goroutines may use it.
type Reranker struct {
	o        RerankOptions
	endpoint endpoint
	texts    atomic.Bool // the endpoint wants texts, not documents
}

// Bounds of the talk with an endpoint.
const (
	rerankTries    = 2
	maxRerankBytes = 4 << 20
)

// NewReranker makes a Reranker; nothing is sent yet. Without a model's name the endpoint is taken for one of text-embeddings-inference at first.
func NewReranker(o RerankOptions) *Reranker {
	if o.HTTP == nil {
		o.HTTP = &http.Client{}
	}
	r := &Reranker{o: o, endpoint: endpoint{
		name: "The rerank endpoint", setting: "FOOTNOTE_RERANK", baseURL: strings.TrimSuffix(strings.TrimSuffix(o.BaseURL, "/"), "/rerank"), apiKey: o.APIKey, http: o.HTTP,
	}}
	r.texts.Store(o.Model == "")
	return r
}

// Rerank scores each text against the query, the higher the better, in the texts' order. What fails for now is tried once more, unless the endpoint asks for more time than ctx leaves.
// Errors: rag.Unavailable when the endpoint cannot be reached, fails or limits its rate; rag.Timeout when ctx's deadline passed; rag.BadUpstream for an answer
// that does not give each text one number, and for a refused key, model or request.
func (r *Reranker) Rerank(ctx context.Context, query string, texts []string) ([]float64, error) {
	scores, err := backoff.Retry(ctx, func() ([]float64, error) {
		scores, err := r.once(ctx, query, texts)
		var e *rag.Error
		switch {
		case err == nil:
			return scores, nil
		case ctx.Err() != nil:
			return nil, backoff.Permanent(err)
		case !errors.As(err, &e) || e.Code != rag.Unavailable:
			return nil, backoff.Permanent(err)
		case e.RetryAfter > 0:
			if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < e.RetryAfter {
				return nil, backoff.Permanent(err)
			}
			return nil, errors.Join(err, backoff.RetryAfter(int(math.Ceil(e.RetryAfter.Seconds()))))
		}
		return nil, err
	}, backoff.WithBackOff(&backoff.ConstantBackOff{Interval: 100 * time.Millisecond}), backoff.WithMaxTries(rerankTries))
	if err != nil && errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return nil, rag.Errorf(rag.Timeout, "The rerank endpoint did not answer in time (FOOTNOTE_RERANK_TIMEOUT): %w", err)
	}
	return scores, err
}

func (r *Reranker) once(ctx context.Context, query string, texts []string) ([]float64, error) {
	asTexts := r.texts.Load()
	body, err := r.post(ctx, asTexts, query, texts)
	if wrongForm(err, asTexts) {
		if body, err = r.post(ctx, !asTexts, query, texts); err == nil {
			r.texts.Store(!asTexts)
		}
	}
	if err != nil {
		return nil, err
	}
	return readScores(body, len(texts))
}

// wrongForm tells an endpoint that misses the other form's field.
func wrongForm(err error, asTexts bool) bool {
	var refused errRefused
	if !errors.As(err, &refused) {
		return false
	}
	missing := "texts"
	if asTexts {
		missing = "documents"
	}
	return strings.Contains(refused.said, missing)
}

func (r *Reranker) post(ctx context.Context, asTexts bool, query string, texts []string) ([]byte, error) {
	in := map[string]any{"query": query}
	if r.o.Model != "" {
		in["model"] = r.o.Model
	}
	if asTexts {
		in["texts"], in["truncate"] = texts, true
	} else {
		in["documents"], in["top_n"] = texts, len(texts)
	}
	return r.endpoint.ask(ctx, "/rerank", in, maxRerankBytes)
}

type relevance struct {
	Index     *int     `json:"index"`
	Relevance *float64 `json:"relevance_score"`
	Score     *float64 `json:"score"`
}

// readScores reads an answer of either form; each of n texts must have one number.
func readScores(body []byte, n int) ([]float64, error) {
	var list []relevance
	trimmed := bytes.TrimSpace(body)
	if len(trimmed) > 0 && trimmed[0] == '[' {
		if err := json.Unmarshal(trimmed, &list); err != nil {
			return nil, rag.Errorf(rag.BadUpstream, "The rerank endpoint answered with something that is not a list of scores: %w", err)
		}
	} else {
		var answer struct{ Results, Data []relevance }
		if err := json.Unmarshal(trimmed, &answer); err != nil {
			return nil, rag.Errorf(rag.BadUpstream, "The rerank endpoint answered with something that is not a list of scores: %w", err)
		}
		list = append(answer.Results, answer.Data...)
	}
	if len(list) != n {
		return nil, rag.Errorf(rag.BadUpstream, "The rerank endpoint gave %d scores for %d texts.", len(list), n)
	}
	scores, seen := make([]float64, n), make([]bool, n)
	for _, s := range list {
		value := s.Relevance
		if value == nil {
			value = s.Score
		}
		if s.Index == nil || value == nil || *s.Index < 0 || *s.Index >= n || seen[*s.Index] {
			return nil, rag.Errorf(rag.BadUpstream, "The rerank endpoint did not give each text one score.")
		}
		scores[*s.Index], seen[*s.Index] = *value, true
	}
	return scores, nil
}
