// Package openai embeds through any OpenAI-compatible embeddings endpoint.
package openai

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"strconv"
	"time"
	"unicode"

	"github.com/cenkalti/backoff/v5"
	api "github.com/sashabaranov/go-openai"

	"footnote/internal/rag"
	"footnote/internal/text"
)

// Options configures a Client. BaseURL and Model are needed.
type Options struct {
	BaseURL    string
	Model      string
	APIKey     string
	Dimensions int           // 0: what the endpoint gives, asked once
	Timeout    time.Duration // of one request; 0: 30 s
	Patience   time.Duration // how long a request that fails for now is tried again; 0: 20 s
	Batch      int           // texts in one request; 0: 64
}

// Client embeds texts. Any number of goroutines may use it.
type Client struct {
	o   Options
	api *api.Client
}

// New makes a Client and embeds a word, to see that endpoint, key and model work and how long vectors are. Errors: those of EmbedDocuments.
func New(ctx context.Context, o Options) (*Client, error) {
	if o.Timeout == 0 {
		o.Timeout = 30 * time.Second
	}
	if o.Patience == 0 {
		o.Patience = 20 * time.Second
	}
	if o.Batch == 0 {
		o.Batch = 64
	}
	c := api.DefaultConfig(o.APIKey)
	c.BaseURL = o.BaseURL
	c.HTTPClient = endpoint{&http.Client{}}
	client := &Client{o: o, api: api.NewClientWithConfig(c)}
	if _, err := client.embed(ctx, []string{"footnote"}); err != nil {
		return nil, err
	}
	return client, nil
}

// Model is the model's name at its endpoint.
func (c *Client) Model() string { return c.o.Model }

// Fingerprint names model and dimensions; the endpoint tells no more of what it runs.
func (c *Client) Fingerprint() string { return fmt.Sprintf("openai:%s:%d", c.o.Model, c.o.Dimensions) }

// Dimensions is the length of a vector.
func (c *Client) Dimensions() int { return c.o.Dimensions }

// MaxTokens is a bound that every model in use today takes, by CountTokens' estimate.
func (c *Client) MaxTokens() int { return 500 }

// CountTokens estimates tokens, from above for common vocabularies: one for each Chinese character or mark, one for each three letters of a word.
func (c *Client) CountTokens(s string) int {
	n, letters := 0, 0
	end := func() { n += (letters + 2) / 3; letters = 0 }
	for _, r := range s {
		switch {
		case unicode.IsSpace(r):
			end()
		case text.IsHan(r) || !unicode.IsLetter(r) && !unicode.IsNumber(r):
			end()
			n++
		default:
			letters++
		}
	}
	end()
	return n
}

// EmbedQueries returns one vector of L2 norm 1 per text, in input order. It is EmbedDocuments: endpoints tell the two apart by no common field.
func (c *Client) EmbedQueries(ctx context.Context, texts []string) ([]rag.Embedding, error) {
	return c.EmbedDocuments(ctx, texts)
}

// EmbedDocuments returns one vector of L2 norm 1 per text, in input order; texts are sent in batches, which are tried again while the endpoint
// fails for now, as long as it asks to wait or ever longer.
// Errors: rag.Unavailable, rag.RateLimited or rag.Timeout after the retries; rag.BadUpstream for nonsense; rag.ModelMismatch for
// vectors of another length. No partial result is returned.
func (c *Client) EmbedDocuments(ctx context.Context, texts []string) ([]rag.Embedding, error) {
	out := make([]rag.Embedding, 0, len(texts))
	for at := 0; at < len(texts); at += c.o.Batch {
		vectors, err := c.embed(ctx, texts[at:min(at+c.o.Batch, len(texts))])
		if err != nil {
			return nil, err
		}
		out = append(out, vectors...)
	}
	return out, nil
}

func (c *Client) embed(ctx context.Context, texts []string) ([]rag.Embedding, error) {
	return backoff.Retry(ctx, func() ([]rag.Embedding, error) {
		out, err := c.once(ctx, texts)
		var e *rag.Error
		switch {
		case err == nil:
			return out, nil
		case ctx.Err() != nil:
			return nil, backoff.Permanent(ctx.Err())
		case !errors.As(err, &e) || e.Code != rag.Unavailable && e.Code != rag.RateLimited && e.Code != rag.Timeout:
			return nil, backoff.Permanent(err)
		case e.RetryAfter > 0:
			return nil, errors.Join(err, backoff.RetryAfter(int(math.Ceil(e.RetryAfter.Seconds()))))
		}
		return nil, err
	}, backoff.WithBackOff(backoff.NewExponentialBackOff()), backoff.WithMaxElapsedTime(c.o.Patience))
}

func (c *Client) once(ctx context.Context, texts []string) ([]rag.Embedding, error) {
	deadline, cancel := context.WithTimeout(ctx, c.o.Timeout)
	defer cancel()
	resp, err := c.api.CreateEmbeddings(deadline, api.EmbeddingRequestStrings{Input: texts, Model: api.EmbeddingModel(c.o.Model), EncodingFormat: api.EmbeddingEncodingFormatFloat})
	var known *rag.Error
	switch {
	case err == nil:
	case errors.As(err, &known):
		return nil, known
	case deadline.Err() != nil:
		return nil, rag.Errorf(rag.Timeout, "The embeddings endpoint did not answer within %s: %w", c.o.Timeout, err)
	default:
		return nil, rag.Errorf(rag.BadUpstream, "The embeddings endpoint answered with something that is not a list of embeddings: %w", err)
	}
	if len(resp.Data) != len(texts) {
		return nil, rag.Errorf(rag.BadUpstream, "The embeddings endpoint gave %d vectors for %d texts.", len(resp.Data), len(texts))
	}
	out := make([]rag.Embedding, len(texts))
	for _, d := range resp.Data {
		if d.Index < 0 || d.Index >= len(out) || out[d.Index] != nil {
			return nil, rag.Errorf(rag.BadUpstream, "The embeddings endpoint gave a vector for text %d, which it was not asked for once.", d.Index)
		}
		if c.o.Dimensions == 0 {
			c.o.Dimensions = len(d.Embedding) // by New, before anybody else has the client
		}
		if len(d.Embedding) != c.o.Dimensions {
			return nil, rag.Errorf(rag.ModelMismatch, "The embeddings endpoint's model %s gives vectors of %d dimensions, and %d are expected; correct FOOTNOTE_EMBED_DIMENSIONS or FOOTNOTE_EMBED_MODEL.",
				c.o.Model, len(d.Embedding), c.o.Dimensions)
		}
		out[d.Index] = unit(d.Embedding)
		if err := out[d.Index].Validate(c.o.Dimensions); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// unit scales v to L2 norm 1.
func unit(v []float32) rag.Embedding {
	var sum float64
	for _, x := range v {
		sum += float64(x) * float64(x)
	}
	out := make(rag.Embedding, len(v))
	if sum == 0 {
		return out
	}
	for i, x := range v {
		out[i] = float32(float64(x) / math.Sqrt(sum))
	}
	return out
}

// endpoint sends requests and turns refusals into domain errors where status and headers are still at hand.
type endpoint struct{ http *http.Client }

func (e endpoint) Do(req *http.Request) (*http.Response, error) {
	resp, err := e.http.Do(req)
	if err != nil {
		if req.Context().Err() != nil {
			return nil, err
		}
		return nil, rag.Errorf(rag.Unavailable, "The embeddings endpoint %s cannot be reached: %w", req.URL.Host, err)
	}
	if resp.StatusCode < 300 {
		return resp, nil
	}
	said, _ := io.ReadAll(io.LimitReader(resp.Body, 2048)) // for the log; what is missing is missing
	resp.Body.Close()
	code, advice := rag.BadUpstream, "refused the request"
	switch {
	case resp.StatusCode == http.StatusTooManyRequests:
		code, advice = rag.RateLimited, "limits its rate"
	case resp.StatusCode >= 500:
		code, advice = rag.Unavailable, "failed"
	case resp.StatusCode == http.StatusUnauthorized || resp.StatusCode == http.StatusForbidden:
		advice = "refuses the key; check FOOTNOTE_EMBED_API_KEY"
	case resp.StatusCode == http.StatusNotFound:
		advice = "does not know the model or the path; check FOOTNOTE_EMBED_BASE_URL, which usually ends in /v1, and FOOTNOTE_EMBED_MODEL"
	}
	out := rag.Errorf(code, "The embeddings endpoint %s (status %d): %w", advice, resp.StatusCode, errors.New(string(said)))
	if s, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil && s > 0 {
		out.RetryAfter = time.Duration(s) * time.Second
	}
	return nil, out
}
