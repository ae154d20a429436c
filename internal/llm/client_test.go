package llm

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"footnote/internal/rag"
	llmserver "footnote/internal/servertest/llm"
)

// generated is all that a model sends, added up.
type generated struct {
	text, thinking string
	cut            bool
}

func generate(t *testing.T, c *Client, p rag.Prompt) (g generated, err error) {
	t.Helper()
	if p.Messages == nil {
		p.Messages = []rag.Message{{Role: "user", Content: "q"}}
	}
	err = c.Generate(t.Context(), p, func(d rag.Delta) error {
		g.text, g.thinking, g.cut = g.text+d.Text, g.thinking+d.Thinking, g.cut || d.Cut
		return nil
	})
	return g, err
}

func TestClient_SendsEverySetting(t *testing.T) {
	t.Parallel()
	srv := llmserver.Start(t, llmserver.Good("ok"))
	zero, seed := float32(0), -3
	p := rag.Prompt{System: "be good", Messages: []rag.Message{{Role: "user", Content: "第一"}, {Role: "assistant", Content: "一"}, {Role: "user", Content: "🌴"}},
		MaxTokens: 77, Temperature: &zero, Seed: &seed, Stop: []string{"END", "。"}}
	if _, err := generate(t, New(Options{BaseURL: srv.URL() + "/", Model: "m", APIKey: "sk-1"}), p); err != nil {
		t.Fatal(err)
	}
	got := srv.Last()
	for name, want := range map[string]string{"model": `"m"`, "temperature": "0", "seed": "-3", "max_tokens": "77", "stop": `["END","。"]`, "stream": "true", "stream_options": `{"include_usage":true}`} {
		if string(got.Fields[name]) != want {
			t.Errorf("%s: got %s, want %s", name, got.Fields[name], want)
		}
	}
	if got.HTTP.Header.Get("Authorization") != "Bearer sk-1" || len(got.Messages) != 4 || got.Messages[0] != (llmserver.Message{Role: "system", Content: "be good"}) || got.Messages[3].Content != "🌴" {
		t.Errorf("got %+v", got)
	}
	if _, err := generate(t, New(Options{BaseURL: srv.URL(), Model: "gpt-5-mini"}), rag.Prompt{MaxTokens: 5}); err != nil {
		t.Fatal(err)
	}
	fields := srv.Last().Fields
	if string(fields["max_completion_tokens"]) != "5" || fields["max_tokens"] != nil || fields["temperature"] != nil || fields["seed"] != nil {
		t.Errorf("a model that wants max_completion_tokens, without settings: got %v", fields)
	}
}

// refusing refuses requests that have one of these fields.
func refusing(message func(name string) string, names ...string) llmserver.Script {
	return func(w *llmserver.Writer, r llmserver.Request) {
		for _, name := range names {
			if _, ok := r.Fields[name]; ok {
				w.Status(400, "application/json", `{"error":{"message":"`+message(name)+`"}}`)
				return
			}
		}
		llmserver.Good("ok")(w, r)
	}
}

func TestClient_LearnsWhichFieldsAnEndpointDoesNotTake(t *testing.T) {
	t.Parallel()
	unsupported := func(name string) string {
		return "Unsupported parameter: '" + name + "' is not supported with this model."
	}
	zero, seed := float32(0), 1
	for name, c := range map[string]struct {
		refused []string
		extra   int // requests beyond one for each question
	}{
		"none":                 {nil, 0},
		"stream_options":       {[]string{"stream_options"}, 1},
		"max_tokens":           {[]string{"max_tokens"}, 1},
		"both bounds":          {[]string{"max_tokens", "max_completion_tokens"}, 2},
		"seed and temperature": {[]string{"seed", "temperature"}, 2},
		"stop":                 {[]string{"stop"}, 1},
	} {
		srv := llmserver.Start(t, refusing(unsupported, c.refused...))
		client := New(Options{BaseURL: srv.URL(), Model: "m"})
		const questions = 20
		for range questions {
			if g, err := generate(t, client, rag.Prompt{MaxTokens: 9, Temperature: &zero, Seed: &seed, Stop: []string{"x"}}); err != nil || g.text != "ok" {
				t.Errorf("%s: got %q, %v", name, g.text, err)
			}
		}
		if got := srv.Calls(); got != questions+c.extra || float64(got) > 1.1*questions {
			t.Errorf("%s: %d requests for %d questions, want %d", name, got, questions, questions+c.extra)
		}
		if name == "max_tokens" && string(srv.Last().Fields["max_completion_tokens"]) != "9" {
			t.Errorf("without max_tokens: got %v, want max_completion_tokens", srv.Last().Fields)
		}
	}
}

func TestClient_ARefusalThatNoFieldExplainsIsNotAskedAboutForEver(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		message string
		extra   int
	}{
		"another reason that names a field": {"bad request: temperature seed stop stream_options", 1},
		"the window":                        {"maximum context length is 5 tokens; unsupported max_tokens", 0},
		"a value too high":                  {"max_tokens must be at most 4096", 0},
		"no field":                          {"no", 0},
	} {
		srv := llmserver.Start(t, func(w *llmserver.Writer, _ llmserver.Request) { w.Status(400, "application/json", c.message) })
		client := New(Options{BaseURL: srv.URL(), Model: "m"})
		zero := float32(0)
		for range 10 {
			if _, err := generate(t, client, rag.Prompt{MaxTokens: 9, Temperature: &zero}); rag.CodeOf(err) != rag.BadUpstream {
				t.Errorf("%s: got %v", name, err)
			}
		}
		if got := srv.Calls(); got != 10+c.extra {
			t.Errorf("%s: %d requests for 10 questions, want %d", name, got, 10+c.extra)
		}
	}
}

func TestClient_OnesTemperatureDoesNotSpoilAnothers(t *testing.T) {
	t.Parallel()
	srv := llmserver.Start(t, func(w *llmserver.Writer, r llmserver.Request) {
		if string(r.Fields["temperature"]) == "1.9" {
			w.Status(422, "application/json", `{"detail":"temperature must be below 1"}`)
			return
		}
		llmserver.Good("ok")(w, r)
	})
	client := New(Options{BaseURL: srv.URL(), Model: "m"})
	hot, mild := float32(1.9), float32(0.5)
	for _, temperature := range []*float32{&hot, &mild} {
		if _, err := generate(t, client, rag.Prompt{Temperature: temperature}); err != nil {
			t.Fatal(err)
		}
	}
	if got := string(srv.Last().Fields["temperature"]); got != "0.5" {
		t.Errorf("got the temperature %q, want 0.5", got)
	}
}

func TestClient_ManyAtATime(t *testing.T) {
	t.Parallel()
	srv := llmserver.Start(t, refusing(func(name string) string { return "unknown field " + name }, "seed"))
	client := New(Options{BaseURL: srv.URL(), Model: "m"})
	seed := 4
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			if err := client.Generate(t.Context(), rag.Prompt{Seed: &seed, Messages: []rag.Message{{Role: "user", Content: "q"}}}, func(rag.Delta) error { return nil }); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

func TestClient_EndsWithItsCallerAndItsDeadline(t *testing.T) {
	t.Parallel()
	gone := make(chan struct{}, 2)
	srv := llmserver.Start(t, func(w *llmserver.Writer, r llmserver.Request) {
		w.Say("word")
		<-r.HTTP.Context().Done() // the endpoint sees that nobody listens any more
		gone <- struct{}{}
	})
	client := New(Options{BaseURL: srv.URL(), Model: "m", Timeout: 300 * time.Millisecond})
	if _, err := generate(t, client, rag.Prompt{}); rag.CodeOf(err) != rag.Timeout {
		t.Errorf("got %v, want a timeout", err)
	}
	<-gone
	own := errors.New("enough")
	err := New(Options{BaseURL: srv.URL(), Model: "m"}).Generate(t.Context(), rag.Prompt{Messages: []rag.Message{{Role: "user", Content: "q"}}}, func(rag.Delta) error { return own })
	if !errors.Is(err, own) {
		t.Errorf("got %v, want emit's own error", err)
	}
	<-gone
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := client.Generate(ctx, rag.Prompt{}, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestClient_KeepsTheKeyToItself(t *testing.T) {
	t.Parallel()
	for _, script := range []llmserver.Script{
		func(w *llmserver.Writer, r llmserver.Request) {
			w.Status(http.StatusUnauthorized, "text/plain", r.HTTP.Header.Get("Authorization"))
		},
		func(w *llmserver.Writer, r llmserver.Request) {
			w.Event(`{"error":"` + r.HTTP.Header.Get("Authorization") + `"}`)
		},
	} {
		srv := llmserver.Start(t, script)
		_, err := generate(t, New(Options{BaseURL: srv.URL(), Model: "m", APIKey: "sk-canary"}), rag.Prompt{})
		if rag.CodeOf(err) != rag.BadUpstream || strings.Contains(err.Error(), "canary") || !strings.Contains(err.Error(), "[redacted]") {
			t.Errorf("got %v", err)
		}
	}
}

func TestClient_TellsACutAnswer(t *testing.T) {
	t.Parallel()
	srv := llmserver.Start(t, func(w *llmserver.Writer, _ llmserver.Request) { w.Say("and"); w.Finish("length") })
	if g, err := generate(t, New(Options{BaseURL: srv.URL(), Model: "m"}), rag.Prompt{}); err != nil || !g.cut || g.text != "and" {
		t.Errorf("got %+v, %v", g, err)
	}
}
