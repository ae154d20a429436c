package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestStream_AnswersAreThePlainOnes(t *testing.T) {
	for name, settings := range map[string]func(t *testing.T) []string{
		"extractive": func(*testing.T) []string { return nil },
		"generated":  func(t *testing.T) []string { return []string{"LLM_BASE_URL=" + quoting(t), "LLM_MODEL=quoting"} },
	} {
		t.Run(name, func(t *testing.T) {
			bothModes(t, func(t *testing.T) {
				s := handbook(t, settings(t)...)
				answered := 0
				for _, q := range questions() {
					in := map[string]any{"query": q, "collections": []string{"handbook"}}
					plain := s.call("POST", "/v1/query", in, 200, nil)
					in["stream"] = true
					events := eventsOf(t, s.call("POST", "/v1/query", in, 200, nil).body)
					text, cited := "", 0
					for _, e := range events {
						switch e.name {
						case "answer.delta":
							var d struct{ Text string }
							response{body: e.data}.json(t, &d)
							text += d.Text
						case "citation.added":
							cited++
						}
					}
					completed := events[len(events)-1]
					if completed.name != "response.completed" {
						t.Fatalf("%s: the stream ends with %s %s", q, completed.name, completed.data)
					}
					if diff := cmp.Diff(likened(t, plain.body), likened(t, completed.data)); diff != "" {
						t.Errorf("%s: plain (-) and streamed (+) differ:\n%s", q, diff)
					}
					if diff := cmp.Diff(likened(t, events[len(events)-2].data), likened(t, completed.data)); diff != "" {
						t.Errorf("%s: grounding.completed (-) and response.completed (+) differ:\n%s", q, diff)
					}
					var a answerJSON
					response{body: completed.data}.json(t, &a)
					if a.Text != text || len(a.Citations) != cited {
						t.Errorf("%s: deltas add up to %q, %d citations were added; the answer is %q with %d", q, text, cited, a.Text, len(a.Citations))
					}
					s.grounded("handbook", a)
					if a.Status != "abstained" {
						answered++
					}
				}
				if answered < 10 {
					t.Errorf("%d of 40 questions were answered: the comparison says little", answered)
				}
			})
		})
	}
}

func TestStream_GoesOnBothWays(t *testing.T) {
	bothModes(t, testStream_GoesOnBothWays)
}

func testStream_GoesOnBothWays(t *testing.T) {
	s := startService(t, "API_KEY=0123456789abcdef")
	header := []string{"Authorization", "Bearer 0123456789abcdef"}
	s.send("POST", "/v1/collections", "application/json", strings.NewReader(`{"name": "handbook"}`), header...)
	s.send("POST", "/v1/collections/handbook/documents?wait=60s", "application/json", strings.NewReader(`{"text": "Parental leave lasts sixteen weeks at full pay. 育儿假为十六周。"}`), header...)
	post := func(body string, more ...string) response {
		return s.send("POST", "/v1/query", "application/json", strings.NewReader(body), append(more, header...)...)
	}
	get := func(path string, more ...string) response {
		return s.send("GET", path, "", nil, append(more, header...)...)
	}
	body := `{"query": "` + parental + `", "collections": ["handbook"], "stream": true}`
	whole := post(body)
	events := eventsOf(t, whole.body)
	var created struct{ ID string }
	response{body: events[0].data}.json(t, &created)
	path := "/v1/query/" + created.ID + "/events"
	for i, e := range events {
		rest := string(whole.body)[strings.Index(string(whole.body), e.id):]
		rest = rest[strings.Index(rest, "\n\n")+2:]
		if got := post(body, "Last-Event-ID", e.id); got.status != 200 || string(got.body) != rest {
			t.Errorf("POST after event %d: got %d %q, want %q", i+1, got.status, got.body, rest)
		}
		want := 200
		if rest == "" {
			want = 204
		}
		if got := get(path, "Last-Event-ID", e.id); got.status != want || string(got.body) != rest {
			t.Errorf("GET after event %d: got %d %q, want %q", i+1, got.status, got.body, rest)
		}
	}
	if got := get(path); got.status != 200 || string(got.body) != string(whole.body) {
		t.Errorf("GET from the beginning: got %d %q", got.status, got.body)
	}
	var key struct{ Secret string }
	s.send("POST", "/v1/keys", "application/json", strings.NewReader(`{"name": "other", "scope": "read"}`), header...).json(t, &key)
	if key.Secret == "" {
		t.Fatal("no key was made")
	}
	other := []string{"Authorization", "Bearer " + key.Secret}
	var details []string
	for _, got := range []response{
		s.send("GET", path, "", nil, other...),
		s.send("GET", "/v1/query/ans_none/events", "", nil, other...),
		s.send("POST", "/v1/query", "application/json", strings.NewReader(body), append(other, "Last-Event-ID", events[0].id)...),
		s.send("POST", "/v1/query", "application/json", strings.NewReader(body), append(other, "Last-Event-ID", "5")...),
	} {
		var p struct{ Code, Detail string }
		got.json(t, &p)
		if got.status != 404 || p.Code != "not_found" {
			t.Errorf("got %d %s", got.status, got.body)
		}
		details = append(details, p.Detail)
	}
	for _, d := range details {
		if d != details[0] {
			t.Errorf("what is another's tells apart from what is not: %q", details)
		}
	}
	if got := post(strings.Replace(body, "long", "short", 1), "Last-Event-ID", events[0].id); got.status != 422 {
		t.Errorf("another body: got %d %s, want 422", got.status, got.body)
	}
	if got := post(body, "Idempotency-Key", "k"); got.status != 400 {
		t.Errorf("with an Idempotency-Key: got %d, want 400", got.status)
	}
	metrics := string(get("/metrics").body)
	for _, name := range []string{"footnote_streams 1", "footnote_streams_running 0", `footnote_stream_resumes_total{outcome="other_body"} 1`, `footnote_stream_resumes_total{outcome="unknown"} 4`, "footnote_stream_buffer_bytes "} {
		if !strings.Contains(metrics, name) {
			t.Errorf("the metrics lack %q", name)
		}
	}
}

const parentalStream = `{"query": "` + parental + `", "collections": ["handbook"], "stream": true}`

// A reader that hangs up costs the language model's work no longer than the grace, and leaves nothing running behind.
func TestStream_HangingUpCancelsTheLanguageModel(t *testing.T) {
	url, gone := slowModel(t)
	s := withModel(t, url, "STREAM_GRACE=200ms", "LLM_TIMEOUT=50s")
	once := func() {
		lines, hangUp := s.listen(parentalStream)
		until(t, lines, "event: answer.delta")
		hangUp()
		select {
		case <-gone:
		case <-time.After(20 * time.Second):
			t.Fatal("the language model still writes 20 s after the reader hung up")
		}
	}
	once()
	plain, cancel := context.WithCancel(t.Context())
	req, err := http.NewRequestWithContext(plain, http.MethodPost, s.url+"/v1/query", strings.NewReader(strings.Replace(parentalStream, "true", "false", 1)))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	time.AfterFunc(300*time.Millisecond, cancel)
	if resp, err := http.DefaultClient.Do(req); err == nil {
		resp.Body.Close()
		t.Errorf("a plain answer came from a model that never ends: %d", resp.StatusCode)
	}
	select {
	case <-gone:
	case <-time.After(20 * time.Second):
		t.Error("the language model still writes 20 s after a plain request was cancelled")
	}
	settled := func() (n int) {
		least := 1 << 30
		for range 20 { // idle connections and timers end on their own
			http.DefaultClient.CloseIdleConnections()
			time.Sleep(25 * time.Millisecond)
			if n = runtime.NumGoroutine(); n < least {
				least = n
			}
		}
		return least
	}
	before := settled()
	for range 20 {
		once()
	}
	if after := settled(); after > before+3 {
		buf := make([]byte, 1<<20)
		t.Errorf("%d goroutines before 20 streams were left, %d after:\n%s", before, after, buf[:runtime.Stack(buf, true)])
	}
}

func TestStream_AReaderThatComesBackInTimeKeepsTheAnswerGoing(t *testing.T) {
	var calls atomic.Int64
	proceed := make(chan struct{})
	s := withModel(t, chatServer(t, func(w http.ResponseWriter, r *http.Request) {
		calls.Add(1)
		writes(w, false, "Parental leave lasts")
		select {
		case <-proceed:
			writes(w, true, " sixteen weeks at full pay [1].")
		case <-r.Context().Done():
		}
	}), "STREAM_GRACE=30s")
	lines, hangUp := s.listen(parentalStream)
	until(t, lines, "event: retrieval.completed")
	id := until(t, lines, "event: answer.delta")
	hangUp()
	again, end := s.listen(parentalStream, "Last-Event-ID", id)
	defer end()
	close(proceed)
	until(t, again, "event: citation.added")
	until(t, again, "event: response.completed")
	if !again.Scan() || !strings.Contains(again.Text(), "Parental leave lasts sixteen weeks at full pay [1].") || calls.Load() != 1 {
		t.Errorf("got %s after %d calls", again.Text(), calls.Load())
	}
}

// A web app on another origin asks, streams and goes on: its browser sends a preflight for each.
func TestStream_WorksFromABrowserOfAnAllowedOrigin(t *testing.T) {
	s := handbook(t, "CORS_ORIGINS=https://app.example.com")
	const origin = "https://app.example.com"
	preflight := func(origin, method, path, headers string) response {
		return s.send("OPTIONS", path, "", nil, "Origin", origin, "Access-Control-Request-Method", method, "Access-Control-Request-Headers", headers)
	}
	allowed := preflight(origin, "POST", "/v1/query", "authorization,content-type,last-event-id")
	for name, want := range map[string]string{"Access-Control-Allow-Origin": origin, "Access-Control-Allow-Methods": "POST"} {
		if got := allowed.header.Get(name); got != want {
			t.Errorf("preflight: got %s %q, want %q", name, got, want)
		}
	}
	if got := strings.ToLower(allowed.header.Get("Access-Control-Allow-Headers")); !strings.Contains(got, "last-event-id") || !strings.Contains(got, "content-type") || !strings.Contains(got, "authorization") {
		t.Errorf("preflight: got the headers %q", got)
	}
	if got := preflight(origin, "GET", "/v1/query/ans_x/events", "last-event-id").header.Get("Access-Control-Allow-Origin"); got != origin {
		t.Errorf("preflight of GET: got the origin %q", got)
	}
	if got := preflight("https://evil.example.com", "POST", "/v1/query", "content-type").header.Get("Access-Control-Allow-Origin"); got != "" {
		t.Errorf("another origin is let in as %q", got)
	}
	whole := s.send("POST", "/v1/query", "application/json", strings.NewReader(parentalStream), "Origin", origin)
	events := eventsOf(t, whole.body)
	again := s.send("POST", "/v1/query", "application/json", strings.NewReader(parentalStream), "Origin", origin, "Last-Event-ID", events[2].id)
	for _, got := range []response{whole, again} {
		if got.status != 200 || got.header.Get("Access-Control-Allow-Origin") != origin || got.header.Get("Content-Type") != "text/event-stream" ||
			!strings.Contains(got.header.Get("Access-Control-Expose-Headers"), "X-Request-Id") && !strings.Contains(got.header.Get("Access-Control-Expose-Headers"), "X-Request-ID") {
			t.Errorf("got %d %v", got.status, got.header)
		}
	}
	if n := len(eventsOf(t, again.body)); n != len(events)-3 {
		t.Errorf("got %d events after the third of %d", n, len(events))
	}
	missing := s.send("POST", "/v1/query", "application/json", strings.NewReader(parentalStream), "Origin", origin, "Last-Event-ID", "7")
	if missing.status != 404 || missing.header.Get("Access-Control-Allow-Origin") != origin {
		t.Errorf("a 404 that the app's script may not read: %d %v", missing.status, missing.header)
	}
}

func TestStream_JobsEventsTellWhoeverComesBackHowItStands(t *testing.T) {
	bothModes(t, func(t *testing.T) {
		s := startService(t)
		s.call("POST", "/v1/collections", map[string]any{"name": "c"}, 201, nil)
		var got struct {
			Job struct{ ID string }
		}
		s.call("POST", "/v1/collections/c/documents", map[string]any{"text": "Some text. 一些文字。"}, 202, &got)
		path := "/v1/jobs/" + got.Job.ID + "/events"
		events := eventsOf(t, s.send("GET", path, "", nil).body)
		var before int64
		for _, e := range events {
			var id int64
			if _, err := fmt.Sscan(e.id, &id); err != nil || id <= before || id >= 1<<53 {
				t.Errorf("got the id %s after %d", e.id, before)
			}
			before = id
		}
		end := events[len(events)-1]
		if !strings.Contains(string(end.data), `"status":"succeeded"`) {
			t.Errorf("the last event is %s", end.data)
		}
		if got := s.send("GET", path, "", nil, "Last-Event-ID", end.id); got.status != 204 {
			t.Errorf("after the end: got %d %s, want 204", got.status, got.body)
		}
		for _, id := range []string{"1", "abc", "99999999999999999", "", fmt.Sprint(before - 1)} {
			again := s.send("GET", path, "", nil, "Last-Event-ID", id)
			if e := eventsOf(t, again.body); again.status != 200 || len(e) != 1 || string(e[0].data) != string(end.data) {
				t.Errorf("after event %q: got %d %s, want how the job stands", id, again.status, again.body)
			}
		}
	})
}

func TestAsk_WritesTheAnswerAsItIsMadeThenItsFootnotes(t *testing.T) {
	proceed := make(chan struct{})
	s := withModel(t, chatServer(t, func(w http.ResponseWriter, _ *http.Request) {
		writes(w, false, "Parental leave lasts", "\x1b\x07 sixteen weeks")
		<-proceed
		writes(w, true, " at full pay [1].")
	}))
	r, w := io.Pipe()
	type asking struct {
		got answerShown
		err error
	}
	asked := make(chan asking, 1)
	go func() {
		got, err := askStreamed(t.Context(), newClient(s.url, ""), askedOfHandbook(parental), w)
		got.printNotes(w)
		w.Close()
		asked <- asking{got, err}
	}()
	first := make([]byte, len("Parental leave lasts sixteen weeks"))
	if _, err := io.ReadFull(r, first); err != nil || string(first) != "Parental leave lasts sixteen weeks" {
		t.Errorf("before the model goes on: got %q, %v", first, err)
	}
	close(proceed)
	rest, err := io.ReadAll(r)
	if a := <-asked; err != nil || a.err != nil || a.got.Status == "" || !strings.HasPrefix(string(rest), " at full pay [1].\n") || !strings.Contains(string(rest), "\n[1] leave.md") {
		t.Errorf("got %q, %v, %+v", rest, err, a)
	}
	if _, err := askStreamed(t.Context(), newClient(s.url, ""), question{Query: "x", Collections: []string{"none"}, TopK: 8}, io.Discard); err == nil || !strings.Contains(err.Error(), "no collection") {
		t.Errorf("got %v", err)
	}
}

// askedOfHandbook is the command's request about the handbook.
func askedOfHandbook(text string) question {
	return question{Query: text, Collections: []string{"handbook"}, TopK: 8}
}

// A service that is told to stop lets a stream go on for a while, then ends it with an event that says to ask anew, and leaves.
func TestServe_StopsStreamsWithAnEventThatSaysToAskAnew(t *testing.T) {
	t.Parallel()
	url, gone := slowModel(t)
	s := withModel(t, url, "LISTEN=127.0.0.1:0", "SHUTDOWN_TIMEOUT=2s", "STREAM_GRACE=1m")
	ctx, stop := context.WithCancel(t.Context())
	address, served := make(chan string, 1), make(chan error, 1)
	go func() { served <- s.app.listenAndServe(ctx, func(at string) { address <- at }) }()
	s.url = "http://" + <-address
	lines, hangUp := s.listen(parentalStream)
	defer hangUp()
	until(t, lines, "event: answer.delta")
	left, leave := s.listen(parentalStream) // nobody reads this one any more, and it is within its grace
	until(t, left, "event: answer.delta")
	leave()
	stop()
	until(t, lines, "event: error")
	if !lines.Scan() || lines.Text() != "retry: 1000" || !lines.Scan() || !strings.Contains(lines.Text(), `"code":"unavailable"`) || !strings.Contains(lines.Text(), "ask anew") {
		t.Errorf("got %q", lines.Text())
	}
	for range 2 {
		select {
		case <-gone:
		case <-time.After(20 * time.Second):
			t.Fatal("the language model still writes")
		}
	}
	if err := <-served; err != nil {
		t.Error(err)
	}
}
