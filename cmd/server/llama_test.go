//go:build llama

package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// llama starts llama.cpp's server with a small model, unless TEST_LLM_BASE_URL names an endpoint. TEST_LLM_PYTHON is a Python with the packages that
// internal/servertest/llama/server.py needs, TEST_LLM_DIR a folder for the model's file.
func llama(t *testing.T) string {
	t.Helper()
	if named := os.Getenv("TEST_LLM_BASE_URL"); named != "" {
		return named
	}
	python := os.Getenv("TEST_LLM_PYTHON")
	if python == "" {
		t.Fatal("set TEST_LLM_BASE_URL or TEST_LLM_PYTHON, or run `make test-llm`")
	}
	folder := os.Getenv("TEST_LLM_DIR")
	if folder == "" {
		folder = t.TempDir()
	}
	cmd := exec.Command(python, "../../internal/servertest/llama/server.py", folder)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	cmd.Stderr = &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stdin.Close()  // it ends by itself
		_ = cmd.Wait() // with whatever code
	})
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatalf("the server did not start: %v\n%s", err, log.String())
	}
	go func() { _, _ = io.Copy(io.Discard, stdout) }() // ends with the process
	return strings.TrimSpace(line)
}

// citing stands in front of an endpoint and, while it is told to, has llama.cpp write nothing but sentences with markers: by itself a model of this size sets few.
func citing(t *testing.T, endpoint string, cite *atomic.Bool) string {
	t.Helper()
	target, err := url.Parse(endpoint)
	if err != nil {
		t.Fatal(err)
	}
	const grammar = `root ::= claim (" " claim)?
claim ::= [^\[\]<>\n.。]{6,60} " [" [1-4] "]" [.。]`
	proxy := &httputil.ReverseProxy{FlushInterval: -1, Rewrite: func(r *httputil.ProxyRequest) {
		r.Out.URL.Scheme, r.Out.URL.Host, r.Out.Host = target.Scheme, target.Host, target.Host
		if !cite.Load() {
			return
		}
		var in map[string]any
		if err := json.NewDecoder(r.In.Body).Decode(&in); err != nil {
			t.Error(err)
		}
		in["grammar"] = grammar
		b, err := json.Marshal(in)
		if err != nil {
			t.Error(err)
		}
		r.Out.Body, r.Out.ContentLength = io.NopCloser(bytes.NewReader(b)), int64(len(b))
	}}
	srv := httptest.NewServer(proxy)
	t.Cleanup(func() { srv.CloseClientConnections(); srv.Close() })
	return srv.URL + target.Path
}

var llamaDocuments = map[string]string{
	"museum.md":  "# City museum\n\nThe museum opened in 1904 and holds twelve thousand paintings. Admission costs nine euros; children under fourteen enter free. It is closed on Mondays. Photography is allowed without flash.\n",
	"ferry.md":   "# Ferry\n\nThe ferry to the island leaves at 07:30 and at 16:00. The crossing takes fifty minutes. Bicycles are carried free of charge, cars are not carried at all.\n",
	"图书馆.md":     "# 图书馆\n\n图书馆藏书三十万册，周一至周六上午九点开放。每人最多可以借十本书，借期三十天。逾期每天罚款五角。\n",
	"山茶.md":      "# 山茶種植\n\n山茶喜歡半陰的環境，土壤應呈微酸性。澆水以春秋兩季為主，冬季應減少。花期為十二月至次年三月。\n",
	"battery.md": "# Battery pack\n\nThe pack has a capacity of 5000 mAh and weighs 210 grams. It charges in three hours. It must not be charged below zero degrees.\n",
}

var llamaQuestions = []string{
	"How long is parental leave?", "Within what time may parental leave be taken?", "When is a doctor's note needed?", "At what temperature is green tea brewed?", "What kind of water does black tea take?",
	"When did the museum open?", "How many paintings does the museum hold?", "What does admission to the museum cost?", "On which day is the museum closed?", "Is photography allowed in the museum?",
	"When does the ferry leave?", "How long does the crossing to the island take?", "Are bicycles carried on the ferry?", "Does the ferry carry cars?", "What is the capacity of the battery pack?",
	"How much does the battery pack weigh?", "How long does the pack take to charge?", "May the pack be charged below zero degrees?", "Who may enter the museum free?", "Who painted the ceiling of the Sistine Chapel?",
	"员工每年有多少天年假？", "未休的年假可以顺延到什么时候？", "病假超过几天须提交医院证明？", "出差住宿每晚的上限是多少？", "机票搭乘什么舱？",
	"图书馆有多少册藏书？", "图书馆什么时候开放？", "每人最多可以借几本书？", "借期是多少天？", "逾期每天罚款多少？",
	"山茶喜歡什麼環境？", "山茶的土壤應該如何？", "山茶什麼時候澆水？", "山茶的花期是什麼時候？", "育儿假有多长？",
	"绿茶用多少度的水冲泡？", "博物馆是哪一年开放的？", "渡轮几点出发？", "电池组有多重？", "拿破仑是哪一年去世的？",
}

// Whatever a small model writes, the answers keep to the contract and every citation verifies.
func TestLlama_EveryCitationVerifies(t *testing.T) {
	var cite atomic.Bool
	s := handbook(t, "LLM_BASE_URL="+citing(t, llama(t), &cite), "LLM_MODEL=gemma-3-270m", "LLM_CONTEXT=4096", "LLM_MAX_TOKENS=48", "LLM_TIMEOUT=5m", "ANSWER_FALLBACK=false")
	for name, text := range llamaDocuments {
		s.add("handbook", name, text, nil)
	}
	// A model of this size hardly follows instructions; it goes on with what it sees.
	s.call("PATCH", "/v1/collections/handbook", map[string]any{"prompt": map[string]any{
		"system": "Passages answer questions. {{.Refusal}} means that they do not.",
		"user":   "{{.Passages}}\n{{.Question}}",
	}}, 200, nil)
	turns := []any{}
	for _, turn := range [][2]string{{"When does the shop open?", "The shop opens at nine [1]."}, {"商店几点开门？", "商店九点开门 [2]。"}, {"Who runs it?", "Two sisters run it [1]."}} {
		turns = append(turns, map[string]any{"role": "user", "content": turn[0]}, map[string]any{"role": "assistant", "content": turn[1]})
	}
	questions := llamaQuestions
	if n, err := strconv.Atoi(os.Getenv("TEST_QUESTIONS")); err == nil && n < len(questions) { // of both languages
		questions = append(slices.Clone(questions[:(n+1)/2]), questions[20:20+n/2]...)
	}
	outcomes, citations, claims := map[string]int{}, 0, 0
	started := time.Now()
	var counted, real int
	for i, question := range questions {
		in := map[string]any{"temperature": 0.8 * float64(i%2), "query": question, "collections": []string{"handbook"}, "top_k": 3, "seed": 7, "messages": turns, "stop": []string{"\n"}}
		cite.Store(i%4 > 1)
		b, err := json.Marshal(in)
		if err != nil {
			t.Fatal(err)
		}
		a := s.send("POST", "/v1/query", "application/json", strings.NewReader(string(b)))
		if a.status != 200 {
			var p struct{ Code string }
			a.json(t, &p)
			if a.status != 502 || p.Code != "bad_upstream" { // it said nothing, or markers only
				t.Errorf("%s: got %d %s", question, a.status, a.body)
			}
			outcomes["said nothing"]++
			continue
		}
		var got told
		a.json(t, &got)
		s.grounded("handbook", got.answerJSON)
		if got.Status != "answered" && got.Status != "partial" && got.Status != "abstained" || got.Model != "gemma-3-270m" || got.Fallback ||
			got.Prompt == nil && got.Status != "abstained" || got.Prompt != nil && (got.Prompt.Name != "handbook" || got.Prompt.Version != 1) {
			t.Errorf("%s: got %+v", question, got)
		}
		outcomes[got.Status]++
		citations, claims = citations+len(got.Citations), claims+len(got.Claims)
		if got.Usage.Prompt > 0 {
			var rendered struct{ Tokens int }
			s.call("POST", "/v1/prompts/render", map[string]any{"query": question, "collections": []string{"handbook"}, "top_k": 3, "messages": turns}, 200, &rendered)
			counted, real = counted+rendered.Tokens, real+got.Usage.Prompt
			if rendered.Tokens < got.Usage.Prompt {
				t.Errorf("%s: the prompt was estimated at %d tokens and has %d", question, rendered.Tokens, got.Usage.Prompt)
			}
		}
		if testing.Verbose() {
			t.Logf("%s → %s %q", question, got.Status, got.Text)
		}
	}
	t.Logf("%d questions in %s: %v; %d claims, %d citations, all verified; prompts estimated at %d tokens, counted by the server at %d", len(questions), time.Since(started).Round(time.Second), outcomes, claims, citations, counted, real)
}
