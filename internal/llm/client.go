// Package llm talks to chat models behind an OpenAI-compatible endpoint, and to rerankers. It knows no prompt's policy: it sends what it is given and passes
// on what comes back, less what a model only thinks.
package llm

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"footnote/internal/rag"
)

// Options configures a Client. BaseURL and Model are needed.
type Options struct {
	BaseURL string // such as http://127.0.0.1:11434/v1
	Model   string
	APIKey  string
	Window  int           // tokens of prompt and answer together; 0: what is known of the model, else DefaultWindow
	Timeout time.Duration // of a whole generation; 0: 60 s
	Setting string        // the settings' common beginning, for messages; empty: FOOTNOTE_LLM
	Logger  *slog.Logger
}

// Client is a chat model. Any number of goroutines may use it.
type Client struct {
	o        Options
	model    model
	fields   fields
	endpoint endpoint
}

// New makes a Client; nothing is sent yet.
func New(o Options) *Client {
	if o.Timeout == 0 {
		o.Timeout = 60 * time.Second
	}
	if o.Setting == "" {
		o.Setting = "FOOTNOTE_LLM"
	}
	c := &Client{o: o, model: lookUp(o.Model), fields: fields{tried: map[string]bool{}}, endpoint: endpoint{
		name: "The language model's endpoint", setting: o.Setting, baseURL: strings.TrimSuffix(strings.TrimRight(o.BaseURL, "/"), "/chat/completions"), apiKey: o.APIKey, http: &http.Client{},
	}}
	if o.Window > 0 {
		c.model.window = o.Window
	}
	return c
}

// Model is the model's name at its endpoint.
func (c *Client) Model() string { return c.o.Model }

// Window is how many tokens prompt and answer may have together.
func (c *Client) Window() int { return c.model.window }

// CountTokens counts the tokens of a text: exactly for models of OpenAI's vocabularies, else by an estimate that is hardly ever too low.
func (c *Client) CountTokens(s string) int { return countTokens(c.model.vocabulary, s) }

// MessageTokens is what a message costs beside its text: its role and what parts it from the next. OpenAI's have 3 and the role; the templates of others have up to 10.
func (c *Client) MessageTokens() int {
	if v := c.model.vocabulary; v == cl100k || v == o200k {
		return 4
	}
	return 10
}

// Thinks tells whether the model is known to think before it answers, which takes of the tokens that it may write.
func (c *Client) Thinks() bool { return c.model.thinks }

// Generate has the model complete p and calls emit for each piece that it sends, in order; a piece may be empty, which tells that the model is at work. An answer that
// was sent is never asked for again: a caller that has passed words on cannot take them back, and one that has not can decide better. Only a request that the
// endpoint refused for a field is sent once more without it, and that is remembered.
// Errors: rag.Unavailable when the endpoint cannot be reached or limits its rate, with what it says of when to come back, rag.Timeout after
// Options.Timeout, rag.BadUpstream for an answer that is nonsense or breaks off and for a refused key or model, emit's own.
func (c *Client) Generate(ctx context.Context, p rag.Prompt, emit func(rag.Delta) error) error {
	ctx, cancel := context.WithTimeoutCause(ctx, c.o.Timeout, errTooSlow)
	defer cancel()
	body, err := c.ask(ctx, p)
	if err != nil {
		return c.translate(ctx, err)
	}
	defer body.Close()
	return c.translate(ctx, c.read(body, emit))
}

// read passes on what a model sends.
func (c *Client) read(body io.Reader, emit func(rag.Delta) error) error {
	var emitted error // emit's own is no fault of the endpoint
	pass := func(d rag.Delta) error {
		emitted = emit(d)
		return emitted
	}
	texts, thinking := wholeRunes{}, wholeRunes{}
	var written string // of this piece
	turn := &turn{}
	t := &thoughts{opened: c.model.opened, text: func(s string) error { written += turn.write(s); return nil }}
	finish, chosen := "", false
	ended, err := readPieces(body, func(p piece) error {
		if len(p.Error) > 0 && string(p.Error) != "null" {
			return rag.Errorf(rag.BadUpstream, "The language model's endpoint reported an error instead of going on: %w", errors.New(c.endpoint.redact(rag.Clip(string(p.Error), 500))))
		}
		var d rag.Delta
		for _, choice := range p.Choices {
			if choice.Index != 0 || finish != "" {
				continue
			}
			s, thought := choice.Delta.text()+choice.Message.text(), choice.Delta.thinking()+choice.Message.thinking()
			written = ""
			if err := t.write(texts.write(s)); err != nil {
				return err
			}
			d.Text, d.Thinking = d.Text+written, d.Thinking+thinking.write(thought)
			if choice.FinishReason != nil {
				finish = *choice.FinishReason
			}
			chosen = true
		}
		if p.Usage != nil {
			d.Usage = &rag.Usage{PromptTokens: max(p.Usage.PromptTokens, 0), CompletionTokens: max(p.Usage.CompletionTokens, 0)}
		}
		return pass(d)
	})
	switch {
	case emitted != nil:
		return emitted
	case err != nil:
		return err
	case finish == "content_filter":
		return rag.Errorf(rag.BadUpstream, "The language model's provider stopped the answer (content_filter).")
	case finish == "error" || finish == "" && !ended:
		return rag.Errorf(rag.BadUpstream, "The language model's answer broke off before its end.")
	case !chosen:
		return errNonsense("no choices")
	}
	written = ""
	if err := t.write(texts.end()); err != nil {
		return err
	}
	thought, err := t.end()
	if err != nil {
		return err
	}
	written += turn.end()
	return pass(rag.Delta{Text: written, Thinking: thinking.end() + thought, Cut: finish == "length"})
}

var errTooSlow = errors.New("the language model took too long")

// errRejected is a request that the endpoint did not take, and what it said of it.
type errRejected struct {
	status int
	said   string
}

func (e errRejected) Error() string { return fmt.Sprintf("status %d: %s", e.status, e.said) }

// maxAsked bounds how often a refused request is sent again, each time without another field.
const maxAsked = 4

// ask sends the request and returns the body of a good answer.
func (c *Client) ask(ctx context.Context, p rag.Prompt) (io.ReadCloser, error) {
	without := c.left(p)
	doubted := map[string]string{} // key of what is left out on trial
	for asked := 1; ; asked++ {
		r := c.request(p, without)
		body, err := c.complete(ctx, r)
		if err == nil {
			c.fields.learn(doubted, true)
			return body, nil
		}
		var refused errRejected
		var suspects []string
		if errors.As(err, &refused) && (refused.status == http.StatusBadRequest || refused.status == http.StatusUnprocessableEntity) {
			suspects = c.fields.suspects(r, refused.said)
		}
		if len(suspects) == 0 || asked == maxAsked {
			if errors.As(err, &refused) {
				c.fields.learn(doubted, false)
			}
			return nil, err
		}
		keys := sent(r)
		for _, name := range suspects {
			without[name], doubted[name] = true, keys[name]
		}
		if c.o.Logger != nil {
			c.o.Logger.Info("the language model's endpoint refuses fields, asking without", "fields", suspects)
		}
	}
}

// complete sends a request and turns refusals into domain errors where status and headers are still at hand.
func (c *Client) complete(ctx context.Context, r request) (io.ReadCloser, error) {
	resp, err := c.endpoint.post(ctx, "/chat/completions", "text/event-stream", r)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode < 300 {
		return resp.Body, nil
	}
	defer resp.Body.Close()
	cause := errRejected{resp.StatusCode, c.endpoint.said(resp)}
	switch {
	case resp.StatusCode == http.StatusTooManyRequests:
		err := rag.Errorf(rag.Unavailable, "The language model's endpoint limits its rate; try again later: %w", cause) // not our caller's rate: 503, not 429
		err.RetryAfter = retryAfter(resp.Header, time.Now())
		return nil, err
	case resp.StatusCode == http.StatusUnauthorized || resp.StatusCode == http.StatusForbidden:
		return nil, rag.Errorf(rag.BadUpstream, "The language model's endpoint refuses the key (status %d); check %s_API_KEY: %w", resp.StatusCode, c.o.Setting, cause)
	case resp.StatusCode == http.StatusNotFound:
		return nil, rag.Errorf(rag.BadUpstream, "The language model's endpoint does not know the model or the path (status 404); check %s_BASE_URL, which usually ends in /v1, and %[1]s_MODEL: %w", c.o.Setting, cause)
	case resp.StatusCode >= 500:
		err := rag.Errorf(rag.Unavailable, "The language model's endpoint failed (status %d): %w", resp.StatusCode, cause)
		err.RetryAfter = retryAfter(resp.Header, time.Now())
		return nil, err
	case aboutWindow.MatchString(cause.said):
		return nil, rag.Errorf(rag.BadUpstream, "The prompt is longer than the language model's endpoint takes (status %d); set %s_CONTEXT to what it does take: %w", resp.StatusCode, c.o.Setting, cause)
	}
	return nil, rag.Errorf(rag.BadUpstream, "The language model's endpoint refused the request (status %d): %w", resp.StatusCode, cause)
}

// timeoutSetting is the setting whose timeout bounds a client: models that are asked in order share the first one's.
func timeoutSetting(setting string) string {
	if strings.HasPrefix(setting, "FOOTNOTE_LLM") {
		return "FOOTNOTE_LLM"
	}
	return setting
}

// translate says what an error means that the context may have caused.
func (c *Client) translate(ctx context.Context, err error) error {
	var known *rag.Error
	switch {
	case err == nil:
		return nil
	case errors.Is(context.Cause(ctx), errTooSlow):
		return rag.Errorf(rag.Timeout, "The language model did not finish within %s (%s_TIMEOUT): %w", c.o.Timeout, timeoutSetting(c.o.Setting), err)
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.As(err, &known):
		return known
	}
	return err
}
