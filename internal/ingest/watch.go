package ingest

import (
	"context"
	"reflect"
	"sync"
	"time"

	"footnote/internal/rag"
)

// bell tells waiters in this process that some job has changed.
type bell struct {
	mu sync.Mutex
	c  chan struct{}
}

// heard returns a channel that the next ring closes.
func (b *bell) heard() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.c == nil {
		b.c = make(chan struct{})
	}
	return b.c
}

func (b *bell) ring() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.c != nil {
		close(b.c)
		b.c = nil
	}
}

// pollInterval is how often jobs are looked at that another process may have changed.
const pollInterval = time.Second

// pause waits until heard is closed, the poll interval has passed or ctx ends.
func pause(ctx context.Context, heard <-chan struct{}) error {
	t := time.NewTimer(pollInterval)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-heard:
	case <-t.C:
	}
	return nil
}

// Watch calls emit with the job as it is and then whenever it has changed, until it is final, ctx ends or emit fails.
func (s *Service) Watch(ctx context.Context, id rag.JobID, emit func(rag.Job) error) error {
	var last rag.Job
	for first := true; ; first = false {
		heard := s.bell.heard() // before the look, so that no change falls between
		job, err := s.o.Catalog.Job(ctx, id)
		if err != nil {
			return err
		}
		if first || !reflect.DeepEqual(job, last) {
			last = job
			if err := emit(job); err != nil {
				return err
			}
		}
		if job.Status.Final() {
			return nil
		}
		if err := pause(ctx, heard); err != nil {
			return err
		}
	}
}

// Wait returns the job when it is final; when ctx ends before, the job as it was last seen, and ctx's error.
func (s *Service) Wait(ctx context.Context, id rag.JobID) (rag.Job, error) {
	var last rag.Job
	err := s.Watch(ctx, id, func(j rag.Job) error {
		last = j
		return nil
	})
	return last, err
}

// Cancel ends a queued or running job; documents that it has published stay. Errors: rag.NotFound; rag.Conflict when it has ended.
func (s *Service) Cancel(ctx context.Context, id rag.JobID) (rag.Job, error) {
	defer s.bell.ring()
	return s.o.Catalog.CancelJob(ctx, id)
}

// Retry queues a failed or cancelled job again, for the documents that it has not published. Errors: rag.NotFound; rag.Conflict for any other job.
func (s *Service) Retry(ctx context.Context, id rag.JobID) (rag.Job, error) {
	defer s.bell.ring()
	return s.o.Catalog.RetryJob(ctx, id)
}
