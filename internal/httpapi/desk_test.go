package httpapi

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"footnote/internal/rag"
)

// answerFunc is an Answer that does what a test says.
type answerFunc func(ctx context.Context, q rag.Question, emit func(rag.Event) error) (rag.Answer, error)

func (f answerFunc) Answer(ctx context.Context, q rag.Question, emit func(rag.Event) error) (rag.Answer, error) {
	return f(ctx, q, emit)
}

func (f answerFunc) Citation(context.Context, rag.CitationID) (rag.Permalink, error) {
	return rag.Permalink{}, rag.CitationMissing()
}

func (f answerFunc) Ground(context.Context, rag.GroundRequest) (rag.Grounding, error) {
	return rag.Grounding{}, rag.Errorf(rag.Unsupported, "Nothing is grounded here.")
}

// wordByWord answers with n words, each after a step of the clock; it keeps account of how far it is and of what ended it.
type wordByWord struct {
	n    int
	step time.Duration

	mu    sync.Mutex
	said  int
	ended error
	over  bool
}

func (a *wordByWord) answer(ctx context.Context, q rag.Question, emit func(rag.Event) error) (out rag.Answer, err error) {
	defer func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.ended, a.over = err, true
	}()
	out = rag.Answer{ID: q.ID, Status: rag.Answered, Model: "words", Language: "en"}
	if err := emit(rag.Event{Kind: rag.EventRetrieved}); err != nil {
		return out, err
	}
	for i := range a.n {
		select {
		case <-ctx.Done():
			return out, ctx.Err()
		case <-time.After(a.step):
		}
		word := fmt.Sprintf("word%d ", i)
		out.Text += word
		if err := emit(rag.Event{Kind: rag.EventDelta, Delta: word}); err != nil {
			return out, err
		}
		a.mu.Lock()
		a.said++
		a.mu.Unlock()
	}
	return out, emit(rag.Event{Kind: rag.EventGrounded, Answer: &out})
}

func (a *wordByWord) state() (said int, over bool, ended error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.said, a.over, a.ended
}

// desk is a handler with streams, and the connections to it.
type desk struct {
	t        *testing.T
	h        http.Handler
	streams  *Streams
	registry *prometheus.Registry
}

func newDesk(t *testing.T, grace time.Duration, change func(*streamLimits), answer answerFunc) *desk {
	t.Helper()
	limits := defaultStreamLimits
	if change != nil {
		change(&limits)
	}
	d := &desk{t: t, streams: newStreams(grace, limits), registry: prometheus.NewRegistry()}
	d.h = New(Options{Registry: d.registry, Logger: slog.New(slog.DiscardHandler), Answer: answer, Streams: d.streams})
	return d
}

// counted is the value of a counter, of those with a label of that value, when one is named.
func (d *desk) counted(name, label string) float64 {
	d.t.Helper()
	families, err := d.registry.Gather()
	if err != nil {
		d.t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if f.GetName() == name && (label == "" || len(m.GetLabel()) == 1 && m.GetLabel()[0].GetValue() == label) {
				return m.GetCounter().GetValue()
			}
		}
	}
	return 0
}

// close ends what still runs; tests in a bubble end with it, for every goroutine of the bubble must end.
func (d *desk) close() {
	now, cancel := context.WithCancel(context.Background())
	cancel()
	d.streams.Shutdown(now)
}

// connection is a request in the making, as its client sees it.
type connection struct {
	header http.Header
	gone   context.CancelFunc
	over   chan struct{} // closed when the handler has returned

	mu       sync.Mutex
	status   int
	body     bytes.Buffer
	deadline time.Time
	dam      chan struct{} // not nil: a write waits until it is closed, or for the deadline
}

func (c *connection) Header() http.Header { return c.header }

func (c *connection) WriteHeader(status int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.status == 0 {
		c.status = status
	}
}

func (c *connection) Write(b []byte) (int, error) {
	c.WriteHeader(http.StatusOK)
	c.mu.Lock()
	dam, deadline := c.dam, c.deadline
	c.mu.Unlock()
	if dam != nil {
		timer := time.NewTimer(time.Until(deadline))
		defer timer.Stop()
		select {
		case <-dam:
		case <-timer.C:
			return 0, os.ErrDeadlineExceeded
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.body.Write(b)
}

func (c *connection) SetWriteDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.deadline = t
	return nil
}

func (c *connection) Flush() {}

// stall makes the client take nothing from now on; the returned function makes it go on.
func (c *connection) stall() (release func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	dam := make(chan struct{})
	c.dam = dam
	return func() {
		c.mu.Lock()
		c.dam = nil
		c.mu.Unlock()
		close(dam)
	}
}

func (c *connection) text() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.body.String()
}

func (c *connection) code() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.status
}

// ended tells whether the handler has returned.
func (c *connection) ended() bool {
	select {
	case <-c.over:
		return true
	default:
		return false
	}
}

type seenEvent struct {
	id   int64
	name string
	data string
}

// events are the whole events that the client has.
func (c *connection) events() (out []seenEvent) {
	blocks := strings.Split(c.text(), "\n\n")
	for _, b := range blocks[:len(blocks)-1] {
		var e seenEvent
		for line := range strings.Lines(b) {
			key, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
			switch key {
			case "id":
				e.id, _ = strconv.ParseInt(value, 10, 64)
			case "event":
				e.name = value
			case "data":
				e.data = value
			}
		}
		if e.name != "" {
			out = append(out, e)
		}
	}
	return out
}

const question = `{"query": "How long is parental leave?", "collections": ["handbook"], "stream": true}`

// open sends a request as a key; headers are names and values.
func (d *desk) open(key rag.KeyID, method, path, body string, headers ...string) *connection {
	d.t.Helper()
	ctx, gone := context.WithCancel(context.WithValue(context.Background(), principalKey{}, rag.APIKey{ID: key, Scope: rag.ScopeRead}))
	c := &connection{header: http.Header{}, gone: gone, over: make(chan struct{})}
	r := httptest.NewRequestWithContext(ctx, method, path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	go func() {
		defer close(c.over)
		defer gone()
		d.h.ServeHTTP(c, r)
	}()
	return c
}

func (d *desk) ask(headers ...string) *connection {
	d.t.Helper()
	return d.open("key_a", "POST", "/v1/query", question, headers...)
}

// answerID is the id that a stream's first event gives.
func (c *connection) answerID(t *testing.T) string {
	t.Helper()
	var created struct{ ID, Query string }
	if err := json.Unmarshal([]byte(c.events()[0].data), &created); err != nil || !strings.HasPrefix(created.ID, "ans_") {
		t.Fatalf("got %v %+v", err, created)
	}
	return created.ID
}

func last(events []seenEvent) seenEvent { return events[len(events)-1] }

func idOf(e seenEvent) string { return strconv.FormatInt(e.id, 10) }

func names(events []seenEvent) string {
	var out []string
	for _, e := range events {
		out = append(out, e.name)
	}
	return strings.Join(out, " ")
}
