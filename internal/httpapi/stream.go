package httpapi

import (
	"context"
	"errors"
	"net/http"
	"os"
	"time"

	"footnote/internal/rag"
)

// stream answers in events, or goes on with an answer that is being streamed. Until the first step is done an error is still a plain problem with its
// own status.
func (s *server) stream(w http.ResponseWriter, r *http.Request, q rag.Question, bodyHash string) error {
	if r.Header.Get("Idempotency-Key") != "" {
		return rag.Errorf(rag.Invalid, "A streamed answer takes no Idempotency-Key: a stream that broke goes on with Last-Event-ID. Leave the header out, or stream.")
	}
	owner := principal(r).ID
	if last, sent := lastEventID(r); sent {
		if last == 0 {
			last = -1 // no event has the number 0
		}
		t, rd, after, err := s.o.Streams.resume(owner, "", last, bodyHash)
		if err != nil {
			return err
		}
		return s.follow(w, r, t, rd, after)
	}
	// The work outlives the request for as long as its reader may come back; Streams ends it.
	ctx, cancel := context.WithCancel(context.WithoutCancel(r.Context()))
	t, rd, err := s.o.Streams.begin(owner, bodyHash, cancel, func(err error) any { return describe(err, requestID(r)) })
	if err != nil {
		cancel()
		return err
	}
	q.ID = t.answer
	s.o.Streams.run(ctx, t, func(ctx context.Context) error {
		err := s.answerInto(ctx, t, q)
		if err != nil && ctx.Err() == nil {
			s.o.Logger.Error("stream failed", "request_id", requestID(r), "code", rag.CodeOf(err), "error", err)
		}
		return err
	})
	return s.follow(w, r, t, rd, 0)
}

// answerInto makes the events of an answer.
func (s *server) answerInto(ctx context.Context, t *stream, q rag.Question) error {
	created := false
	emit := func(name string, data any) error { return s.o.Streams.emit(ctx, t, name, data) }
	a, err := s.o.Answer.Answer(ctx, q, func(e rag.Event) error {
		if !created {
			created = true
			if err := emit("response.created", map[string]any{"id": t.answer, "query": q.Text}); err != nil {
				return err
			}
		}
		switch e.Kind {
		case rag.EventRetrieved:
			return emit(string(e.Kind), map[string]any{"passages": wirePassages(e.Passages)})
		case rag.EventDelta:
			return emit(string(e.Kind), map[string]any{"text": e.Delta})
		case rag.EventCitation:
			return emit(string(e.Kind), map[string]any{"citation": wireCitation(*e.Citation)})
		case rag.EventGrounded:
			return emit(string(e.Kind), wireAnswer(*e.Answer))
		}
		return nil
	})
	if err != nil {
		return err
	}
	return emit("response.completed", wireAnswer(a))
}

// watchAnswer goes on with an answer that is being streamed, or was lately: after Last-Event-ID, or from its beginning.
func (s *server) watchAnswer(w http.ResponseWriter, r *http.Request) error {
	id, err := pathValue(r, "answer")
	if err != nil {
		return err
	}
	last, sent := lastEventID(r)
	if sent && last == 0 {
		last = -1
	}
	t, rd, after, err := s.o.Streams.resume(principal(r).ID, rag.AnswerID(id), last, "")
	if err != nil {
		return err
	}
	if rd == nil {
		w.WriteHeader(http.StatusNoContent) // an EventSource that comes back after the end stays away at that
		return nil
	}
	return s.follow(w, r, t, rd, after)
}

// follow writes a stream's events after a place until its end. rd is nil when there are none.
func (s *server) follow(w http.ResponseWriter, r *http.Request, t *stream, rd *reader, after int) error {
	if rd == nil {
		startEvents(w, s.o.Streams.limits.stall)
		return nil
	}
	defer s.o.Streams.detach(t, rd)
	var out *eventWriter
	if after > 0 {
		out = startEvents(w, s.o.Streams.limits.stall) // whoever comes back is told at once that it may, though the next event be far off
	}
	pings := time.NewTicker(s.o.Streams.limits.ping)
	defer pings.Stop()
	for {
		frames, done, changed, err := s.o.Streams.look(t, rd, after)
		if err != nil && out == nil {
			return err
		}
		if len(frames) > 0 {
			if out == nil {
				out = startEvents(w, s.o.Streams.limits.stall)
			}
			if err := out.write(frames...); err != nil {
				return s.gone(r, err)
			}
			after += len(frames)
			s.o.Streams.took(t, rd, after)
		}
		if done {
			return nil
		}
		if len(frames) > 0 {
			continue
		}
		select {
		case <-changed:
		case <-r.Context().Done():
			if out == nil {
				return r.Context().Err()
			}
			return nil
		case <-pings.C:
			if out == nil {
				continue // no status has been sent yet, and it may be that of a problem
			}
			if err := out.write(ping); err != nil {
				return s.gone(r, err)
			}
		}
	}
}

// gone notes why a reader was given up. That is no failure of the request's.
func (s *server) gone(r *http.Request, err error) error {
	stalled := errors.Is(err, os.ErrDeadlineExceeded)
	if stalled {
		s.o.Streams.stalled.Inc()
	}
	s.o.Logger.Debug("the reader of a stream is gone", "request_id", requestID(r), "stalled", stalled, "error", err)
	return nil
}
