package main

import (
	"context"
	"errors"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	openai "github.com/sashabaranov/go-openai"

	"footnote/internal/rag"
)

// openAIClient is the client of OpenAI's API that programs in Go use, pointed at a service.
func (s *service) openAIClient(key string) *openai.Client {
	c := openai.DefaultConfig(key)
	c.BaseURL = s.url + "/v1"
	return openai.NewClientWithConfig(c)
}

func sameBits(a, b []float32) bool {
	return slices.EqualFunc(a, b, func(x, y float32) bool { return math.Float32bits(x) == math.Float32bits(y) })
}

// A client of OpenAI's API gets the service's own vectors, in either encoding, to the bit.
func TestEmbeddings_AClientOfOpenAIGetsTheModelsVectors(t *testing.T) {
	bothModes(t, testEmbeddings_AClientOfOpenAIGetsTheModelsVectors)
}

func testEmbeddings_AClientOfOpenAIGetsTheModelsVectors(t *testing.T) {
	s := startService(t)
	texts := []string{"Parental leave lasts sixteen weeks at full pay.", "员工每年享有十五天带薪年假。", "出差住宿每晚以三千元為上限。 🙂 \"quoted\"\n"}
	want, err := s.app.embedder.EmbedDocuments(t.Context(), texts)
	if err != nil {
		t.Fatal(err)
	}
	tokens := 0
	for _, text := range texts {
		tokens += s.app.embedder.CountTokens(text)
	}
	client := s.openAIClient("")
	for _, format := range []openai.EmbeddingEncodingFormat{"", openai.EmbeddingEncodingFormatFloat, openai.EmbeddingEncodingFormatBase64} {
		got, err := client.CreateEmbeddings(t.Context(), openai.EmbeddingRequestStrings{Input: texts, Model: "multilingual-e5-small", User: "someone", EncodingFormat: format, Dimensions: 384})
		if err != nil {
			t.Fatalf("%s: %v", format, err)
		}
		if got.Object != "list" || got.Model != "multilingual-e5-small" || got.Usage.PromptTokens != tokens || got.Usage.TotalTokens != tokens || len(got.Data) != len(texts) {
			t.Fatalf("%s: got %s of %s, %+v, %d vectors; want %d tokens", format, got.Object, got.Model, got.Usage, len(got.Data), tokens)
		}
		for i, d := range got.Data {
			if d.Object != "embedding" || d.Index != i || !sameBits(d.Embedding, want[i]) {
				t.Errorf("%s: vector %d is not the model's", format, i)
			}
		}
	}
	var models struct {
		Data []struct {
			ID             string
			Dimensions     int
			MaxInputTokens int `json:"max_input_tokens"`
			Fingerprint    string
		}
	}
	s.call("GET", "/v1/models", nil, 200, &models)
	if m := models.Data; len(m) != 1 || m[0].ID != "multilingual-e5-small" || m[0].Dimensions != 384 || m[0].MaxInputTokens != s.app.embedder.MaxTokens() || m[0].Fingerprint != s.app.embedder.Fingerprint() {
		t.Errorf("got %+v", models)
	}
	list, err := client.ListModels(t.Context())
	if err != nil || len(list.Models) != 1 || list.Models[0].OwnedBy != "footnote" || list.Models[0].Object != "model" {
		t.Errorf("got %+v, %v", list, err)
	}
	if m, err := client.GetModel(t.Context(), "multilingual-e5-small"); err != nil || m.ID != "multilingual-e5-small" {
		t.Errorf("got %+v, %v", m, err)
	}
	var refused *openai.APIError
	_, err = client.CreateEmbeddings(t.Context(), openai.EmbeddingRequest{Input: "x", Model: openai.SmallEmbedding3})
	if !errors.As(err, &refused) || refused.HTTPStatusCode != 404 || refused.Code != "model_not_found" || refused.Type != "invalid_request_error" || !strings.Contains(refused.Message, `"multilingual-e5-small"`) {
		t.Errorf("an unknown model: got %#v, %v", refused, err)
	}
	_, err = client.CreateEmbeddings(t.Context(), openai.EmbeddingRequestTokens{Input: [][]int{{1, 2}}, Model: "multilingual-e5-small"})
	if !errors.As(err, &refused) || refused.HTTPStatusCode != 400 || refused.Param == nil || *refused.Param != "input[0]" {
		t.Errorf("token ids: got %#v, %v", refused, err)
	}
}

// A question and a document of the same words have vectors of their own, and the longest text that the model takes is taken.
func TestEmbeddings_InputTypeAndLimits(t *testing.T) {
	t.Parallel() // in one mode: no store takes part
	s := startService(t)
	embed := func(input any, inputType string) []float32 {
		t.Helper()
		in := map[string]any{"model": "multilingual-e5-small", "input": input}
		if inputType != "" {
			in["input_type"] = inputType
		}
		var got struct {
			Data []struct{ Embedding []float32 }
		}
		s.call("POST", "/v1/embeddings", in, 200, &got)
		return got.Data[0].Embedding
	}
	const text = "How long is parental leave?"
	query, err := s.app.embedder.EmbedQueries(t.Context(), []string{text})
	if err != nil {
		t.Fatal(err)
	}
	document := embed(text, "")
	if !sameBits(embed(text, "query"), query[0]) || sameBits(document, query[0]) {
		t.Error("input_type query does not give the vector of a query")
	}
	if !sameBits(embed([]string{text}, "document"), document) || !sameBits(embed(text, "passage"), document) {
		t.Error("document, passage and no input_type differ")
	}
	longest := strings.TrimSpace(strings.Repeat("leave ", s.app.embedder.MaxTokens()))
	embed(longest, "document")
	embed(longest, "query")
	// As many texts as a request may have, each of them one token.
	var got struct {
		Data  []struct{ Index int }
		Usage struct {
			TotalTokens int `json:"total_tokens"`
		}
	}
	s.call("POST", "/v1/embeddings", map[string]any{"model": "multilingual-e5-small", "input": slices.Repeat([]string{"leave"}, 2048), "encoding_format": "base64"}, 200, &got)
	if len(got.Data) != 2048 || got.Data[2047].Index != 2047 || got.Usage.TotalTokens != 2048 {
		t.Errorf("got %d vectors of %d tokens", len(got.Data), got.Usage.TotalTokens)
	}
}

// What stands in front of the handler refuses in OpenAI's form too.
func TestEmbeddings_KeysAndLimitsAnswerAsOpenAIDoes(t *testing.T) {
	bothModes(t, testEmbeddings_KeysAndLimitsAnswerAsOpenAIDoes)
}

func testEmbeddings_KeysAndLimitsAnswerAsOpenAIDoes(t *testing.T) {
	s := startService(t, "API_KEY="+rootKey)
	_, limited := s.makeKey(map[string]any{"name": "limited", "scope": "read", "per_minute": 1})
	ask := func(key string) error {
		_, err := s.openAIClient(key).CreateEmbeddings(t.Context(), openai.EmbeddingRequest{Input: "x", Model: "multilingual-e5-small"})
		return err
	}
	want := func(err error, status int, kind, code string) {
		t.Helper()
		var e *openai.APIError
		if !errors.As(err, &e) || e.HTTPStatusCode != status || e.Type != kind || e.Code != code || e.Message == "" {
			t.Errorf("got %#v, %v; want %d %s %s", e, err, status, kind, code)
		}
	}
	if err := ask(rootKey); err != nil {
		t.Error(err)
	}
	want(ask("fnk_wrong"), 401, "invalid_request_error", "invalid_api_key")
	if err := ask(limited); err != nil {
		t.Error(err)
	}
	want(ask(limited), 429, "rate_limit_error", "rate_limit_exceeded")
	a := s.with(limited, "GET", "/v1/models", "")
	if a.status != 429 || a.header.Get("Retry-After") == "" || a.header.Get("RateLimit") == "" || a.header.Get("X-Request-ID") == "" || a.header.Get("Content-Type") != "application/json" {
		t.Errorf("got %d %v", a.status, a.header)
	}
	if a := s.with("", "GET", "/v1/models", ""); a.status != 401 || a.header.Get("WWW-Authenticate") == "" {
		t.Errorf("got %d %v", a.status, a.header)
	}
}

// With an endpoint's model the route passes on, beside the other model; the endpoint's failures are told, and a client that leaves ends the work.
func TestEmbeddings_ModelsBehindEndpointsAreServedToo(t *testing.T) {
	t.Parallel()                                            // in one mode: no store takes part
	left, mode := make(chan struct{}), make(chan string, 1) // one request is told how to behave at a time
	endpoint := chatServer(t, func(w http.ResponseWriter, r *http.Request) {
		select {
		case how := <-mode:
			if how == "hang" {
				<-r.Context().Done()
				close(left)
				return
			}
			w.WriteHeader(http.StatusForbidden)
		default:
			letters(w, r, 24)
		}
	})
	s := startService(t, "EMBED_BASE_URL="+endpoint, "EMBED_MODEL=org/letters", "OTHER_EMBED_MODEL=built-in")
	list, err := s.openAIClient("").ListModels(t.Context())
	if err != nil || len(list.Models) != 2 || list.Models[0].ID != "org/letters" || list.Models[1].ID != "multilingual-e5-small" {
		t.Errorf("got %+v, %v", list, err)
	}
	s.call("GET", "/v1/models/org%2Fletters", nil, 200, nil)
	for model, dims := range map[string]int{"org/letters": 24, "multilingual-e5-small": 384} {
		got, err := s.openAIClient("").CreateEmbeddings(t.Context(), openai.EmbeddingRequest{Input: []string{"a text", "另一个"}, Model: openai.EmbeddingModel(model), EncodingFormat: openai.EmbeddingEncodingFormatBase64})
		if err != nil || len(got.Data) != 2 || string(got.Model) != model {
			t.Fatalf("%s: got %+v, %v", model, got, err)
		}
		for _, d := range got.Data {
			if err := rag.Embedding(d.Embedding).Validate(dims); err != nil {
				t.Errorf("%s: %v", model, err)
			}
		}
	}
	mode <- "refuse"
	var refused *openai.APIError
	_, err = s.openAIClient("").CreateEmbeddings(t.Context(), openai.EmbeddingRequest{Input: "x", Model: "org/letters"})
	if !errors.As(err, &refused) || refused.HTTPStatusCode != 502 || refused.Type != "server_error" || refused.Code != "bad_upstream" {
		t.Errorf("got %#v, %v", refused, err)
	}
	mode <- "hang"
	ctx, leave := context.WithCancel(t.Context())
	done := make(chan error, 1) // so that the client need not wait for the test
	go func() {
		_, err := s.openAIClient("").CreateEmbeddings(ctx, openai.EmbeddingRequest{Input: "x", Model: "org/letters"})
		done <- err
	}()
	for start := time.Now(); len(mode) > 0; time.Sleep(time.Millisecond) {
		if time.Since(start) > 10*time.Second {
			t.Fatal("the endpoint was not asked")
		}
	}
	leave()
	select {
	case <-left:
	case <-time.After(10 * time.Second):
		t.Error("the client has left, and the endpoint is still asked")
	}
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// A question is embedded once for its search and its answer, and never again while it is kept; documents are not kept.
func TestEmbedCache_AQuestionIsEmbeddedOnce(t *testing.T) {
	bothModes(t, testEmbedCache_AQuestionIsEmbeddedOnce)
}

func testEmbedCache_AQuestionIsEmbeddedOnce(t *testing.T) {
	s := handbook(t)
	counts := func(s *service) (out [2]int) {
		t.Helper()
		for line := range strings.Lines(string(s.send("GET", "/metrics", "", nil).body)) {
			for i, name := range []string{"misses", "hits"} {
				if rest, ok := strings.CutPrefix(line, "footnote_embed_cache_"+name+"_total "); ok {
					out[i], _ = strconv.Atoi(strings.TrimSpace(rest)) // 0 is wrong too
				}
			}
		}
		return out
	}
	first := s.ask(parental)
	if got := counts(s); got != [2]int{1, 1} {
		t.Errorf("after one question: got %v misses and hits, want one of each: the search's and the answer's", got)
	}
	if second := s.ask(parental); second.Text != first.Text || counts(s) != [2]int{1, 3} {
		t.Errorf("after the second: got %v misses and hits, %q and %q", counts(s), first.Text, second.Text)
	}
	s.call("POST", "/v1/embeddings", map[string]any{"model": "multilingual-e5-small", "input": parental, "input_type": "query"}, 200, nil)
	s.call("POST", "/v1/embeddings", map[string]any{"model": "multilingual-e5-small", "input": parental}, 200, nil)
	if got := counts(s); got != [2]int{1, 4} {
		t.Errorf("after its vector was asked for: got %v misses and hits", got)
	}
	off := handbook(t, "EMBED_CACHE=0")
	if got := off.ask(parental); got.Text != first.Text || counts(off) != [2]int{} {
		t.Errorf("without a cache: got %v misses and hits, %q, want %q", counts(off), got.Text, first.Text)
	}
}
