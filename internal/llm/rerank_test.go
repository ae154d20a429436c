package llm

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"footnote/internal/rag"
)

func TestReranker_ReadsEveryForm(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]string{
		"Cohere and Jina": `{"results": [{"index": 1, "relevance_score": 0.9, "document": {"text": "b"}}, {"index": 0, "relevance_score": -2}], "meta": {}}`,
		"TEI":             `[{"index": 1, "score": 0.9}, {"index": 0, "score": -2}]`,
		"Voyage":          `{"data": [{"index": 0, "relevance_score": -2}, {"index": 1, "relevance_score": 0.9}]}`,
	} {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, answer) }))
		got, err := NewReranker(RerankOptions{BaseURL: srv.URL + "/rerank/", Model: "m"}).Rerank(t.Context(), "q", []string{"a", "b"})
		if err != nil || !slices.Equal(got, []float64{-2, 0.9}) {
			t.Errorf("%s: got %v, %v", name, got, err)
		}
		srv.Close()
	}
}

func TestReranker_LearnsWhichFormTheEndpointWants(t *testing.T) {
	t.Parallel()
	for _, wanted := range []string{"texts", "documents"} {
		var refused atomic.Int64
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			var in map[string]any
			_ = json.NewDecoder(r.Body).Decode(&in)
			if in[wanted] == nil || r.URL.Path != "/v2/rerank" || r.Header.Get("Authorization") != "Bearer sk-canary" {
				refused.Add(1)
				w.WriteHeader(422)
				fmt.Fprintf(w, "missing field `%s`", wanted)
				return
			}
			fmt.Fprint(w, `[{"index": 0, "score": 1}]`)
		}))
		for _, model := range []string{"", "m"} {
			refused.Store(0)
			r := NewReranker(RerankOptions{BaseURL: srv.URL + "/v2", Model: model, APIKey: "sk-canary"})
			for range 3 {
				if _, err := r.Rerank(t.Context(), "q", []string{"a"}); err != nil {
					t.Errorf("%s with model %q: %v", wanted, model, err)
				}
			}
			if n := refused.Load(); n > 1 {
				t.Errorf("%s with model %q: refused %d times, want once at most", wanted, model, n)
			}
		}
		srv.Close()
	}
}

func TestReranker_FailuresSayWhatTheyAre(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status int
		answer string
		want   rag.Code
		calls  int64
	}{
		"failing":        {500, "", rag.Unavailable, 2},
		"rate limited":   {429, "", rag.Unavailable, 2},
		"wrong key":      {401, `{"message": "invalid api token sk-canary"}`, rag.BadUpstream, 1},
		"no such path":   {404, "", rag.BadUpstream, 1},
		"refused":        {400, "too long", rag.BadUpstream, 1},
		"nonsense":       {200, "<html>It works!</html>", rag.BadUpstream, 1},
		"nothing":        {200, "", rag.BadUpstream, 1},
		"too few":        {200, `{"results": [{"index": 0, "relevance_score": 1}]}`, rag.BadUpstream, 1},
		"one twice":      {200, `[{"index": 0, "score": 1}, {"index": 0, "score": 2}]`, rag.BadUpstream, 1},
		"out of bounds":  {200, `[{"index": 0, "score": 1}, {"index": 2, "score": 2}]`, rag.BadUpstream, 1},
		"without scores": {200, `[{"index": 0}, {"index": 1}]`, rag.BadUpstream, 1},
		"endless":        {200, "[" + strings.Repeat(" ", maxRerankBytes+10), rag.BadUpstream, 1},
	} {
		var calls atomic.Int64
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			calls.Add(1)
			w.WriteHeader(c.status)
			_, _ = io.WriteString(w, c.answer) // the client may have gone
		}))
		_, err := NewReranker(RerankOptions{BaseURL: srv.URL, Model: "m", APIKey: "sk-canary"}).Rerank(t.Context(), "q", []string{"a", "b"})
		if rag.CodeOf(err) != c.want || calls.Load() != c.calls || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: got %v after %d calls, want %s after %d", name, err, calls.Load(), c.want, c.calls)
		}
		srv.Close()
	}
}

func TestReranker_KeepsTheDeadline(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/later/rerank" {
			w.Header().Set("Retry-After", "30")
			w.WriteHeader(503)
			return
		}
		<-release
	}))
	defer srv.Close()
	defer close(release)
	for path, want := range map[string]rag.Code{"": rag.Timeout, "/later": rag.Unavailable} {
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		started := time.Now()
		_, err := NewReranker(RerankOptions{BaseURL: srv.URL + path, Model: "m"}).Rerank(ctx, "q", []string{"a"})
		cancel()
		if rag.CodeOf(err) != want || time.Since(started) > 10*time.Second {
			t.Errorf("%q: got %v after %s, want %s", path, err, time.Since(started), want)
		}
	}
	if _, err := NewReranker(RerankOptions{BaseURL: "http://127.0.0.1:1"}).Rerank(t.Context(), "q", []string{"a"}); rag.CodeOf(err) != rag.Unavailable {
		t.Errorf("got %v", err)
	}
}
