package main

import (
	"bytes"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"footnote/internal/rag"
	llmserver "footnote/internal/servertest/llm"
)

type collectionJSON struct {
	Name, Description string
	Prompt            *struct {
		System, User *string
		Version      int
	}
}

type renderedJSON struct {
	Prompt struct {
		Name    string
		Version int
	}
	System            string
	Messages          []struct{ Role, Content string }
	Model             *string
	Tokens, Window    int
	Passages, Dropped []int
	Cut               *int
	Turns             int `json:"turns_dropped"`
}

func TestPrompt_ACollectionsTemplateAsksItsQuestions(t *testing.T) {
	bothModes(t, testPrompt_ACollectionsTemplateAsksItsQuestions)
}

func testPrompt_ACollectionsTemplateAsksItsQuestions(t *testing.T) {
	provider := llmserver.Start(t, llmserver.Good("Parental leave lasts sixteen weeks at full pay [1]."))
	s := withModel(t, provider.URL())
	s.call("POST", "/v1/collections", map[string]any{"name": "other"}, 201, nil)
	s.add("other", "a", "Parental leave at the other firm lasts two weeks.", nil)
	patch := func(collection string, prompt any, status int) (c collectionJSON) {
		t.Helper()
		a := s.call("PATCH", "/v1/collections/"+collection, map[string]any{"prompt": prompt}, status, nil)
		if status == 200 {
			a.json(t, &c)
		}
		return c
	}
	ask := func(collections ...string) (got told) {
		t.Helper()
		s.call("POST", "/v1/query", map[string]any{"query": parental, "collections": collections}, 200, &got)
		if got.Prompt == nil {
			t.Fatalf("no prompt is reported: %+v", got)
		}
		return got
	}
	if got := ask("handbook"); got.Prompt.Name != "default" || got.Prompt.Version != 1 {
		t.Errorf("got %+v, want the default", got.Prompt)
	}
	if c := patch("handbook", map[string]any{"system": "你是人事助理。{{.Refusal}}"}, 200); c.Prompt == nil || *c.Prompt.System != "你是人事助理。{{.Refusal}}" || c.Prompt.User != nil || c.Prompt.Version != 1 || c.Description != "人事 HR" {
		t.Errorf("got %+v", c)
	}
	if got := ask("handbook"); got.Prompt.Name != "handbook" || got.Prompt.Version != 1 {
		t.Errorf("got %+v, want the collection's", got.Prompt)
	}
	last := provider.Last()
	if last.Messages[0].Content != "你是人事助理。NOT_IN_DOCUMENTS" || len(last.Passages) == 0 || string(last.Fields["temperature"]) != "0" || string(last.Fields["max_tokens"]) != "800" {
		t.Errorf("the provider was asked %+v", last)
	}
	if got := ask("handbook", "other"); got.Prompt.Name != "default" {
		t.Errorf("two collections that differ: got %+v", got.Prompt)
	}
	patch("other", map[string]any{"system": "你是人事助理。{{.Refusal}}"}, 200)
	if got := ask("handbook", "other"); got.Prompt.Name != "handbook" || got.Prompt.Version != 1 {
		t.Errorf("two collections that agree: got %+v", got.Prompt)
	}
	if c := patch("handbook", map[string]any{"user": "{{.Question}}{{.Passages}}"}, 200); c.Prompt.System != nil || c.Prompt.Version != 2 {
		t.Errorf("got %+v", c.Prompt)
	}
	if c := patch("handbook", nil, 200); c.Prompt != nil {
		t.Errorf("got %+v, want the default", c.Prompt)
	}
	if c := patch("handbook", map[string]any{"user": "{{.Question}} {{.Passages}}"}, 200); c.Prompt.Version != 4 {
		t.Errorf("got version %d, want 4: going back counts", c.Prompt.Version)
	}

	for prompt, pointer := range map[string]string{
		`{"user": "{{.Question}}"}`:            "/prompt",
		`{"user": "{{.Nope}}"}`:                "/prompt/user",
		`{"system": "a\n{{range 9}}x{{end}}"}`: "/prompt/system",
		`{"system": ""}`:                       "/prompt/system",
		`{"nope": 1}`:                          "/prompt/nope",
		`{}`:                                   "/prompt",
		`{"system": 1}`:                        "/prompt/system",
		`"text"`:                               "/prompt",
	} {
		a := s.send("PATCH", "/v1/collections/handbook", "application/json", strings.NewReader(`{"prompt": `+prompt+`}`))
		if a.status != 400 || !strings.Contains(string(a.body), `"pointer":"`+pointer+`"`) {
			t.Errorf("%s: got %d %s, want 400 with %s", prompt, a.status, a.body, pointer)
		}
	}
	for _, body := range []string{`{}`, `{"description": null}`, `{"descriptio": ""}`} {
		if a := s.send("PATCH", "/v1/collections/handbook", "application/json", strings.NewReader(body)); a.status != 400 {
			t.Errorf("%s: got %d", body, a.status)
		}
	}
}

func TestPrompt_RenderShowsWhatWouldBeAsked(t *testing.T) {
	bothModes(t, testPrompt_RenderShowsWhatWouldBeAsked)
}

func testPrompt_RenderShowsWhatWouldBeAsked(t *testing.T) {
	provider := llmserver.Start(t, llmserver.Good("Parental leave lasts sixteen weeks at full pay [1]."))
	s := withModel(t, provider.URL(), "LLM_CONTEXT=4096", "LLM_2_BASE_URL="+provider.URL(), "LLM_2_MODEL=second", "LLM_2_CONTEXT=4096")
	render := func(more map[string]any) (got renderedJSON) {
		t.Helper()
		in := map[string]any{"query": parental, "collections": []string{"handbook"}}
		maps.Copy(in, more)
		s.call("POST", "/v1/prompts/render", in, 200, &got)
		return got
	}
	got := render(map[string]any{"messages": []any{map[string]any{"role": "user", "content": "你好"}, map[string]any{"role": "assistant", "content": "您好！"}}, "language": "zh-Hant"})
	if got.Prompt.Name != "default" || got.Model == nil || *got.Model != "test-model" || got.Window != 4096 || got.Tokens < 100 || len(got.Passages) < 2 || len(got.Dropped) != 0 || got.Cut != nil || got.Turns != 0 || len(got.Messages) != 3 {
		t.Errorf("got %+v", got)
	}
	if provider.Calls() != 0 {
		t.Error("the model was asked")
	}
	if last := got.Messages[2].Content; !strings.Contains(last, "sixteen weeks") || !strings.Contains(last, parental) || !strings.Contains(last, "Traditional Chinese") || !strings.Contains(got.System, "NOT_IN_DOCUMENTS") {
		t.Errorf("got %q", last)
	}
	var answered told
	s.call("POST", "/v1/query", map[string]any{"query": parental, "collections": []string{"handbook"}}, 200, &answered)
	plain := render(nil)
	if asked := provider.Last(); asked.Messages[0].Content != plain.System || asked.Messages[1].Content != plain.Messages[0].Content {
		t.Errorf("asked %+v, rendered %+v", asked.Messages, plain)
	}
	tried := render(map[string]any{"prompt": map[string]any{"user": "试：{{.Passages}}{{.Question}}"}})
	if tried.Prompt.Name != "given" || tried.Prompt.Version != 0 || !strings.HasPrefix(tried.Messages[0].Content, "试：<passage-") {
		t.Errorf("got %+v", tried)
	}
	small := render(map[string]any{"budget": tried.Tokens - 40})
	if small.Tokens > tried.Tokens-40 || len(small.Dropped) == 0 || !slices.IsSorted(append(slices.Clone(small.Passages), small.Dropped...)) {
		t.Errorf("got %+v", small)
	}
	s.call("POST", "/v1/query", map[string]any{"query": parental, "collections": []string{"handbook"}, "budget": tried.Tokens - 40}, 200, &answered)
	if !slices.Equal(answered.Dropped, small.Dropped) || len(answered.Passages) != len(small.Passages)+len(small.Dropped) {
		t.Errorf("the answer dropped %v of %d, the rendering %v", answered.Dropped, len(answered.Passages), small.Dropped)
	}
	long := map[string]any{"user": strings.Repeat("long ", 400) + "{{.Passages}}{{.Question}}"}
	s.call("PATCH", "/v1/collections/handbook", map[string]any{"prompt": long}, 200, nil)
	for path, in := range map[string]map[string]any{
		"/v1/prompts/render": {"budget": 256, "messages": nil, "prompt": long},
		"/v1/query":          {"budget": 256},
	} {
		for k, v := range map[string]any{"query": parental, "collections": []string{"handbook"}} {
			if in[k] == nil {
				in[k] = v
			}
		}
		var p struct{ Code, Detail string }
		s.call("POST", path, in, 400, &p)
		if p.Code != "invalid_request" || !strings.Contains(p.Detail, "beginning of the best passage") {
			t.Errorf("%s: got %+v", path, p)
		}
	}
	for _, l := range rag.AnswerLanguages {
		s.call("POST", "/v1/prompts/render", map[string]any{"query": parental, "collections": []string{"handbook"}, "language": l.Tag}, 200, nil)
	}
	s.call("POST", "/v1/prompts/render", map[string]any{"query": parental, "collections": []string{"handbook"}, "language": "tlh"}, 400, nil)
	s.call("POST", "/v1/prompts/render", map[string]any{"query": parental, "collections": []string{"handbook"}, "nope": 1}, 400, nil)
}

func TestPrompt_RendersWithoutALanguageModel(t *testing.T) {
	t.Parallel()
	s := handbook(t)
	var got renderedJSON
	s.call("POST", "/v1/prompts/render", map[string]any{"query": "年假有多少天？", "collections": []string{"handbook"}}, 200, &got)
	if got.Model != nil || got.Window != 8192 || got.Tokens == 0 || len(got.Passages) == 0 {
		t.Errorf("got %+v", got)
	}
	var a told
	s.call("POST", "/v1/query", map[string]any{"query": "拿破崙是哪一年去世的？", "collections": []string{"handbook"}}, 200, &a)
	if a.Status != "abstained" || a.Text != "文件中沒有這個問題的答案。" {
		t.Errorf("got %s %q, want an abstention in traditional characters", a.Status, a.Text)
	}
}

func TestPrompt_TravelsInAPack(t *testing.T) {
	bothModes(t, testPrompt_TravelsInAPack)
}

func testPrompt_TravelsInAPack(t *testing.T) {
	s := handbook(t)
	for _, text := range []string{"一", "二"} {
		s.call("PATCH", "/v1/collections/handbook", map[string]any{"prompt": map[string]any{"system": text}}, 200, nil)
	}
	pack := s.send("GET", "/v1/collections/handbook/export", "", nil)
	var got collectionJSON
	a := s.send("POST", "/v1/collections/copy/import", "application/gzip", bytes.NewReader(pack.body))
	if a.status != 201 {
		t.Fatalf("got %d %s", a.status, a.body)
	}
	s.call("GET", "/v1/collections/copy", nil, 200, &got)
	if got.Prompt == nil || *got.Prompt.System != "二" || got.Prompt.Version != 2 {
		t.Errorf("got %+v", got.Prompt)
	}
}

func TestPromptCommand(t *testing.T) {
	t.Parallel()
	s := handbook(t)
	folder := t.TempDir()
	writeFile(t, filepath.Join(folder, "user.tmpl"), "资料：{{.Passages}}\n问题：{{.Question}}")
	writeFile(t, filepath.Join(folder, "bad.tmpl"), "a\nb\n{{.Passages}}{{.Question}}{{.Secret}}")
	command := func(args ...string) (int, string, string) {
		var out, errs bytes.Buffer
		code := run(t.Context(), append([]string{"prompt", "--server", s.url}, args...), []string{"FOOTNOTE_DATA=" + t.TempDir()}, strings.NewReader("你是助理。"), &out, &errs)
		return code, out.String(), errs.String()
	}
	for i, c := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"show", "handbook"}, 0, "The default prompt."},
		{[]string{"set", "handbook", "--user", filepath.Join(folder, "user.tmpl"), "--system", "-"}, 0, "Version 1"},
		{[]string{"show", "handbook"}, 0, "你是助理。"},
		{[]string{"show", "handbook", "--json"}, 0, `"version":1`},
		{[]string{"set", "handbook", "--user", filepath.Join(folder, "bad.tmpl")}, 1, "line 3"},
		{[]string{"set", "handbook"}, 1, "at least one"},
		{[]string{"reset", "handbook"}, 0, "The default prompt."},
		{[]string{"show", "nowhere"}, 1, "nowhere"},
	} {
		code, out, errs := command(c.args...)
		if (code == 0) != (c.code == 0) || !strings.Contains(out+errs, c.says) {
			t.Errorf("step %d, %v: got %d %q %q, want %q", i, c.args, code, out, errs, c.says)
		}
	}
}

func TestFallback_AsksTheNextBeforeTheFirstWord(t *testing.T) {
	t.Parallel() // in one mode: no store takes part
	good := llmserver.Good("Parental leave lasts sixteen weeks at full pay [1].")
	hang := func(_ *llmserver.Writer, r llmserver.Request) { <-r.HTTP.Context().Done() }
	for name, c := range map[string]struct {
		first, second, third llmserver.Script
		model                string
		calls                [3]int
	}{
		"the first answers":        {good, good, good, "one", [3]int{1, 0, 0}},
		"limits its rate":          {func(w *llmserver.Writer, _ llmserver.Request) { w.Status(429, "text/plain", "slow down") }, good, good, "two", [3]int{1, 1, 0}},
		"fails, and the next, too": {func(w *llmserver.Writer, _ llmserver.Request) { w.Status(500, "text/plain", "") }, llmserver.Good(), good, "three", [3]int{1, 1, 1}},
		"wrong key":                {func(w *llmserver.Writer, _ llmserver.Request) { w.Status(401, "text/plain", "") }, good, good, "two", [3]int{1, 1, 0}},
		"hangs":                    {hang, good, good, "two", [3]int{1, 1, 0}},
		"says who speaks and hangs": {func(w *llmserver.Writer, r llmserver.Request) {
			w.Delta(map[string]any{"role": "assistant"})
			hang(w, r)
		}, good, good, "two", [3]int{1, 1, 0}},
		"a web page":                  {func(w *llmserver.Writer, _ llmserver.Request) { w.Status(200, "text/html", "<html>") }, good, good, "two", [3]int{1, 1, 0}},
		"breaks off after a word":     {func(w *llmserver.Writer, _ llmserver.Request) { w.Say("Parental") }, good, good, "", [3]int{1, 0, 0}},
		"refuses, which is an answer": {llmserver.Good("NOT_IN_DOCUMENTS"), good, good, "one", [3]int{1, 0, 0}},
		"all fail":                    {llmserver.Good(), llmserver.Good(), func(w *llmserver.Writer, _ llmserver.Request) { w.Status(503, "text/plain", "") }, "", [3]int{1, 1, 1}},
	} {
		t.Run(name, func(t *testing.T) {
			servers := []*llmserver.Server{llmserver.Start(t, c.first), llmserver.Start(t, c.second), llmserver.Start(t, c.third)}
			environ := []string{"LLM_BASE_URL=" + servers[0].URL(), "LLM_MODEL=one", "LLM_2_BASE_URL=" + servers[1].URL(), "LLM_2_MODEL=two", "LLM_3_BASE_URL=" + servers[2].URL(), "LLM_3_MODEL=three", "LLM_TIMEOUT=6s", "ANSWER_FALLBACK=false"}
			s := handbook(t, environ...)
			want := 200
			if c.model == "" {
				want = 502
				if name == "all fail" {
					want = 503
				}
			}
			var got told
			a := s.call("POST", "/v1/query", map[string]any{"query": parental, "collections": []string{"handbook"}}, want, nil)
			if want == 200 {
				a.json(t, &got)
				s.grounded("handbook", got.answerJSON)
			}
			if got.Model != c.model || got.Fallback {
				t.Errorf("%q answered, want %q", got.Model, c.model)
			}
			for i, srv := range servers {
				if srv.Calls() != c.calls[i] {
					t.Errorf("provider %d was asked %d times, want %d", i+1, srv.Calls(), c.calls[i])
				}
			}
		})
	}
}

func TestFallback_DoesNotAmplify(t *testing.T) {
	t.Parallel()
	down := func(w *llmserver.Writer, _ llmserver.Request) { w.Status(503, "text/plain", "") }
	first, second := llmserver.Start(t, down), llmserver.Start(t, down)
	s := withModel(t, first.URL(), "LLM_2_BASE_URL="+second.URL(), "LLM_2_MODEL=two")
	const questions = 20
	for i := range questions {
		var got told
		s.call("POST", "/v1/query", map[string]any{"query": fmt.Sprintf("%s (%d)", parental, i), "collections": []string{"handbook"}}, 200, &got)
		if !got.Fallback || got.Model != "extractive" || got.Prompt != nil || got.Dropped != nil {
			t.Errorf("got %+v, want the documented extractive answer", got)
		}
	}
	for i, srv := range []*llmserver.Server{first, second} {
		if n := srv.Calls(); float64(n) > 1.1*questions {
			t.Errorf("provider %d was asked %d times for %d questions", i+1, n, questions)
		}
	}
}
