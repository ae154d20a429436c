package httpapi

import (
	"context"
	"net/http"
	"time"

	"footnote/internal/rag"
)

// watchJob tells of a job's changes until it has ended. An event holds the whole job, so nothing need be kept for a reader that comes back: it is told how
// the job stands now, unless it has seen its end.
func (s *server) watchJob(w http.ResponseWriter, r *http.Request) error {
	j, name, err := s.job(r)
	if err != nil {
		return err
	}
	last, _ := lastEventID(r)
	if last >= 1<<53 {
		last = 0 // it is none of ours
	}
	if j.Status.Final() && last >= jobEventID(j, 0) && last&1 == 1 {
		w.WriteHeader(http.StatusNoContent) // an EventSource that comes back after the end stays away at that
		return nil
	}
	ctx, cancel := context.WithCancel(r.Context())
	changes, ended := make(chan rag.Job), make(chan error, 1) // ended takes one error, which must not wait for the reader
	go func() {
		defer close(changes)
		ended <- s.o.Ingest.Watch(ctx, j.ID, func(j rag.Job) error {
			select {
			case changes <- j:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
	}()
	defer func() {
		cancel()
		for range changes { // until the goroutine has ended
		}
	}()
	limits := s.o.Streams.limits
	out := startEvents(w, limits.stall)
	send := func(name string, data any) error {
		b, err := encodeEvent(data)
		if err == nil {
			err = out.write(frame(last, name, b))
		}
		return err
	}
	pings := time.NewTicker(limits.ping)
	defer pings.Stop()
	for {
		var err error
		select {
		case j, open := <-changes:
			if !open {
				if err := <-ended; err != nil && r.Context().Err() == nil {
					last += 2
					return send("error", describe(err, requestID(r)))
				}
				return nil
			}
			last = jobEventID(j, last)
			err = send("job", wireJob(j, name))
		case <-s.o.Streams.stop:
			last += 2
			return send("error", describe(stoppingError(), requestID(r)))
		case <-pings.C:
			err = out.write(ping)
		}
		if err != nil {
			return s.gone(r, err)
		}
	}
}

// jobEventID is the id of the event that tells how j stands: twice the microsecond of its last change, and one more when it has ended, so that any replica
// knows from an id what its reader has seen. It is more than last, for a document may be published without a change of the job's own. It stays below 2^53 until 2112.
func jobEventID(j rag.Job, last int64) int64 {
	id := max(j.UpdatedAt.UnixMicro(), last/2+1) * 2
	if j.Status.Final() {
		id++
	}
	return id
}
