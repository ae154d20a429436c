package llm

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
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
	o     RerankOptions
	texts atomic.Bool // the endpoint wants texts, not documents
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
	o.BaseURL = strings.TrimSuffix(strings.TrimSuffix(o.BaseURL, "/"), "/rerank")
	r := &Reranker{o: o}
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

// errRefused is a request that the endpoint could not read.
type errRefused struct{ said string }

func (e errRefused) Error() string { return e.said }

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
	encoded, err := json.Marshal(in)
	if err != nil {
		return nil, fmt.Errorf("encode the request: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.o.BaseURL+"/rerank", bytes.NewReader(encoded))
	if err != nil {
		return nil, fmt.Errorf("make the request: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	if r.o.APIKey != "" {
		req.Header.Set("Authorization", "Bearer "+r.o.APIKey)
	}
	resp, err := r.o.HTTP.Do(req)
	if err != nil {
		return nil, rag.Errorf(rag.Unavailable, "The rerank endpoint %s cannot be reached: %w", req.URL.Host, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode >= 300 {
		return nil, r.refusal(resp)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxRerankBytes+1))
	switch {
	case err != nil:
		return nil, rag.Errorf(rag.Unavailable, "The rerank endpoint's answer broke off: %w", err)
	case len(body) > maxRerankBytes:
		return nil, rag.Errorf(rag.BadUpstream, "The rerank endpoint answered with more than %d bytes.", maxRerankBytes)
	}
	return body, nil
}

// refusal says what a status means. What the endpoint says goes to the log, and some repeat the key.
func (r *Reranker) refusal(resp *http.Response) error {
	b, _ := io.ReadAll(io.LimitReader(resp.Body, 2048)) // what is missing is missing
	said := string(b)
	if r.o.APIKey != "" {
		said = strings.ReplaceAll(said, r.o.APIKey, "[redacted]")
	}
	cause := errRefused{said}
	switch {
	case resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode >= 500:
		err := rag.Errorf(rag.Unavailable, "The rerank endpoint fails or limits its rate (status %d): %w", resp.StatusCode, errors.New(said))
		err.RetryAfter = retryAfter(resp.Header, time.Now())
		return err
	case resp.StatusCode == http.StatusUnauthorized || resp.StatusCode == http.StatusForbidden:
		return rag.Errorf(rag.BadUpstream, "The rerank endpoint refuses the key (status %d); check FOOTNOTE_RERANK_API_KEY: %w", resp.StatusCode, cause)
	case resp.StatusCode == http.StatusNotFound:
		return rag.Errorf(rag.BadUpstream, "The rerank endpoint does not know the model or the path (status 404); check FOOTNOTE_RERANK_BASE_URL, to which /rerank is added, and FOOTNOTE_RERANK_MODEL: %w", cause)
	}
	return rag.Errorf(rag.BadUpstream, "The rerank endpoint refused the request (status %d): %w", resp.StatusCode, cause)
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
