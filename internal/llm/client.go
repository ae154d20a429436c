// Package llm talks to chat models behind an OpenAI-compatible endpoint, and to rerankers. It knows no prompt's policy: it sends what it is given and passes
// on what comes back.
package llm

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"time"

	openai "github.com/sashabaranov/go-openai"

	"footnote/internal/rag"
)

// Options configures a Client. BaseURL and Model are needed.
type Options struct {
	BaseURL string // such as http://127.0.0.1:11434/v1
	Model   string
	APIKey  string
	Timeout time.Duration // of a whole generation; 0: 60 s
	Logger  *slog.Logger
}

// Client is a chat model. Any number of goroutines may use it.
type Client struct {
	o    Options
	chat *openai.Client
}

// New makes a Client; nothing is sent yet.
func New(o Options) *Client {
	if o.Timeout == 0 {
		o.Timeout = 60 * time.Second
	}
	c := openai.DefaultConfig(o.APIKey)
	c.BaseURL = o.BaseURL
	c.HTTPClient = endpoint{&http.Client{}}
	return &Client{o: o, chat: openai.NewClientWithConfig(c)}
}

// Model is the model's name at its endpoint.
func (c *Client) Model() string { return c.o.Model }

// Generate has the model complete p and calls emit with each piece of text, in order. It never tries again: a caller that has passed words
// on cannot take them back, and one that has not can decide better.
// Errors: rag.Unavailable when the endpoint cannot be reached or limits its rate, with what it says of when to come back, rag.Timeout after
// Options.Timeout, rag.BadUpstream for an answer that is nonsense or breaks off and for a refused key or model, emit's own.
func (c *Client) Generate(ctx context.Context, p rag.Prompt, emit func(rag.Delta) error) error {
	ctx, cancel := context.WithTimeoutCause(ctx, c.o.Timeout, errTooSlow)
	defer cancel()
	stream, err := c.chat.CreateChatCompletionStream(ctx, c.request(p))
	if err != nil {
		return c.translate(ctx, err)
	}
	defer stream.Close()
	finished := false
	for {
		piece, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return c.translate(ctx, err)
		}
		var d rag.Delta
		if len(piece.Choices) > 0 {
			d.Text = piece.Choices[0].Delta.Content
			finished = finished || piece.Choices[0].FinishReason != ""
		}
		if u := piece.Usage; u != nil {
			d.Usage = &rag.Usage{PromptTokens: u.PromptTokens, CompletionTokens: u.CompletionTokens}
		}
		if d.Text == "" && d.Usage == nil {
			continue
		}
		if err := emit(d); err != nil {
			return err
		}
	}
	if !finished {
		return rag.Errorf(rag.BadUpstream, "The language model's answer broke off before its end.")
	}
	return nil
}

var errTooSlow = errors.New("the language model took too long")

func (c *Client) request(p rag.Prompt) openai.ChatCompletionRequest {
	r := openai.ChatCompletionRequest{
		//lint:ignore SA1019 most compatible servers know max_tokens only
		Model: c.o.Model, MaxTokens: p.MaxTokens, Temperature: p.Temperature, Stream: true,
		StreamOptions: &openai.StreamOptions{IncludeUsage: true},
		Messages:      []openai.ChatCompletionMessage{{Role: openai.ChatMessageRoleSystem, Content: p.System}},
	}
	for _, m := range p.Messages {
		r.Messages = append(r.Messages, openai.ChatCompletionMessage{Role: m.Role, Content: m.Content})
	}
	return r
}

// translate says what an error of the client means. Whatever is not known is an answer that made no sense.
func (c *Client) translate(ctx context.Context, err error) error {
	var known *rag.Error
	switch {
	case errors.Is(context.Cause(ctx), errTooSlow):
		return rag.Errorf(rag.Timeout, "The language model did not finish within %s (FOOTNOTE_LLM_TIMEOUT): %w", c.o.Timeout, err)
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.As(err, &known):
		return known
	case errors.Is(err, io.ErrUnexpectedEOF) || isNet(err):
		return rag.Errorf(rag.BadUpstream, "The language model's answer broke off: %w", err)
	}
	return rag.Errorf(rag.BadUpstream, "The language model's endpoint answered with something that is not a chat completion: %w", err)
}

func isNet(err error) bool {
	var n net.Error
	return errors.As(err, &n)
}

// endpoint sends requests and turns refusals into domain errors where status and headers are still at hand.
type endpoint struct{ http *http.Client }

func (e endpoint) Do(req *http.Request) (*http.Response, error) {
	resp, err := e.http.Do(req)
	if err != nil {
		if req.Context().Err() != nil {
			return nil, err
		}
		return nil, rag.Errorf(rag.Unavailable, "The language model's endpoint %s cannot be reached: %w", req.URL.Host, err)
	}
	if resp.StatusCode < 300 {
		return resp, nil
	}
	said, _ := io.ReadAll(io.LimitReader(resp.Body, 2048)) // for the log; what is missing is missing
	resp.Body.Close()
	cause := errors.New(resp.Status + ": " + string(said))
	switch {
	case resp.StatusCode == http.StatusTooManyRequests:
		err := rag.Errorf(rag.Unavailable, "The language model's endpoint limits its rate; try again later: %w", cause) // not our caller's rate: 503, not 429
		err.RetryAfter = retryAfter(resp.Header, time.Now())
		return nil, err
	case resp.StatusCode == http.StatusUnauthorized || resp.StatusCode == http.StatusForbidden:
		return nil, rag.Errorf(rag.BadUpstream, "The language model's endpoint refuses the key (status %d); check FOOTNOTE_LLM_API_KEY: %w", resp.StatusCode, cause)
	case resp.StatusCode == http.StatusNotFound:
		return nil, rag.Errorf(rag.BadUpstream, "The language model's endpoint does not know the model or the path (status 404); check FOOTNOTE_LLM_BASE_URL, which usually ends in /v1, and FOOTNOTE_LLM_MODEL: %w", cause)
	case resp.StatusCode >= 500:
		err := rag.Errorf(rag.Unavailable, "The language model's endpoint failed (status %d): %w", resp.StatusCode, cause)
		err.RetryAfter = retryAfter(resp.Header, time.Now())
		return nil, err
	}
	return nil, rag.Errorf(rag.BadUpstream, "The language model's endpoint refused the request (status %d): %w", resp.StatusCode, cause)
}

// retryAfter reads a Retry-After header, in seconds or as a date; 0 when there is none.
func retryAfter(h http.Header, now time.Time) time.Duration {
	v := h.Get("Retry-After")
	if s, err := strconv.Atoi(v); err == nil && s >= 0 {
		return time.Duration(s) * time.Second
	}
	if t, err := http.ParseTime(v); err == nil && t.After(now) {
		return t.Sub(now)
	}
	return 0
}
