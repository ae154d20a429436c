package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// chatServer is an OpenAI-compatible chat endpoint that answers with pieces, or as handle says.
func chatServer(t *testing.T, handle http.HandlerFunc) string {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body) // a server sees that its client has gone only after it has read everything
		r.Body = io.NopCloser(bytes.NewReader(body))
		handle(w, r)
	}))
	t.Cleanup(func() { srv.CloseClientConnections(); srv.Close() })
	return srv.URL + "/v1"
}

// writes streams pieces the way chat endpoints do. finish says whether the stream ends as it should.
func writes(w http.ResponseWriter, finish bool, pieces ...string) {
	w.Header().Set("Content-Type", "text/event-stream")
	for _, p := range pieces {
		b, _ := json.Marshal(map[string]any{"choices": []any{map[string]any{"index": 0, "delta": map[string]string{"content": p}}}})
		fmt.Fprintf(w, "data: %s\n\n", b)
		w.(http.Flusher).Flush()
	}
	if finish {
		fmt.Fprint(w, `data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}`+"\n\n"+`data: {"choices":[],"usage":{"prompt_tokens":7,"completion_tokens":3}}`+"\n\ndata: [DONE]\n\n")
	}
}

func withModel(t *testing.T, url string, more ...string) *service {
	return handbook(t, append([]string{"LLM_BASE_URL=" + url, "LLM_MODEL=test-model"}, more...)...)
}

const parental = "How long is parental leave?"

func (s *service) ask(question string) answerJSON {
	s.t.Helper()
	var got answerJSON
	s.call("POST", "/v1/query", map[string]any{"query": question, "collections": []string{"handbook"}}, 200, &got)
	s.grounded("handbook", got)
	return got
}

func TestGenerated_MarkersOfEveryFormBecomeVerifiedFootnotes(t *testing.T) {
	bothModes(t, testGenerated_MarkersOfEveryFormBecomeVerifiedFootnotes)
}

func testGenerated_MarkersOfEveryFormBecomeVerifiedFootnotes(t *testing.T) {
	var prompt atomic.Value
	s := withModel(t, chatServer(t, func(w http.ResponseWriter, r *http.Request) {
		var in struct {
			Model    string
			Messages []struct{ Role, Content string }
		}
		_ = json.NewDecoder(r.Body).Decode(&in)
		prompt.Store(in.Messages[len(in.Messages)-1].Content)
		writes(w, true, "Parental leave lasts sixteen weeks at full pay ", "[", "1", "]. It may be taken within two years of the birth【1】", ". It may be taken within", " two years [77]. 全薪十六周［", "１］。")
	}))
	got := s.ask(parental)
	if got.Model != "test-model" || got.Fallback || len(got.Citations) != 4 {
		t.Fatalf("got %+v", got)
	}
	if want := "Parental leave lasts sixteen weeks at full pay [1]. It may be taken within two years of the birth[2]. It may be taken within two years. 全薪十六周[3]。"; got.Text != want {
		t.Errorf("got %q, want %q", got.Text, want)
	}
	if len(got.Claims) != 4 || got.Claims[0].Verdict != "supported" || got.Claims[0].Attribution != "marker" || len(got.Claims[2].Citations) != 1 || got.Claims[2].Citations[0] != 4 || got.Claims[2].Attribution != "aligned" {
		t.Errorf("got %s %+v, want the third claim, whose marker names nothing, aligned", got.Status, got.Claims)
	}
	if q := got.Citations[0].Quote; q != "Parental leave lasts sixteen weeks at full pay." {
		t.Errorf("got quote %q", q)
	}
	if p := prompt.Load().(string); !strings.Contains(p, "sixteen weeks") || !strings.Contains(p, parental) {
		t.Errorf("the prompt lacks passages or question: %q", p)
	}
}

func TestGenerated_WrongNumbersAndNegationsAreNotSupported(t *testing.T) {
	bothModes(t, testGenerated_WrongNumbersAndNegationsAreNotSupported)
}

func testGenerated_WrongNumbersAndNegationsAreNotSupported(t *testing.T) {
	said := atomic.Value{}
	s := withModel(t, chatServer(t, func(w http.ResponseWriter, _ *http.Request) { writes(w, true, said.Load().(string)) }))
	for claim, want := range map[string]string{
		"Parental leave lasts sixteen weeks at full pay [1].":         "supported",
		"Parental leave lasts 26 weeks at full pay [1].":              "contradicted",
		"Parental leave does not last sixteen weeks at full pay [1].": "contradicted",
	} {
		said.Store(claim)
		got := s.ask(parental)
		if len(got.Claims) != 1 || got.Claims[0].Verdict != want {
			t.Errorf("%s: got %+v, want %s", claim, got.Claims, want)
		}
		if (want == "supported") != (got.Status == "answered") {
			t.Errorf("%s: got status %s", claim, got.Status)
		}
	}
}

func TestGenerated_AbstainsBeforeAndAfterTheModel(t *testing.T) {
	bothModes(t, testGenerated_AbstainsBeforeAndAfterTheModel)
}

func testGenerated_AbstainsBeforeAndAfterTheModel(t *testing.T) {
	var calls atomic.Int64
	s := withModel(t, chatServer(t, func(w http.ResponseWriter, _ *http.Request) {
		calls.Add(1)
		writes(w, true, "NOT_IN_", "DOCUMENTS")
	}))
	if got := s.ask("Which enzyme does aspirin inhibit?"); got.Status != "abstained" || calls.Load() != 0 {
		t.Errorf("got %s after %d calls, want an abstention without any", got.Status, calls.Load())
	}
	if got := s.ask(parental); got.Status != "abstained" || calls.Load() != 1 || strings.Contains(got.Text, "NOT_IN") {
		t.Errorf("got %s %q after %d calls", got.Status, got.Text, calls.Load())
	}
}

func TestProvider_FailuresAreClearErrorsOrTheDocumentedFallback(t *testing.T) {
	t.Parallel() // in one mode: no store takes part
	hang := make(chan struct{})
	defer close(hang)
	for name, c := range map[string]struct {
		handle http.HandlerFunc
		status int
		code   string
	}{
		"down": {nil, 503, "unavailable"},
		"slow": {func(_ http.ResponseWriter, r *http.Request) {
			select {
			case <-hang:
			case <-r.Context().Done():
			}
		}, 504, "timeout"},
		"slow mid-stream": {func(w http.ResponseWriter, r *http.Request) {
			writes(w, false, "Parental leave")
			select {
			case <-hang:
			case <-r.Context().Done():
			}
		}, 504, "timeout"},
		"rate limited": {func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Retry-After", "7"); w.WriteHeader(429) }, 503, "unavailable"},
		"failing":      {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) }, 503, "unavailable"},
		"wrong key": {func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(401)
			fmt.Fprint(w, `{"error":{"message":"sk-canary is wrong"}}`)
		}, 502, "bad_upstream"},
		"cut stream": {func(w http.ResponseWriter, _ *http.Request) {
			writes(w, false, "Parental leave lasts sixteen weeks [1]. And")
		}, 502, "bad_upstream"},
		"nonsense":     {func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>It works!</html>") }, 502, "bad_upstream"},
		"broken JSON":  {func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "data: {\"choices\": [\n\n") }, 502, "bad_upstream"},
		"nothing":      {func(w http.ResponseWriter, _ *http.Request) { writes(w, true) }, 502, "bad_upstream"},
		"markers only": {func(w http.ResponseWriter, _ *http.Request) { writes(w, true, "[9] [12]") }, 502, "bad_upstream"},
		"endless": {func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				writes(w, false, strings.Repeat("and so on ", 100))
			}
		}, 502, "bad_upstream"},
	} {
		t.Run(name, func(t *testing.T) {
			url := "http://127.0.0.1:1/v1"
			if c.handle != nil {
				url = chatServer(t, c.handle)
			}
			s := withModel(t, url, "LLM_TIMEOUT=1s", "ANSWER_FALLBACK=false")
			started := time.Now()
			a := s.send("POST", "/v1/query", "application/json", strings.NewReader(`{"query": "`+parental+`", "collections": ["handbook"]}`))
			var p struct{ Code, Detail string }
			a.json(t, &p)
			if a.status != c.status || p.Code != c.code || strings.Contains(string(a.body), "canary") {
				t.Errorf("got %d %s, want %d %s", a.status, a.body, c.status, c.code)
			}
			if name == "rate limited" && a.header.Get("Retry-After") != "7" {
				t.Errorf("got Retry-After %q, want 7", a.header.Get("Retry-After"))
			}
			if d := time.Since(started); d > 20*time.Second {
				t.Errorf("it took %s", d)
			}
			s = withModel(t, url, "LLM_TIMEOUT=1s") // the fallback is the default
			if got := s.ask(parental); !got.Fallback || got.Model != "extractive" || got.Status != "answered" || got.Reason == nil || !strings.Contains(got.Text, "sixteen weeks") {
				t.Errorf("fallback: got %+v", got)
			}
		})
	}
}

// fakeEmbeddings is an embeddings endpoint whose vectors count letters.
func fakeEmbeddings(t *testing.T, dims int) http.Handler {
	t.Helper()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { letters(w, r, dims) })
}

func letters(w http.ResponseWriter, r *http.Request, dims int) {
	var in struct{ Input []string }
	_ = json.NewDecoder(r.Body).Decode(&in) // what cannot be read gets no vectors, and the client says so
	var data []any
	for i, text := range in.Input {
		v := make([]float32, dims)
		for _, r := range text {
			v[int(r)%len(v)]++
		}
		data = append(data, map[string]any{"index": i, "embedding": v})
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"data": data}) // the client is gone when this fails
}

func TestProvider_EmbeddingsEndpointIsUsedAndChecked(t *testing.T) {
	dims, fails := atomic.Int64{}, atomic.Int64{}
	dims.Store(8)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if fails.Add(-1) >= 0 {
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(429)
			return
		}
		letters(w, r, int(dims.Load()))
	}))
	defer srv.Close()
	folder := t.TempDir()
	environ := []string{"EMBED_BASE_URL=" + srv.URL + "/v1", "EMBED_MODEL=letters", "DATA=" + folder}
	t.Run("used", func(t *testing.T) {
		s := startService(t, environ...)
		s.call("POST", "/v1/collections", map[string]any{"name": "c"}, 201, nil)
		fails.Store(1)
		s.add("c", "a", "Embedded elsewhere, after one refusal.", nil)
		var got struct {
			Embedding struct {
				Model      string
				Dimensions int
			}
		}
		s.call("GET", "/v1/collections/c", nil, 200, &got)
		if got.Embedding.Model != "letters" || got.Embedding.Dimensions != 8 {
			t.Errorf("got %+v", got)
		}
	})
	t.Run("another model is refused", func(t *testing.T) {
		s := startService(t, "DATA="+folder)
		a := s.send("POST", "/v1/search", "application/json", strings.NewReader(`{"query": "x", "collections": ["c"]}`))
		if a.status != 409 || !strings.Contains(string(a.body), "model_mismatch") || !strings.Contains(string(a.body), "letters") {
			t.Errorf("got %d %s", a.status, a.body)
		}
		a = s.send("POST", "/v1/collections/c/documents", "application/json", strings.NewReader(`{"text": "x"}`))
		if a.status != 409 {
			t.Errorf("got %d %s", a.status, a.body)
		}
		s.call("POST", "/v1/search", map[string]any{"query": "refusal", "collections": []string{"c"}, "mode": "lexical"}, 200, nil)
	})
}
