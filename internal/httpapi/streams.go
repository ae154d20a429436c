package httpapi

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime/debug"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"footnote/internal/rag"
)

// Streams holds answers that are streamed: while they are made, and for a while after, so that a reader whose connection broke goes on where it was.
// They are this process's own. Any number of goroutines may use it; Shutdown ends it.
type Streams struct {
	grace  time.Duration
	limits streamLimits
	work   sync.WaitGroup // of the streams' makers
	stop   chan struct{}  // closed when the service stops

	mu       sync.Mutex
	stopping bool
	byBase   map[int64]*stream
	byAnswer map[rag.AnswerID]*stream
	bytes    int // of all frames held

	gauges    []prometheus.Collector
	abandoned prometheus.Counter
	stalled   prometheus.Counter
	trimmed   prometheus.Counter
	resumes   *prometheus.CounterVec
	drops     *prometheus.CounterVec
}

// streamLimits bounds what is held.
type streamLimits struct {
	ping       time.Duration // between two comments of a silent stream
	stall      time.Duration // that a reader may let one write wait
	keep       time.Duration // of a finished stream
	window     int           // events that the maker may be ahead of the reader
	events     int           // held of one stream; the window at least
	bytes      int           // held of one stream, beyond what is not yet read
	perKey     int           // streams of one API key
	streams    int           // streams in all
	totalBytes int           // held in all, beyond what is not yet read
}

// The buffer of an answer is some 100 to 300 kB: its passages and, twice, the whole answer.
var defaultStreamLimits = streamLimits{
	ping: 10 * time.Second, stall: 30 * time.Second, keep: 2 * time.Minute, window: 64, events: 8192, bytes: 4 << 20, perKey: 256, streams: 1024, totalBytes: 64 << 20,
}

// DefaultStreamGrace is how long an answer is made on for a reader whose connection broke.
const DefaultStreamGrace = 3 * time.Second

// NewStreams makes an empty Streams. grace is how long an answer is made on when its reader is gone, for it may come back; 0: not at all.
func NewStreams(grace time.Duration) *Streams { return newStreams(grace, defaultStreamLimits) }

func newStreams(grace time.Duration, limits streamLimits) *Streams {
	s := &Streams{grace: grace, limits: limits, stop: make(chan struct{}), byBase: map[int64]*stream{}, byAnswer: map[rag.AnswerID]*stream{}}
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
	}
	s.abandoned = counter("footnote_stream_abandoned_total", "Streamed answers that were cancelled because their reader went away.")
	s.stalled = counter("footnote_stream_stalled_total", "Readers of streams that were cut because they took nothing for too long.")
	s.trimmed = counter("footnote_stream_trimmed_events_total", "Events that were read and are no longer held, for want of room.")
	s.resumes = prometheus.NewCounterVec(prometheus.CounterOpts{Name: "footnote_stream_resumes_total", Help: "Attempts to go on with a stream."}, []string{"outcome"})
	s.drops = prometheus.NewCounterVec(prometheus.CounterOpts{Name: "footnote_stream_dropped_total", Help: "Finished streams that are no longer held."}, []string{"reason"})
	held := func(name, help string, f func() int) {
		s.gauges = append(s.gauges, prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, func() float64 {
			s.mu.Lock()
			defer s.mu.Unlock()
			return float64(f())
		}))
	}
	held("footnote_streams", "Streams that are held, running or finished.", func() int { return len(s.byBase) })
	held("footnote_streams_running", "Streams whose answer is being made.", func() (n int) {
		for _, t := range s.byBase {
			if !t.done {
				n++
			}
		}
		return n
	})
	held("footnote_stream_buffer_bytes", "Bytes of events that are held.", func() int { return s.bytes })
	return s
}

func (s *Streams) collectors() []prometheus.Collector {
	return append(s.gauges, s.abandoned, s.stalled, s.trimmed, s.resumes, s.drops)
}

// begin makes a stream with its first reader; run must follow. cancel ends the work, describe tells of its error. RateLimited when the owner, or the service, has as many running as it may.
func (s *Streams) begin(owner rag.KeyID, body string, cancel context.CancelFunc, describe func(error) any) (*stream, *reader, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopping {
		return nil, nil, stoppingError()
	}
	mine := func(t *stream) bool { return t.owner == owner }
	all := func(*stream) bool { return true }
	if err := s.makeRoom(mine, s.limits.perKey, "key"); err != nil {
		return nil, nil, err
	}
	if err := s.makeRoom(all, s.limits.streams, "count"); err != nil {
		return nil, nil, err
	}
	t := &stream{answer: rag.NewAnswerID(), owner: owner, body: body, cancel: cancel, describe: describe, first: 1, next: 1, changed: make(chan struct{})}
	for t.base == 0 || s.byBase[t.base] != nil {
		t.base = rand.Int64N(1 << baseBits) // an id is no authorisation: the owner is checked
	}
	s.byBase[t.base], s.byAnswer[t.answer] = t, t
	s.work.Add(1)
	return t, s.attach(t, 0), nil
}

// makeRoom drops the oldest finished of the streams that which takes when there are as many as may be. RateLimited when none has finished.
func (s *Streams) makeRoom(which func(*stream) bool, limit int, reason string) error {
	n := 0
	for _, t := range s.byBase {
		if which(t) {
			n++
		}
	}
	if n < limit {
		return nil
	}
	if oldest := s.oldestFinished(which); oldest != nil {
		s.drop(oldest, reason)
		return nil
	}
	e := rag.Errorf(rag.RateLimited, "%d answers are being streamed, as many as may be at a time; ask again when one has ended, or without stream.", n)
	e.RetryAfter = time.Second
	return e
}

// missing is NotFound, in the same words whether the stream is another's, is no longer held, or never was.
func (s *Streams) missing() error {
	s.resumes.WithLabelValues("unknown").Inc()
	return rag.Errorf(rag.NotFound, "There is no such stream to go on with: it is held for some minutes, by the process that began it. Ask anew, without Last-Event-ID.")
}

// resume finds the owner's stream that has the event last, of the answer when one is named, and makes the caller its reader from there on.
// NotFound otherwise; 422 when the stream answers another body than this, unless body is empty. rd is nil when the stream has ended and has nothing after last.
func (s *Streams) resume(owner rag.KeyID, answer rag.AnswerID, last int64, body string) (t *stream, rd *reader, after int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if last > 0 {
		t, after = s.byBase[last>>placeBits], int(last&(1<<placeBits-1))
	} else if last == 0 && answer != "" {
		t = s.byAnswer[answer] // from the beginning
	}
	switch {
	case t == nil || t.owner != owner || answer != "" && t.answer != answer || after < t.first-1 || after >= t.next || after == 0 && last > 0:
		return nil, nil, 0, s.missing()
	case body != "" && body != t.body:
		s.resumes.WithLabelValues("other_body").Inc()
		return nil, nil, 0, rag.Errorf(otherBody, "The stream with this Last-Event-ID answers another body; send that body to go on with it, or leave Last-Event-ID out to ask anew.")
	}
	s.resumes.WithLabelValues("resumed").Inc()
	if t.done && after == t.next-1 {
		return t, nil, after, nil
	}
	return t, s.attach(t, after), after, nil
}

// run makes t's answer, which begin began, in a goroutine that Shutdown waits for.
func (s *Streams) run(ctx context.Context, t *stream, work func(ctx context.Context) error) {
	go func() {
		defer s.work.Done()
		defer t.cancel()
		s.finish(t, guarded(ctx, work))
	}()
}

// guarded makes an error of a panic: no handler stands above a stream's goroutine, and the process is to live on.
func guarded(ctx context.Context, work func(ctx context.Context) error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("panic: %v\n%s", v, debug.Stack())
		}
	}()
	return work(ctx)
}

// oldestFinished is the stream that ended first of those that which takes and nobody reads; nil when there is none.
func (s *Streams) oldestFinished(which func(*stream) bool) (oldest *stream) {
	for _, t := range s.byBase {
		if t.done && t.reader == nil && which(t) && (oldest == nil || t.ended.Before(oldest.ended)) {
			oldest = t
		}
	}
	return oldest
}

// drop forgets a stream. reason is counted, unless empty.
func (s *Streams) drop(t *stream, reason string) {
	if s.byBase[t.base] != t {
		return
	}
	delete(s.byBase, t.base)
	delete(s.byAnswer, t.answer)
	s.bytes -= t.bytes
	t.stopTimer()
	if reason != "" {
		s.drops.WithLabelValues(reason).Inc()
	}
}

// forget drops a finished stream whose time is over, later when it is still read.
func (s *Streams) forget(t *stream) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if t.reader != nil {
		t.timer = time.AfterFunc(s.limits.keep, func() { s.forget(t) })
		return
	}
	s.drop(t, "age")
}

func stoppingError() *rag.Error {
	e := rag.Errorf(rag.Unavailable, "The service is stopping; ask anew.")
	e.RetryAfter = time.Second
	return e
}

// Shutdown refuses new streams, gives running ones until ctx's end to finish, ends the rest with an error event that says to ask anew, and returns
// when nothing runs any more. It may be called again, with less patience.
func (s *Streams) Shutdown(ctx context.Context) {
	s.mu.Lock()
	if !s.stopping {
		s.stopping = true
		close(s.stop)
	}
	s.mu.Unlock()
	idle := make(chan struct{})
	go func() {
		s.work.Wait()
		close(idle)
	}()
	select {
	case <-idle:
	case <-ctx.Done():
		s.mu.Lock()
		running := []*stream{}
		for _, t := range s.byBase {
			if !t.done {
				running = append(running, t)
			}
		}
		s.mu.Unlock()
		for _, t := range running {
			s.finish(t, stoppingError())
			t.cancel()
		}
		<-idle
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range s.byBase {
		t.stopTimer()
	}
}
