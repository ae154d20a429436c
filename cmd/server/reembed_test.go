package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

type reembedded struct {
	State    string
	Other    struct{ Model string }
	Progress struct{ Done, Total int }
	Gate     *struct {
		Queries       int
		Before, After float64
		Passed        bool
	}
	Error *string
}

// settled waits until a re-embedding is no longer in state building, or ready on its way to being swapped.
func (s *service) settled(want string) reembedded {
	s.t.Helper()
	var r reembedded
	for start := time.Now(); time.Since(start) < time.Minute; time.Sleep(20 * time.Millisecond) {
		s.call("GET", "/v1/collections/c/reembedding", nil, 200, &r)
		if r.State == want {
			return r
		}
	}
	s.t.Fatalf("a minute later it is %+v, want %s", r, want)
	return r
}

// A collection goes from one model to another and back while it is searched and written: no search fails, and every document is found before, meanwhile and after.
func TestReembed_ThereAndBackWithoutAFailedQuery(t *testing.T) { bothModes(t, testReembed) }

func testReembed(t *testing.T) {
	var slow atomic.Int64
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(time.Duration(slow.Load()))
		letters(w, r, 24)
	}))
	t.Cleanup(other.Close)
	s := startService(t, "OTHER_EMBED_BASE_URL="+other.URL+"/v1", "OTHER_EMBED_MODEL=letters")
	s.fill("c")
	s.call("POST", "/v1/collections", map[string]any{"name": "still"}, 201, nil)
	s.add("still", "x", "Another collection stays with its model. Leave it there.", nil)
	before := s.moved("c")

	ctx, stop := context.WithCancel(t.Context())
	var load sync.WaitGroup
	var searches, failed atomic.Int64
	for _, body := range []string{
		`{"query": "parental leave", "collections": ["c"]}`, `{"query": "育兒假", "collections": ["c", "still"]}`, `{"query": "ERR_507", "collections": ["c"], "mode": "dense", "filter": {"type": "exists", "key": "team"}}`,
	} {
		load.Go(func() {
			for ctx.Err() == nil {
				req, err := http.NewRequestWithContext(ctx, "POST", s.url+"/v1/search", strings.NewReader(body))
				if err != nil {
					t.Error(err)
					return
				}
				req.Header.Set("Content-Type", "application/json")
				resp, err := http.DefaultClient.Do(req)
				if ctx.Err() != nil {
					return
				}
				searches.Add(1)
				if err != nil || resp.StatusCode != 200 {
					failed.Add(1)
					t.Errorf("a search failed: %v, %v", resp, err)
				}
				if err == nil {
					resp.Body.Close()
				}
			}
		})
	}
	var written atomic.Int64
	load.Go(func() {
		for ctx.Err() == nil && written.Load() < 50 { // no more than the other model can make up for while it is asked all the time
			n := written.Load()
			s.add("c", fmt.Sprintf("meanwhile-%d", n), fmt.Sprintf("Written while the model changes: token%dtoken.", n), nil)
			written.Add(1)
		}
	})
	slow.Store(int64(20 * time.Millisecond))
	s.call("POST", "/v1/collections/c/reembedding", map[string]any{"min_ratio": 0.0}, 202, nil)
	if a := s.send("POST", "/v1/collections/c/reembedding", "application/json", strings.NewReader("{}")); a.status != 409 {
		t.Errorf("a second one: %d %s", a.status, a.body)
	}
	r := s.settled("swapped")
	if r.Other.Model != "multilingual-e5-small" || r.Gate == nil || r.Gate.Queries == 0 || r.Gate.Before == 0 || r.Gate.After == 0 {
		t.Errorf("got %+v", r)
	}
	var c struct {
		Embedding struct {
			Model      string
			Dimensions int
		}
	}
	s.call("GET", "/v1/collections/c", nil, 200, &c)
	if c.Embedding.Model != "letters" || c.Embedding.Dimensions != 24 {
		t.Errorf("the collection has %+v", c)
	}
	slow.Store(0)
	s.call("POST", "/v1/collections/c/reembedding/swap", nil, 200, &r)
	if r.State != "ready" || r.Other.Model != "letters" {
		t.Errorf("swapped back: %+v", r)
	}
	s.call("POST", "/v1/collections/c/reembedding/swap", nil, 200, &r)
	stop()
	load.Wait()
	s.call("POST", "/v1/collections/c/reembedding/swap", nil, 200, &r)
	s.call("DELETE", "/v1/collections/c/reembedding", nil, 204, nil)
	s.call("DELETE", "/v1/collections/c/reembedding", nil, 404, nil)
	if failed.Load() > 0 || searches.Load() < 20 || written.Load() < 1 {
		t.Errorf("%d of %d searches failed; %d documents were written", failed.Load(), searches.Load(), written.Load())
	}
	for n := range written.Load() {
		var found struct {
			Hits []struct{ Chunk struct{ Text string } }
		}
		s.call("POST", "/v1/search", map[string]any{"query": fmt.Sprintf("token%dtoken", n), "collections": []string{"c"}, "mode": "lexical"}, 200, &found)
		if len(found.Hits) != 1 {
			t.Errorf("token%dtoken is found %d times", n, len(found.Hits))
		}
		s.call("DELETE", fmt.Sprintf("/v1/collections/c/documents/meanwhile-%d", n), nil, 204, nil)
	}
	if got, want := fmt.Sprint(s.moved("c")), fmt.Sprint(before); got != want {
		t.Errorf("there and back again the answers are\n%s\nand were\n%s", got, want)
	}
	for range 2 {
		if err := s.app.ingest.Reconcile(t.Context(), true, false, s.clean); err != nil {
			t.Fatal(err)
		}
	}
	ids, err := s.app.index.Collections(t.Context())
	if err != nil || len(ids) != 2 {
		t.Errorf("the index has %v, %v", ids, err)
	}
	t.Logf("%d searches, %d failed; %d documents written meanwhile", searches.Load(), failed.Load(), written.Load())
}

// The gate holds a model back that finds less, and questions of the user's own decide when there are any.
func TestReembed_TheGateHoldsAWorseModel(t *testing.T) { bothModes(t, testReembedGate) }

func testReembedGate(t *testing.T) {
	same := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { letters(w, r, 2) }))
	t.Cleanup(same.Close)
	s := startService(t, "OTHER_EMBED_BASE_URL="+same.URL+"/v1", "OTHER_EMBED_MODEL=blunt")
	s.fill("c")
	for i, text := range []string{"Bicycles may be parked in the yard.", "The canteen opens at noon on weekdays.", "Passwords are changed when they leak."} {
		s.add("c", fmt.Sprint("more-", i), text, nil)
	}
	if a := s.send("POST", "/v1/collections/c/reembedding", "application/json", strings.NewReader(`{"model": "none"}`)); a.status != 400 || !strings.Contains(string(a.body), "blunt") {
		t.Errorf("an unknown model: %d %s", a.status, a.body)
	}
	queries := []map[string]any{
		// In the other language, so that the lexical half cannot help.
		{"query": "自行车可以停在哪里？", "documents": []string{"more-0"}}, {"query": "食堂几点开门？", "documents": []string{"more-1"}}, {"query": "什么时候要更换密码？", "documents": []string{"more-2"}},
	}
	s.call("POST", "/v1/collections/c/reembedding", map[string]any{"queries": queries, "min_ratio": 1.0}, 202, nil)
	r := s.settled("held")
	if r.Gate == nil || r.Gate.Passed || r.Gate.Queries != 3 || r.Gate.After >= r.Gate.Before || r.Progress.Done != r.Progress.Total {
		t.Errorf("got %+v, gate %+v", r, r.Gate)
	}
	var c struct{ Embedding struct{ Model string } }
	s.call("GET", "/v1/collections/c", nil, 200, &c)
	if c.Embedding.Model != "multilingual-e5-small" {
		t.Errorf("it was swapped all the same: %+v", c)
	}
	s.call("DELETE", "/v1/collections/c/reembedding", nil, 204, nil)
	// A model whose endpoint breaks is held too, with the reason.
	same.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(400) })
	s.call("POST", "/v1/collections/c/reembedding", map[string]any{}, 202, nil)
	if r := s.settled("held"); r.Error == nil || *r.Error == "" {
		t.Errorf("got %+v", r)
	}
	without := startService(t)
	without.call("POST", "/v1/collections", map[string]any{"name": "c"}, 201, nil)
	if a := without.send("POST", "/v1/collections/c/reembedding", "application/json", strings.NewReader("{}")); a.status != 400 || !strings.Contains(string(a.body), "FOOTNOTE_OTHER_EMBED_MODEL") {
		t.Errorf("without another model: %d %s", a.status, a.body)
	}
}
