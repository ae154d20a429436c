package e2e

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	pgserver "footnote/internal/servertest/postgres"
	qdrantserver "footnote/internal/servertest/qdrant"
)

// replicas are processes on one Postgres and one Qdrant, as behind a load balancer.
type replicas struct {
	t        testing.TB
	settings []string
	at       [2]atomic.Pointer[process]
	next     atomic.Int64
}

func startReplicas(t testing.TB, settings ...string) *replicas {
	t.Helper()
	r := &replicas{t: t, settings: settings}
	for i := range r.at {
		r.at[i].Store(begin(t, t.TempDir(), "", settings...)) // together: their migrations must not collide
	}
	for i := range r.at {
		p := r.at[i].Load()
		p.await(t)
		if p.base == "" {
			t.Fatal("a replica died while it started")
		}
	}
	return r
}

// do sends a request to the next replica, as a load balancer would.
func (r *replicas) do(method, path string, in, out any, header ...string) int {
	return r.at[r.next.Add(1)%2].Load().do(method, path, in, out, header...)
}

// moment is an answer that was no good, and when it came.
type moment struct {
	at   time.Time
	what string
}

// window is the time from the first to the last moment in [from, to), and how many there were.
func window(bad []moment, from, to time.Time) (n int, d time.Duration) {
	var first, last time.Time
	for _, m := range bad {
		if m.at.Before(from) || !m.at.Before(to) {
			continue
		}
		if n == 0 {
			first = m.at
		}
		n, last = n+1, m.at
	}
	return n, last.Sub(first)
}

// Two replicas work under load while Postgres is restarted, one of them is killed with a job in hand, and Qdrant is restarted. Every acknowledged document is there once, and after the
// recovery there is no more 5xx.
func TestReplicas_SurviveWhatBreaksBelowThem(t *testing.T) {
	t.Parallel()
	pg, err := pgserver.Start()
	if err != nil {
		pgserver.Unavailable(t, err)
	}
	t.Cleanup(pg.Close)
	q := qdrantserver.Start(t, "")
	r := startReplicas(t, "FOOTNOTE_CATALOG="+pg.Database(t), "FOOTNOTE_INDEX="+q.URL(), "FOOTNOTE_JOB_LEASE=2s")
	if got := r.do("POST", "/v1/collections", map[string]any{"name": "c"}, nil); got != 201 {
		t.Fatalf("make the collection: %d", got)
	}
	if got := r.do("POST", "/v1/collections/c/documents?wait=30s", map[string]any{"external_id": "steady", "text": "The steady document tells of oxygen."}, nil); got != 200 {
		t.Fatalf("take one in: %d", got)
	}

	ctx, stop := context.WithCancel(t.Context())
	var load sync.WaitGroup
	var mu sync.Mutex
	var bad []moment
	acknowledged := map[string]string{}
	requests := 0
	note := func(what string, status int) {
		mu.Lock()
		defer mu.Unlock()
		requests++
		if status == 0 || status >= 500 {
			bad = append(bad, moment{time.Now(), fmt.Sprintf("%s: %d", what, status)})
		}
	}
	for writer := range 2 {
		load.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				id := fmt.Sprintf("doc-%d-%d", writer, n)
				text := fmt.Sprintf("Document word%dx%dword tells of 事件%d. It has two sentences.", writer, n, n)
				for ctx.Err() == nil { // until it is acknowledged
					got := r.do("POST", "/v1/collections/c/documents", map[string]any{"external_id": id, "text": text}, nil, "Idempotency-Key", id)
					note("submit", got)
					if got == 202 {
						mu.Lock()
						acknowledged[id] = fmt.Sprintf("word%dx%dword", writer, n)
						mu.Unlock()
						break
					}
					time.Sleep(20 * time.Millisecond)
				}
				time.Sleep(30 * time.Millisecond) // a load, not a flood
			}
		})
	}
	load.Go(func() {
		for ctx.Err() == nil {
			var found struct {
				Hits []struct{ Chunk struct{ Text string } }
			}
			got := r.do("POST", "/v1/search", map[string]any{"query": "oxygen", "collections": []string{"c"}, "top_k": 1}, &found)
			note("search", got)
			if got == 200 && (len(found.Hits) != 1 || !strings.Contains(found.Hits[0].Chunk.Text, "oxygen")) {
				t.Errorf("a search found %+v", found)
			}
			time.Sleep(10 * time.Millisecond)
		}
	})
	type event struct {
		name       string
		began, end time.Time
	}
	var events []event
	happen := func(name string, f func()) {
		time.Sleep(1500 * time.Millisecond) // the load runs undisturbed in between
		e := event{name: name, began: time.Now()}
		f()
		e.end = time.Now()
		events = append(events, e)
	}
	happen("Postgres restarted", func() {
		pg.Stop()
		time.Sleep(500 * time.Millisecond)
		if err := pg.Restart(); err != nil {
			t.Error(err)
		}
	})
	happen("one replica killed and started again", func() {
		r.at[0].Load().kill()
		p := begin(t, t.TempDir(), "", r.settings...)
		p.await(t)
		r.at[0].Store(p)
	})
	happen("Qdrant restarted", func() {
		q.Stop()
		time.Sleep(500 * time.Millisecond)
		if err := q.Restart(); err != nil {
			t.Error(err)
		}
	})
	time.Sleep(5 * time.Second) // what an outage may leave behind has had its time
	settled := time.Now()
	time.Sleep(3 * time.Second)
	stop()
	load.Wait()

	for i, e := range events {
		until := settled
		if i+1 < len(events) {
			until = events[i+1].began
		}
		n, d := window(bad, e.began, until)
		recovery := time.Duration(0)
		for _, m := range bad {
			if m.at.After(e.end) && m.at.Before(until) {
				recovery = m.at.Sub(e.end)
			}
		}
		t.Logf("%s (took %s): %d failed requests within %s; the last one %s after it was back", e.name, e.end.Sub(e.began).Round(time.Millisecond), n, d.Round(time.Millisecond), recovery.Round(time.Millisecond))
	}
	if n, _ := window(bad, settled, time.Now()); n > 0 {
		t.Errorf("%d requests failed after the recovery: %+v", n, bad[len(bad)-min(n, 5):])
	}
	drain(t, r.at[0].Load())
	lost := 0
	for id, word := range acknowledged {
		var found struct {
			Hits []struct {
				Document struct {
					ExternalID string `json:"external_id"`
				}
			}
		}
		if got := r.do("POST", "/v1/search", map[string]any{"query": word, "collections": []string{"c"}, "mode": "lexical"}, &found); got != 200 || len(found.Hits) != 1 || found.Hits[0].Document.ExternalID != id {
			lost++
			t.Errorf("%s: %d, %+v", id, got, found)
		}
	}
	if len(acknowledged) < 50 {
		t.Errorf("only %d documents were acknowledged: that was no load", len(acknowledged))
	}
	t.Logf("%d requests, %d of them failed; %d documents acknowledged, %d lost or doubled", requests, len(bad), len(acknowledged), lost)
}

// answer is the part of an answer, or of a search, that must be the same in both modes: whatever does not depend on random ids.
type answer struct {
	Status    string
	Text      string
	Citations []struct {
		Marker   int
		Document struct {
			ExternalID string `json:"external_id"`
		}
		SourceSpan struct{ Start, End int } `json:"source_span"`
		Quote      string
		Verified   bool
	}
}

type hits struct {
	Hits []struct {
		Document struct {
			ExternalID string `json:"external_id"`
		}
		Chunk struct{ Ordinal int }
	}
}

// The same questions, asked of the same documents in both modes, get the same ten passages in the same order and the same answers with the same citations.
func TestModes_AnswerAlike(t *testing.T) {
	t.Parallel()
	documents, questions := sample(t)
	modes := []*process{start(t, t.TempDir(), ""), start(t, t.TempDir(), "", production(t)...)}
	var ready sync.WaitGroup
	for _, p := range modes {
		ready.Go(func() {
			if got := p.do("POST", "/v1/collections", map[string]any{"name": "c"}, nil); got != 201 {
				t.Errorf("make the collection: %d", got)
			}
			for _, d := range documents {
				if got := p.do("POST", "/v1/collections/c/documents", map[string]any{"external_id": d.ID, "title": d.Title, "text": d.Text}, nil); got != 202 {
					t.Errorf("take %s in: %d", d.ID, got)
				}
			}
			drainWithin(t, p, 5*time.Minute)
		})
	}
	ready.Wait()
	different, answered := 0, 0
	for _, question := range questions {
		var found [2]hits
		var given [2]answer
		for i, p := range modes {
			if got := p.do("POST", "/v1/search", map[string]any{"query": question, "collections": []string{"c"}, "top_k": 10}, &found[i]); got != http.StatusOK {
				t.Fatalf("search: %d", got)
			}
			if got := p.do("POST", "/v1/query", map[string]any{"query": question, "collections": []string{"c"}}, &given[i]); got != http.StatusOK {
				t.Fatalf("query: %d", got)
			}
		}
		if !slices.Equal(found[0].Hits, found[1].Hits) {
			different++
			t.Errorf("%s: embedded finds %+v, production %+v", question, found[0].Hits, found[1].Hits)
		}
		if given[0].Status != given[1].Status || given[0].Text != given[1].Text || !slices.Equal(given[0].Citations, given[1].Citations) {
			different++
			t.Errorf("%s: embedded answers %+v, production %+v", question, given[0], given[1])
		}
		if given[0].Status == "answered" {
			answered++
		}
	}
	if answered < len(questions)/2 {
		t.Errorf("only %d of %d questions were answered: the comparison says little", answered, len(questions))
	}
	t.Logf("%d questions of %d documents: %d answered, %d differences", len(questions), len(documents), answered, different)
}
