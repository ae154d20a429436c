package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"footnote/internal/rag"
	pgserver "footnote/internal/servertest/postgres"
	"footnote/internal/servertest/proxy"
	qdrantserver "footnote/internal/servertest/qdrant"
)

// The stores fail at every step, in every way, while documents are taken in, replaced and deleted. Afterwards all that was acknowledged is there, once, and
// nothing else.
func TestFaults_TheStoresConvergeAndNothingIsLost(t *testing.T) {
	t.Parallel()
	for name, inject := range map[string]func(t *testing.T, q *qdrantserver.Server, pg *proxy.Proxy) (stop func()){
		"qdrant refuses": failing(func() qdrantserver.Fault { return qdrantserver.Fault{Err: status.Error(codes.Unavailable, "injected")} }),
		"qdrant is slow": failing(func() qdrantserver.Fault {
			return qdrantserver.Fault{Delay: time.Duration(rand.IntN(300)) * time.Millisecond}
		}),
		"qdrant loses replies": failing(func() qdrantserver.Fault {
			return qdrantserver.Fault{LostErr: status.Error(codes.Unavailable, "the reply is lost")}
		}),
		"qdrant breaks": failing(func() qdrantserver.Fault { return qdrantserver.Fault{Err: status.Error(codes.Internal, "injected")} }),
		"qdrant restarts": func(t *testing.T, q *qdrantserver.Server, _ *proxy.Proxy) func() {
			return every(300*time.Millisecond, func() {
				q.Stop()
				time.Sleep(100 * time.Millisecond)
				if err := q.Restart(); err != nil {
					t.Error(err)
				}
			})
		},
		"postgres loses connections": func(_ *testing.T, _ *qdrantserver.Server, pg *proxy.Proxy) func() {
			return every(120*time.Millisecond, pg.Cut)
		},
		"postgres is away": func(_ *testing.T, _ *qdrantserver.Server, pg *proxy.Proxy) func() {
			return every(1200*time.Millisecond, func() {
				pg.Refuse(true)
				pg.Cut()
				time.Sleep(400 * time.Millisecond)
				pg.Refuse(false)
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u, err := url.Parse(pgserver.URL(t))
			if err != nil {
				t.Fatal(err)
			}
			pg := proxy.Start(t, u.Host)
			u.Host = pg.Address()
			q := qdrantserver.Start(t, "")
			s := startService(t, "CATALOG="+u.String(), "INDEX="+q.URL(), "JOB_LEASE=2s")
			s.call("POST", "/v1/collections", map[string]any{"name": "c"}, 201, nil)
			stop := inject(t, q, pg)
			want := s.churn()
			stop()
			s.converge(want)
		})
	}
}

// failing has every third call of Qdrant fail.
func failing(fault func() qdrantserver.Fault) func(*testing.T, *qdrantserver.Server, *proxy.Proxy) func() {
	return func(_ *testing.T, q *qdrantserver.Server, _ *proxy.Proxy) func() {
		var n atomic.Int64
		q.Fail(func(string) qdrantserver.Fault {
			if n.Add(1)%3 == 0 {
				return fault()
			}
			return qdrantserver.Fault{}
		})
		return func() { q.Fail(nil) }
	}
}

func every(d time.Duration, f func()) (stop func()) {
	end, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		t := time.NewTicker(d)
		defer t.Stop()
		for {
			select {
			case <-end:
				return
			case <-t.C:
				f()
			}
		}
	}()
	return func() { close(end); <-ended }
}

// until sends a request again and again until it gets another answer than a 5xx or nothing at all.
func (s *service) until(method, path, body, key string) (int, []byte) {
	s.t.Helper()
	for start := time.Now(); time.Since(start) < time.Minute; time.Sleep(20 * time.Millisecond) {
		req, err := http.NewRequestWithContext(s.t.Context(), method, s.url+path, strings.NewReader(body))
		if err != nil {
			s.t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		if key != "" {
			req.Header.Set("Idempotency-Key", key)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			continue
		}
		b, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err == nil && resp.StatusCode < 500 && resp.StatusCode != 409 { // 409: an earlier try still has the key
			return resp.StatusCode, b
		}
	}
	s.t.Fatalf("%s %s gets no answer within a minute", method, path)
	return 0, nil
}

// churn makes, replaces and deletes documents; it returns the text that each must have in the end, "" for none.
func (s *service) churn() map[string]string {
	want := map[string]string{}
	text := func(i, version int) string {
		return fmt.Sprintf("# Part\n\nDocument word%dword stands at version state%dx%dstate. 文檔%d。\n\n# Same\n\nThis part never changes in document same%dsame.", i, i, version, i, i)
	}
	put := func(i, version int) {
		id := fmt.Sprintf("doc-%d.md", i)
		body, _ := json.Marshal(map[string]any{"external_id": id, "text": text(i, version), "metadata": map[string]any{"version": version}})
		if got, b := s.until("POST", "/v1/collections/c/documents", string(body), fmt.Sprintf("%d-%d", i, version)); got != 202 {
			s.t.Fatalf("put: %d %s", got, b)
		}
		want[id] = fmt.Sprintf("state%dx%dstate", i, version)
	}
	for i := range 12 {
		put(i, 1)
	}
	for version := 2; version <= 12; version++ {
		for i := range 6 {
			put(i, version)
		}
		for i := 8; i < 10; i++ {
			id := fmt.Sprintf("doc-%d.md", i)
			if got, b := s.until("DELETE", "/v1/collections/c/documents/"+id, "", ""); got != 204 && got != 404 {
				s.t.Fatalf("delete: %d %s", got, b)
			}
			want[id] = ""
		}
		s.until("POST", "/v1/search", `{"query": "word1word", "collections": ["c"]}`, "")
	}
	return want
}

// converge waits until every job has ended well, and holds catalog, index and searches to what was acknowledged.
func (s *service) converge(want map[string]string) {
	s.t.Helper()
	started := time.Now()
	for ; ; time.Sleep(50 * time.Millisecond) {
		open := 0
		for _, status := range []string{"queued", "running"} {
			var jobs struct{ Data []struct{ ID string } }
			s.call("GET", "/v1/jobs?status="+status, nil, 200, &jobs)
			open += len(jobs.Data)
		}
		if open == 0 {
			break
		}
		if time.Since(started) > 90*time.Second {
			s.t.Fatalf("%d jobs are open 90 s after the last fault", open)
		}
	}
	converged := time.Since(started)
	// A document that is deleted while it is taken in fails its job; one whose five attempts all met a fault is retried by hand.
	var failed struct {
		Data []struct {
			ID        string
			Documents []struct {
				Error *struct{ Code string }
			}
		}
	}
	s.call("GET", "/v1/jobs?status=failed&limit=200", nil, 200, &failed)
	retried := 0
	for _, j := range slices.Backward(failed.Data) {
		if d := j.Documents[0]; d.Error != nil && d.Error.Code == "conflict" {
			continue
		}
		s.call("POST", "/v1/jobs/"+j.ID+"/retry", nil, 200, nil)
		s.call("GET", "/v1/jobs/"+j.ID+"?wait=60s", nil, 200, nil)
		retried++
	}
	orphans, holes := 0, 0
	for round := range 2 {
		err := s.app.ingest.Reconcile(s.t.Context(), round == 0, false, func(r rag.Reconciliation) error {
			if round == 0 {
				orphans, holes = r.Orphans, r.Holes
			} else if !r.Clean() || r.Points != r.Chunks {
				s.t.Errorf("after reconciling: %+v", r)
			}
			return nil
		})
		if err != nil {
			s.t.Fatal(err)
		}
	}
	if holes > 0 {
		s.t.Errorf("%d chunks were missing in the index", holes)
	}
	for id, state := range want {
		var d struct {
			Version int
			Chunks  int
		}
		if state == "" {
			if a := s.send("GET", "/v1/collections/c/documents/"+id, "", nil); a.status != 404 {
				s.t.Errorf("%s was deleted and is there: %d %s", id, a.status, a.body)
			}
			continue
		}
		s.call("GET", "/v1/collections/c/documents/"+id, nil, 200, &d)
		var found struct {
			Hits []struct {
				Document struct {
					ExternalID string `json:"external_id"`
				}
			}
		}
		s.call("POST", "/v1/search", map[string]any{"query": state, "collections": []string{"c"}, "mode": "lexical"}, 200, &found)
		if len(found.Hits) != 1 || found.Hits[0].Document.ExternalID != id {
			s.t.Errorf("%s: %q is found %+v", id, state, found.Hits)
		}
	}
	s.t.Logf("%d documents; all jobs had ended %s after the last fault, %d were retried by hand; reconciling removed %d orphans and filled %d holes",
		len(want), converged.Round(10*time.Millisecond), retried, orphans, holes)
}

// clean reports a collection on which index and catalog disagree.
func (s *service) clean(r rag.Reconciliation) error {
	if r.Holes > 0 || r.Missing {
		s.t.Errorf("the index lacks something: %+v", r)
	}
	return nil
}

func TestReconcile_MendsAnIndexThatLostAndKeptTooMuch(t *testing.T) {
	t.Parallel()
	q := qdrantserver.Start(t, "")
	environ := []string{"CATALOG=" + pgserver.URL(t), "INDEX=" + q.URL()}
	s := startService(t, environ...)
	s.call("POST", "/v1/collections", map[string]any{"name": "c"}, 201, nil)
	s.call("POST", "/v1/collections", map[string]any{"name": "gone"}, 201, nil)
	neighbour := startService(t, "CATALOG="+pgserver.URL(t), "INDEX="+q.URL()) // another installation on the same server
	neighbour.call("POST", "/v1/collections", map[string]any{"name": "c"}, 201, nil)
	neighbour.add("c", "a", "The neighbour's document tells of helium.", nil)
	s.add("c", "a", "The first document tells of oxygen.", nil)
	s.add("c", "b", "The second document tells of hydrogen.", nil)
	ids, err := s.app.index.Collections(t.Context())
	if err != nil || len(ids) != 2 {
		t.Fatalf("got %v, %v", ids, err)
	}
	c, err := s.app.catalog.Collection(t.Context(), "c")
	if err != nil {
		t.Fatal(err)
	}
	// A hole, an orphan, and a collection that only the index has.
	var some rag.ChunkID
	if err := s.app.catalog.EachChunkID(t.Context(), c.ID, func(p rag.PointRef) error { some = p.Chunk; return nil }); err != nil {
		t.Fatal(err)
	}
	if err := s.app.index.Delete(t.Context(), c.ID, []rag.ChunkID{some}); err != nil {
		t.Fatal(err)
	}
	orphan := rag.Point{ID: rag.NewChunkID("doc_x", "x", 0), Document: "doc_x", Embedding: make(rag.Embedding, c.Embedding.Dimensions)}
	orphan.Embedding[0] = 1
	if err := s.app.index.Upsert(t.Context(), c.ID, []rag.Point{orphan}); err != nil {
		t.Fatal(err)
	}
	if err := s.app.index.EnsureCollection(t.Context(), "col_leftover", 3); err != nil {
		t.Fatal(err)
	}
	command := func(args ...string) (int, string) {
		var out, errOut strings.Builder
		var env []string
		for _, e := range environ {
			env = append(env, "FOOTNOTE_"+e)
		}
		code := run(t.Context(), append([]string{"reconcile"}, args...), env, strings.NewReader(""), &out, &errOut)
		return code, out.String() + errOut.String()
	}
	if code, out := command("--check"); code != exitFailed || !strings.Contains(out, "1 orphans, 1 holes") || !strings.Contains(out, "leftover") {
		t.Errorf("check: %d\n%s", code, out)
	}
	if code, out := command("--fix"); code != exitOK {
		t.Errorf("fix: %d\n%s", code, out)
	}
	if code, out := command("--check", "--json"); code != exitOK || !strings.Contains(out, `"holes":0`) {
		t.Errorf("check again: %d\n%s", code, out)
	}
	// The whole collection is lost.
	if err := s.app.index.DropCollection(t.Context(), c.ID); err != nil {
		t.Fatal(err)
	}
	if a := s.send("POST", "/v1/search", "application/json", strings.NewReader(`{"query": "oxygen", "collections": ["c"]}`)); a.status != 503 || !strings.Contains(string(a.body), "reconcile") {
		t.Errorf("searching a collection that the index lost: %d %s", a.status, a.body)
	}
	if code, out := command("--fix"); code != exitOK || !strings.Contains(out, "the index lacks it") {
		t.Errorf("fix: %d\n%s", code, out)
	}
	if code, out := command("--rebuild"); code != exitOK || !strings.Contains(out, "2 written again") {
		t.Errorf("rebuild: %d\n%s", code, out)
	}
	var found struct {
		Hits []struct{ Chunk struct{ Text string } }
	}
	s.call("POST", "/v1/search", map[string]any{"query": "oxygen", "collections": []string{"c"}}, 200, &found)
	if len(found.Hits) != 2 || !strings.Contains(found.Hits[0].Chunk.Text, "oxygen") {
		t.Errorf("got %+v", found)
	}
}
