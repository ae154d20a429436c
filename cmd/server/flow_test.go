package main

import (
	"bytes"
	"mime/multipart"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	qdrantserver "footnote/internal/servertest/qdrant"
)

const (
	leaveEN = "# Leave policy\n\n## Parental leave\n\nParental leave lasts sixteen weeks at full pay. It may be taken within two years of the birth.\n\n## Sick leave\n\nA doctor's note is needed from the fourth day on.\n"
	leaveZH = "# 休假制度\n\n## 年假\n\n员工每年享有十五天带薪年假。未休的年假可以顺延到次年三月底。\n\n## 病假\n\n病假超过三天须提交医院证明。\n"
	leaveTW = "# 差旅規定\n\n出差住宿每晚以三千元為上限，超過部分須經主管核准。機票一律搭乘經濟艙。\n"
)

func handbook(t *testing.T, environ ...string) *service {
	s := startService(t, environ...)
	s.call("POST", "/v1/collections", map[string]any{"name": "handbook", "description": "人事 HR"}, 201, nil)
	s.add("handbook", "leave.md", leaveEN, map[string]any{"team": "hr", "year": 2024})
	s.add("handbook", "休假.md", leaveZH, map[string]any{"team": "人事", "year": 2025})
	s.add("handbook", "travel.md", leaveTW, map[string]any{"team": "finance", "tags": []string{"travel", "差旅"}})
	s.add("handbook", "tea.txt", "Green tea is brewed with water of eighty degrees, which keeps it from turning bitter. Black tea takes boiling water.", nil)
	return s
}

func TestFlow_QuestionsInBothLanguagesFindDocumentsInBoth(t *testing.T) {
	bothModes(t, testFlow_QuestionsInBothLanguagesFindDocumentsInBoth)
}

func testFlow_QuestionsInBothLanguagesFindDocumentsInBoth(t *testing.T) {
	s := handbook(t)
	for _, c := range []struct{ question, document, quote string }{
		{"How long is parental leave?", "leave.md", "sixteen weeks"},
		{"绿茶应该用多少度的水冲泡？", "tea.txt", "eighty degrees"},
		{"员工每年有多少天年假？", "休假.md", "十五天"},
		{"How much may a hotel cost per night on a business trip?", "travel.md", "三千元"},
		{"出差住宿一晚的上限是多少？", "travel.md", "三千元"},
	} {
		var got answerJSON
		s.call("POST", "/v1/query", map[string]any{"query": c.question, "collections": []string{"handbook"}}, 200, &got)
		s.grounded("handbook", got)
		if got.Status != "answered" || len(got.Citations) == 0 {
			t.Errorf("%s: got %s %q", c.question, got.Status, got.Text)
			continue
		}
		found := false
		for _, cited := range got.Citations {
			found = found || cited.Document.ExternalID == c.document && strings.Contains(cited.Quote, c.quote)
		}
		if !found {
			t.Errorf("%s: got %+v, want a quote of %s with %q", c.question, got.Citations, c.document, c.quote)
		}
	}
	for _, question := range []string{"What is the boiling point of tungsten hexafluoride?", "拿破仑是哪一年去世的？", "Which enzyme does aspirin inhibit?"} {
		var got answerJSON
		s.call("POST", "/v1/query", map[string]any{"query": question, "collections": []string{"handbook"}}, 200, &got)
		if got.Status != "abstained" || got.Reason == nil || len(got.Citations) > 0 || len(got.Claims) > 0 {
			t.Errorf("%s: got %s %q, want an abstention with a reason", question, got.Status, got.Text)
		}
	}
}

func TestFlow_StreamedAnswerAddsUpToThePlainOne(t *testing.T) {
	bothModes(t, testFlow_StreamedAnswerAddsUpToThePlainOne)
}

func testFlow_StreamedAnswerAddsUpToThePlainOne(t *testing.T) {
	s := handbook(t)
	in := `{"query": "How long is parental leave?", "collections": ["handbook"], "stream": true}`
	a := s.send("POST", "/v1/query", "application/json", strings.NewReader(in))
	if a.status != 200 || a.header.Get("Content-Type") != "text/event-stream" {
		t.Fatalf("got %d %s", a.status, a.header)
	}
	var names []string
	text := ""
	var completed answerJSON
	for _, e := range eventsOf(t, a.body) {
		names = append(names, e.name)
		switch e.name {
		case "answer.delta":
			var d struct{ Text string }
			response{body: e.data}.json(t, &d)
			text += d.Text
		case "response.completed":
			response{body: e.data}.json(t, &completed)
		}
	}
	if names[0] != "response.created" || names[1] != "retrieval.completed" || names[len(names)-2] != "grounding.completed" || names[len(names)-1] != "response.completed" {
		t.Errorf("got events %v", names)
	}
	var plain answerJSON
	s.call("POST", "/v1/query", map[string]any{"query": "How long is parental leave?", "collections": []string{"handbook"}}, 200, &plain)
	if text != completed.Text || text != plain.Text || text == "" {
		t.Errorf("deltas give %q, the end %q, the plain answer %q", text, completed.Text, plain.Text)
	}
	s.grounded("handbook", completed)
}

func TestFlow_PermalinksSurviveAndTellWhenTheSourceChanged(t *testing.T) {
	bothModes(t, testFlow_PermalinksSurviveAndTellWhenTheSourceChanged)
}

func testFlow_PermalinksSurviveAndTellWhenTheSourceChanged(t *testing.T) {
	s := handbook(t)
	var got answerJSON
	s.call("POST", "/v1/query", map[string]any{"query": "How long is parental leave?", "collections": []string{"handbook"}}, 200, &got)
	link := got.Citations[0].URL
	state := func() (out string) {
		var p struct {
			State         string
			SourceChanged bool `json:"source_changed"`
			Quote         string
		}
		s.call("GET", link, nil, 200, &p)
		if p.Quote != got.Citations[0].Quote || p.SourceChanged != (p.State == "source_changed" || p.State == "source_deleted") {
			t.Errorf("got %+v", p)
		}
		return p.State
	}
	want := func(state, want string) {
		t.Helper()
		if state != want {
			t.Errorf("got state %s, want %s", state, want)
		}
	}
	want(state(), "current")
	s.add("handbook", "leave.md", strings.Replace(leaveEN, "## Parental", "## Preface\n\nRead this first.\n\n## Parental", 1), nil)
	want(state(), "moved")
	s.add("handbook", "leave.md", strings.Replace(leaveEN, "sixteen", "twenty", 1), nil)
	want(state(), "source_changed")
	s.call("DELETE", "/v1/collections/handbook/documents/leave.md", nil, 204, nil)
	want(state(), "source_deleted")
	s.call("GET", "/v1/citations/cit_nothing", nil, 404, nil)
}

func TestFlow_JobsAreListedFollowedAndTellWhatFailed(t *testing.T) {
	bothModes(t, testFlow_JobsAreListedFollowedAndTellWhatFailed)
}

func testFlow_JobsAreListedFollowedAndTellWhatFailed(t *testing.T) {
	s := startService(t)
	s.call("POST", "/v1/collections", map[string]any{"name": "c"}, 201, nil)
	s.add("c", "one", "One sentence only.", nil)
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	part, _ := w.CreateFormFile("file", "good.txt")
	_, _ = part.Write([]byte("Something to read."))
	part, _ = w.CreateFormFile("file", "blank.html")
	_, _ = part.Write([]byte("<html><body><script>1</script></body></html>"))
	w.Close()
	var got struct {
		Job struct {
			ID, Status string
			Error      *struct{ Code, Message string }
			Documents  []struct {
				ExternalID string `json:"external_id"`
				Published  bool
				Error      *struct{ Code, Message string }
			}
		}
	}
	a := s.send("POST", "/v1/collections/c/documents?wait=60s", w.FormDataContentType(), &body)
	a.json(t, &got)
	if got.Job.Status != "failed" || got.Job.Error == nil {
		t.Fatalf("got %s", a.body)
	}
	for _, d := range got.Job.Documents {
		if d.Published != (d.ExternalID == "good.txt") || (d.Error == nil) != d.Published {
			t.Errorf("got %+v", d)
		}
	}
	job := "/v1/jobs/" + got.Job.ID
	s.call("POST", job+"/cancel", nil, 409, nil)
	s.call("POST", job+"/retry", nil, 200, nil)
	events := string(s.send("GET", job+"/events", "", nil).body)
	if !strings.Contains(events, "event: job\n") || !strings.Contains(events, `"status":"failed"`) {
		t.Errorf("got events %s, want the retried job to fail again", events)
	}
	var jobs struct {
		Data []struct{ ID, Collection string }
	}
	s.call("GET", "/v1/jobs?status=failed&collection=c", nil, 200, &jobs)
	if len(jobs.Data) != 1 || jobs.Data[0].ID != got.Job.ID || jobs.Data[0].Collection != "c" {
		t.Errorf("got %+v", jobs)
	}
	s.call("GET", "/v1/jobs?limit=1", nil, 200, &jobs)
	s.call("GET", job+"?wait=1s", nil, 200, nil)
}

func TestFlow_IdempotencyKeyGivesTheFirstAnswerAgain(t *testing.T) {
	bothModes(t, testFlow_IdempotencyKeyGivesTheFirstAnswerAgain)
}

func testFlow_IdempotencyKeyGivesTheFirstAnswerAgain(t *testing.T) {
	s := startService(t)
	s.call("POST", "/v1/collections", map[string]any{"name": "c"}, 201, nil)
	post := func(body string) response {
		return s.send("POST", "/v1/collections/c/documents", "application/json", strings.NewReader(body), "Idempotency-Key", "k1")
	}
	first, second := post(`{"text": "once"}`), post(`{"text": "once"}`)
	if first.status != 202 || second.status != 202 || !bytes.Equal(first.body, second.body) || second.header.Get("Location") != first.header.Get("Location") {
		t.Errorf("got %d %s, then %d %s", first.status, first.body, second.status, second.body)
	}
	if third := post(`{"text": "twice"}`); third.status != 422 {
		t.Errorf("another body: got %d %s, want 422", third.status, third.body)
	}
}

func TestFlow_KeyIsAskedForBeforeTheBodyIsRead(t *testing.T) {
	bothModes(t, testFlow_KeyIsAskedForBeforeTheBodyIsRead)
}

func testFlow_KeyIsAskedForBeforeTheBodyIsRead(t *testing.T) {
	s := startService(t, "API_KEY=s3cret-canary-0123456789", "CORS_ORIGINS=https://app.example")
	if a := s.send("GET", "/v1/collections", "", nil); a.status != 401 || a.header.Get("WWW-Authenticate") == "" {
		t.Errorf("got %d", a.status)
	}
	if a := s.send("GET", "/v1/collections", "", nil, "Authorization", "Bearer wrong"); a.status != 401 {
		t.Errorf("got %d", a.status)
	}
	if a := s.send("GET", "/v1/collections", "", nil, "Authorization", "Bearer s3cret-canary-0123456789"); a.status != 200 {
		t.Errorf("got %d", a.status)
	}
	for _, open := range []string{"/healthz", "/readyz", "/docs", "/openapi.yaml"} {
		if a := s.send("GET", open, "", nil); a.status != 200 {
			t.Errorf("%s: got %d", open, a.status)
		}
	}
	a := s.send("OPTIONS", "/v1/query", "", nil, "Origin", "https://app.example", "Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", "content-type")
	if a.header.Get("Access-Control-Allow-Origin") != "https://app.example" {
		t.Errorf("preflight: got %v", a.header)
	}
	if a := s.send("GET", "/healthz", "", nil, "Origin", "https://evil.example"); a.header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("a foreign origin is let in: %v", a.header)
	}
	a = s.send("GET", "/metrics", "", nil, "Authorization", "Bearer s3cret-canary-0123456789")
	if a.status != 200 || !strings.Contains(string(a.body), "footnote_http_request_duration_seconds") || strings.Contains(string(a.body), "canary") {
		t.Errorf("metrics: got %d", a.status)
	}
	a = s.send("GET", "/healthz", "", nil, "X-Request-ID", "abc-1", "Traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
	if a.header.Get("X-Request-ID") != "abc-1" || a.header.Get("Traceparent") == "" {
		t.Errorf("got %v, want the caller's identity back", a.header)
	}
}

func TestFlow_OriginalsInABucket(t *testing.T) {
	t.Parallel()
	backend := s3mem.New()
	if err := backend.CreateBucket("originals"); err != nil {
		t.Fatal(err)
	}
	bucket := httptest.NewServer(gofakes3.New(backend).Server())
	t.Cleanup(bucket.Close)
	s := startService(t, "BLOBS=s3://originals/a?region=us-east-1&endpoint="+bucket.URL, "S3_ACCESS_KEY=k", "S3_SECRET_KEY=s")
	s.call("POST", "/v1/collections", map[string]any{"name": "c"}, 201, nil)
	s.add("c", "a", "It lies in a bucket. 桶裡。", nil)
	objects, err := backend.ListBucket("originals", nil, gofakes3.ListBucketPage{})
	if err != nil || len(objects.Contents) != 1 || !strings.HasPrefix(objects.Contents[0].Key, "a/") {
		t.Errorf("got %+v, %v", objects, err)
	}
	bucket.Close()
	if a := s.send("POST", "/v1/collections/c/documents", "application/json", strings.NewReader(`{"text": "It cannot."}`)); a.status != 503 {
		t.Errorf("without the bucket: %d %s", a.status, a.body)
	}
}

// The stores mix: SQLite with Qdrant, which outlives the process and so is not filled again at its start.
func TestFlow_SQLiteWithQdrant(t *testing.T) {
	t.Parallel()
	q := qdrantserver.Start(t, "a key")
	environ := []string{"DATA=" + t.TempDir(), "INDEX=" + q.URL()}
	t.Run("first start", func(t *testing.T) {
		s := startService(t, environ...)
		s.fill("c")
	})
	writes := q.Calls("Upsert")
	t.Run("second start", func(t *testing.T) {
		s := startService(t, environ...)
		var found struct {
			Hits []struct{ Chunk struct{ Text string } }
		}
		s.call("POST", "/v1/search", map[string]any{"query": "育婴假多长", "collections": []string{"c"}, "filter": map[string]any{"type": "eq", "key": "team", "value": "人事"}}, 200, &found)
		if len(found.Hits) == 0 || !strings.Contains(found.Hits[0].Chunk.Text, "十六週") {
			t.Errorf("got %+v", found)
		}
		if got := q.Calls("Upsert"); got != writes {
			t.Errorf("the start wrote to the index %d times", got-writes)
		}
		s.add("c", "new", "Written after the second start.", nil)
	})
}
