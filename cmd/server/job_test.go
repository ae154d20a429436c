package main

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"footnote/internal/config"
	"footnote/internal/rag"
)

// gate is an embeddings endpoint that answers only while it is open.
type gate struct {
	*httptest.Server
	shut    atomic.Bool
	waiting chan struct{} // one receive for each request that found it shut
}

func newGate(t *testing.T) *gate {
	g := &gate{waiting: make(chan struct{}, 64)} // more than there are requests
	g.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var in struct{ Input []string }
		_ = json.NewDecoder(r.Body).Decode(&in)
		if g.shut.Load() {
			g.waiting <- struct{}{}
			<-r.Context().Done()
			return
		}
		var data []any
		for i, text := range in.Input {
			data = append(data, map[string]any{"index": i, "embedding": []float32{1, float32(len(text)), 0, 0}})
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"data": data})
	}))
	t.Cleanup(func() { g.CloseClientConnections(); g.Close() })
	return g
}

func TestJob_CancelledWhileItWorksPublishesNothing(t *testing.T) {
	bothModes(t, testJob_CancelledWhileItWorksPublishesNothing)
}

func testJob_CancelledWhileItWorksPublishesNothing(t *testing.T) {
	g := newGate(t)
	s := startService(t, "EMBED_BASE_URL="+g.URL+"/v1", "EMBED_MODEL=gate")
	s.call("POST", "/v1/collections", map[string]any{"name": "c"}, 201, nil)
	g.shut.Store(true)
	var got struct{ Job struct{ ID, Status string } }
	s.call("POST", "/v1/collections/c/documents", map[string]any{"external_id": "a", "text": "Some text."}, 202, &got)
	<-g.waiting
	var job struct{ Status string }
	s.call("POST", "/v1/jobs/"+got.Job.ID+"/cancel", nil, 200, &job)
	if job.Status != "cancelled" {
		t.Errorf("got %s", job.Status)
	}
	s.call("GET", "/v1/collections/c/documents/a", nil, 404, nil)
	g.shut.Store(false)
	g.CloseClientConnections() // the request in hand ends, and is tried again
	s.call("POST", "/v1/jobs/"+got.Job.ID+"/retry", nil, 200, nil)
	var done struct{ Status string }
	s.call("GET", "/v1/jobs/"+got.Job.ID+"?wait=60s", nil, 200, &done)
	if done.Status != "succeeded" {
		t.Errorf("retried: got %s", done.Status)
	}
	s.call("GET", "/v1/collections/c/documents/a", nil, 200, nil)
}

func TestJob_ShutdownPutsItBackAndTheNextStartFinishesIt(t *testing.T) {
	g := newGate(t)
	c, err := config.Load([]string{"FOOTNOTE_DATA=" + t.TempDir(), "FOOTNOTE_EMBED_BASE_URL=" + g.URL + "/v1", "FOOTNOTE_EMBED_MODEL=gate"}, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	a, err := openApp(t.Context(), c, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	stop := a.start(t.Context())
	if _, err := a.ingest.CreateCollection(t.Context(), rag.Collection{Name: "c"}); err != nil {
		t.Fatal(err)
	}
	g.shut.Store(true)
	job, err := a.ingest.Submit(t.Context(), "c", []rag.Source{{Upload: rag.Upload{ExternalID: "a", MediaType: "text/plain"}, Content: strings.NewReader("文字。")}})
	if err != nil {
		t.Fatal(err)
	}
	<-g.waiting
	stop() // waits for the worker
	g.shut.Store(false)
	a, err = openApp(t.Context(), c, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	again, err := a.catalog.Job(t.Context(), job.ID)
	if err != nil || again.Status != rag.JobQueued {
		t.Errorf("after the shutdown: got %s %v, want queued", again.Status, err)
	}
	defer a.start(t.Context())()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if again, err = a.ingest.Wait(ctx, job.ID); err != nil || again.Status != rag.JobSucceeded {
		t.Errorf("after the next start: got %s %v, want succeeded", again.Status, err)
	}
}

func TestRun_CommandsAndExitCodes(t *testing.T) {
	folder := t.TempDir()
	docs := t.TempDir()
	writeFile(t, docs+"/leave.md", leaveEN)
	writeFile(t, docs+"/休假.md", leaveZH)
	damaged, nothing := t.TempDir(), t.TempDir()
	writeFile(t, damaged+"/leave.md", leaveEN)
	writeFile(t, damaged+"/damaged.pdf", "%PDF-1.4")
	writeFile(t, nothing+"/damaged.pdf", "%PDF-1.4")
	environ := []string{"FOOTNOTE_DATA=" + folder}
	for _, c := range []struct {
		args   []string
		code   int
		stdout string
		stderr string
	}{
		{[]string{"version"}, 0, "footnote ", ""},
		{[]string{"version", "--json"}, 0, `"version"`, ""},
		{[]string{"--help"}, 0, "footnote ask --docs", ""},
		{[]string{"ingest", docs, "--collection", "handbook"}, 0, "up to date", "2 of 2 documents"},
		{[]string{"ask", "--collection", "handbook", "How long is parental leave?"}, 0, "sixteen weeks", ""},
		{[]string{"ask", "--collection", "handbook", "--json", "员工每年有多少天年假？"}, 0, "十五天", ""},
		{[]string{"ask", "--docs", docs, "How long is parental leave?"}, 0, "sixteen weeks", ""},
		{[]string{"ask", "--docs", damaged, "How long is parental leave?"}, 0, "sixteen weeks", "failed damaged.pdf"},
		{[]string{"ask", "--docs", nothing, "How long is parental leave?"}, 1, "", "failed damaged.pdf"},
		{[]string{"ask", "--collection", "handbook", "Which enzyme does aspirin inhibit?"}, 3, "The documents do not answer this question.", ""},
		{[]string{"ask", "--collection", "handbook", "Which enzyme does aspirin inhibit?"}, 3, "Nearest: leave.md", ""},
		{[]string{"ask", "--collection", "handbook", "--language", "zh-Hant", "Which enzyme does aspirin inhibit?"}, 3, "文件", ""},
		{[]string{"ask", "--collection", "handbook", "--verify", "off", "--policy", "strict", "How long is parental leave?"}, 1, "", "verify"},
		{[]string{"ask", "--collection", "handbook", "--language", "xx", "How long is parental leave?"}, 1, "", "language"},
		{[]string{"search", "--collection", "handbook", "--mode", "lexical", "--explain", "医院证明"}, 0, "休假.md", ""},
		{[]string{"search", "--collection", "none", "x"}, 1, "", "none"},
		{[]string{"ingest", docs + "/absent"}, 1, "", "cannot read"},
		{[]string{"doctor"}, 0, "ok     embedding", ""},
		{[]string{"doctor", "--json"}, 0, `"ok":true`, ""},
		{[]string{"eval", "--dataset", docs}, 2, "", "corpus.jsonl"},
		{[]string{"frobnicate"}, 2, "", "unknown command"},
		{[]string{"serve", "--listen", "0.0.0.0:0"}, 2, "", "FOOTNOTE_API_KEY"},
	} {
		var stdout, stderr strings.Builder
		code := run(t.Context(), c.args, environ, strings.NewReader(""), &stdout, &stderr)
		if code != c.code || !strings.Contains(stdout.String(), c.stdout) || !strings.Contains(stderr.String(), c.stderr) {
			t.Errorf("%v: got code %d, stdout %q, stderr %q; want %d, %q, %q", c.args, code, stdout.String(), stderr.String(), c.code, c.stdout, c.stderr)
		}
	}
}
