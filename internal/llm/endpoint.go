package llm

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"footnote/internal/rag"
)

// maxRefusal is how much is read of what an endpoint says of a request that it refuses, in bytes.
const maxRefusal = 2048

// endpoint is where a client's requests go.
type endpoint struct {
	name    string // as messages call it, at their beginning: "The rerank endpoint"
	setting string // the settings' common beginning: "FOOTNOTE_RERANK"
	baseURL string
	apiKey  string
	http    *http.Client
}

// post sends in as JSON to a path below the base URL, and says what answer it accepts unless that is empty. The caller closes the answer's body, of whatever status.
// Errors: rag.Unavailable when the endpoint cannot be reached.
func (e *endpoint) post(ctx context.Context, path, accept string, in any) (*http.Response, error) {
	encoded, err := json.Marshal(in)
	if err != nil {
		return nil, fmt.Errorf("encode the request: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, e.baseURL+path, bytes.NewReader(encoded))
	if err != nil {
		return nil, fmt.Errorf("make the request: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	if accept != "" {
		req.Header.Set("Accept", accept)
	}
	if e.apiKey != "" {
		req.Header.Set("Authorization", "Bearer "+e.apiKey)
	}
	resp, err := e.http.Do(req)
	if err != nil {
		return nil, rag.Errorf(rag.Unavailable, "%s %s cannot be reached: %w", e.name, req.URL.Host, err)
	}
	return resp, nil
}

// ask posts in and reads the answer, of at most maxBytes. Errors: those of post; rag.Unavailable for one that breaks off, and when the endpoint fails or limits its rate, with what it says of when
// to come back; rag.BadUpstream for one that is longer, and for a refused key, path or request, the last wrapping errRefused.
func (e *endpoint) ask(ctx context.Context, path string, in any, maxBytes int64) ([]byte, error) {
	resp, err := e.post(ctx, path, "", in)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode >= 300 {
		return nil, e.refusal(path, resp)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxBytes+1))
	switch {
	case err != nil:
		return nil, rag.Errorf(rag.Unavailable, "%s's answer broke off: %w", e.name, err)
	case int64(len(body)) > maxBytes:
		return nil, rag.Errorf(rag.BadUpstream, "%s answered with more than %d bytes.", e.name, maxBytes)
	}
	return body, nil
}

// errRefused is a request that the endpoint could not read.
type errRefused struct{ said string }

func (e errRefused) Error() string { return e.said }

// refusal says what a status means. What the endpoint says goes to the log.
func (e *endpoint) refusal(path string, resp *http.Response) error {
	said := e.said(resp)
	switch {
	case resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode >= 500:
		err := rag.Errorf(rag.Unavailable, "%s fails or limits its rate (status %d): %w", e.name, resp.StatusCode, errors.New(said))
		err.RetryAfter = retryAfter(resp.Header, time.Now())
		return err
	case resp.StatusCode == http.StatusUnauthorized || resp.StatusCode == http.StatusForbidden:
		return rag.Errorf(rag.BadUpstream, "%s refuses the key (status %d); check %s_API_KEY: %w", e.name, resp.StatusCode, e.setting, errRefused{said})
	case resp.StatusCode == http.StatusNotFound:
		return rag.Errorf(rag.BadUpstream, "%s does not know the model or the path (status 404); check %s_BASE_URL, to which %s is added, and %[2]s_MODEL: %[4]w", e.name, e.setting, path, errRefused{said})
	}
	return rag.Errorf(rag.BadUpstream, "%s refused the request (status %d): %w", e.name, resp.StatusCode, errRefused{said})
}

// said is the beginning of what the endpoint says of a refusal, without the key.
func (e *endpoint) said(resp *http.Response) string {
	b, _ := io.ReadAll(io.LimitReader(resp.Body, maxRefusal)) // for the log; what is missing is missing
	return e.redact(string(b))
}

// redact keeps the key out of the log: some endpoints repeat it.
func (e *endpoint) redact(s string) string {
	if e.apiKey == "" {
		return s
	}
	return strings.ReplaceAll(s, e.apiKey, "[redacted]")
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
