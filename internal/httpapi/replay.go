package httpapi

import (
	"context"
	"errors"
	"time"

	"footnote/internal/rag"
)

// An event's id names its stream and its place in it: base·2^placeBits + n, n from 1. Ids of a stream rise by one, and are below 2^53, so that
// JavaScript's numbers hold them.
const (
	placeBits = 17
	baseBits  = 53 - placeBits
	maxPlace  = 1<<placeBits - 2 // the last place is kept for the error that says that there are no more
)

// stream is an answer in the making, or one that ended lately: its events, and who reads them. All but the fields of its beginning are guarded by
// Streams.mu.
type stream struct {
	base   int64
	answer rag.AnswerID
	owner  rag.KeyID
	body   string // hash of the request's
	cancel context.CancelFunc

	describe func(error) any // what an error event says

	frames  [][]byte // of the places first … next-1
	first   int
	next    int
	bytes   int // of frames
	taken   int // place of the last event that the reader was handed
	handed  int // the furthest that any reader was handed
	reader  *reader
	changed chan struct{} // closed, and another made, when anything here changes
	done    bool          // no event follows
	err     error         // it ended before its first event
	ended   time.Time
	timer   *time.Timer // until nobody has come back, or until a finished stream is forgotten
}

// reader is a connection that events are written to. A stream has one: when a second comes, the first is most likely dead and does not know it yet.
type reader struct{ from int } // the place that it goes on after

var (
	errAbandoned = errors.New("nobody reads the stream any more")
	errEnded     = errors.New("the stream has ended")
)

func (t *stream) id(place int) int64 { return t.base<<placeBits | int64(place) }

// announce wakes whoever waits for a change.
func (t *stream) announce() {
	close(t.changed)
	t.changed = make(chan struct{})
}

func (t *stream) stopTimer() {
	if t.timer != nil {
		t.timer.Stop()
		t.timer = nil
	}
}

// emit appends an event. It waits while the reader, or the one that may come back, is window events behind; ctx or the stream's end end that.
func (s *Streams) emit(ctx context.Context, t *stream, name string, data any) error {
	b, err := encodeEvent(data)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for !t.done && t.next-1-t.taken >= s.limits.window {
		changed := t.changed
		s.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
		}
		s.mu.Lock()
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	if t.done {
		return errEnded
	}
	if t.next > maxPlace {
		return rag.Errorf(rag.BadUpstream, "The answer came in more than %d pieces and was stopped.", maxPlace)
	}
	s.push(t, name, b)
	return nil
}

// push appends without waiting.
func (s *Streams) push(t *stream, name string, data []byte) {
	f := frame(t.id(t.next), name, data)
	t.frames = append(t.frames, f)
	t.next++
	t.bytes += len(f)
	s.bytes += len(f)
	s.trim(t)
	t.announce()
}

// trim keeps what is held within its bounds: finished streams go first, the oldest before others, then what t's reader has taken.
func (s *Streams) trim(t *stream) {
	for s.bytes > s.limits.totalBytes {
		oldest := s.oldestFinished(func(*stream) bool { return true })
		if oldest == nil {
			break
		}
		s.drop(oldest, "memory")
	}
	for t.first <= t.taken && (len(t.frames) > s.limits.events || t.bytes > s.limits.bytes || s.bytes > s.limits.totalBytes) {
		n := len(t.frames[0])
		t.frames[0] = nil
		t.frames = t.frames[1:]
		t.first++
		t.bytes -= n
		s.bytes -= n
		s.trimmed.Inc()
	}
}

// finish ends a stream: with nothing, with an error event, or, before its first event, with err itself, which is no stream then.
func (s *Streams) finish(t *stream, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if t.done {
		return
	}
	switch {
	case err != nil && t.next == 1:
		t.err = err
		t.done = true
		s.drop(t, "")
		t.announce()
		return
	case err != nil:
		b, encodeErr := encodeEvent(t.describe(err))
		if encodeErr == nil {
			s.push(t, "error", b)
		}
	}
	t.done, t.ended = true, time.Now()
	t.stopTimer()
	t.timer = time.AfterFunc(s.limits.keep, func() { s.forget(t) })
	t.announce()
}

// look returns up to batch frames after a place, and whether all were handed out that will ever come; changed is closed when looking again is worth it.
func (s *Streams) look(t *stream, rd *reader, after int) (frames [][]byte, done bool, changed <-chan struct{}, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case t.err != nil:
		return nil, true, nil, t.err
	case t.reader != rd:
		return nil, true, nil, nil // what it has not read may be gone
	}
	waiting := t.frames[after-t.first+1:]
	frames = waiting[:min(len(waiting), batch)]
	return frames, t.done && len(frames) == len(waiting), t.changed, nil
}

// batch is how many events are written between two notes of how far the reader is.
const batch = 16

// took notes how far rd is.
func (s *Streams) took(t *stream, rd *reader, place int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if t.reader == rd {
		t.taken, t.handed = place, max(t.handed, place)
		if s.byBase[t.base] == t {
			s.trim(t)
		}
		t.announce()
	}
}

// attach makes rd's connection the reader, after a place.
func (s *Streams) attach(t *stream, after int) *reader {
	t.reader = &reader{after}
	t.taken = after
	if !t.done {
		t.stopTimer()
	}
	t.announce() // the reader before, too, finds that it is none any more
	return t.reader
}

// detach ends rd's connection. When nobody reads a stream that goes on, it is cancelled after the grace, at once when there is none, or when its reader
// cannot come back for want of an id.
func (s *Streams) detach(t *stream, rd *reader) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if t.reader != rd {
		return
	}
	t.reader = nil
	if t.done {
		return
	}
	if s.grace == 0 || t.handed == 0 {
		s.abandon(t)
		return
	}
	t.timer = time.AfterFunc(s.grace, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if t.reader == nil && !t.done {
			s.abandon(t)
		}
	})
}

// abandon cancels a stream that nobody reads.
func (s *Streams) abandon(t *stream) {
	t.done, t.err = true, errAbandoned
	s.drop(t, "")
	s.abandoned.Inc()
	t.cancel()
	t.announce()
}
