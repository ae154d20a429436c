package ingest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/cenkalti/backoff/v5"
	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"

	"footnote/internal/rag"
)

// MaxAttempts is how often a job may be begun. One that keeps taking its process down must not do so for ever.
const MaxAttempts = 5

// Run works jobs off until ctx ends; jobs in hand are then put back in the queue. It returns ctx's error.
func (s *Service) Run(ctx context.Context) error {
	host, _ := os.Hostname() // only names the worker in the job's row
	g, ctx := errgroup.WithContext(ctx)
	for i := range s.o.Workers {
		name := fmt.Sprintf("%s/%d/%d", host, os.Getpid(), i)
		g.Go(func() error { return s.work(ctx, name) })
	}
	g.Go(func() error { return s.sweeping(ctx) })
	g.Go(func() error { return s.reembedding(ctx) })
	if s.o.Durable != nil {
		g.Go(func() error { return s.checkpointing(ctx) })
	}
	if s.o.Listen != nil {
		g.Go(func() error { return s.o.Listen(ctx, s.bell.ring) })
	}
	return g.Wait()
}

func (s *Service) work(ctx context.Context, name string) error {
	for {
		heard := s.bell.heard()
		lease, err := s.o.Catalog.LeaseJob(ctx, name, s.o.Lease)
		if ctx.Err() != nil {
			if lease != nil {
				s.release(ctx, *lease)
			}
			return ctx.Err()
		}
		if err != nil {
			s.o.Logger.Error("lease a job", "error", err)
		}
		if lease == nil {
			if err := pause(ctx, heard); err != nil {
				return err
			}
			continue
		}
		s.bell.ring()
		s.o.Failpoint("lease")
		later := s.job(ctx, *lease)
		s.bell.ring()
		if later {
			if err := pause(ctx, nil); err != nil {
				return err
			}
		}
	}
}

func (s *Service) release(ctx context.Context, l rag.Lease) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if err := s.o.Catalog.ReleaseJob(ctx, l.Job.ID, l.Token); err != nil && !lost(err) {
		s.o.Logger.Error("put a job back in the queue", "job", l.Job.ID, "error", err)
	}
}

// lost tells that the job is no longer this worker's to write.
func lost(err error) bool {
	switch rag.CodeOf(err) {
	case rag.Conflict, rag.Cancelled, rag.NotFound:
		return true
	}
	return false
}

// errLost ends the work on a job that another worker has, or that was cancelled or deleted.
var errLost = errors.New("the job is no longer this worker's")

// job works on one leased job and records how it ended. A job that failed for now goes back into the queue; later tells so.
func (s *Service) job(ctx context.Context, l rag.Lease) (later bool) {
	log := s.o.Logger.With("job", l.Job.ID, "attempt", l.Job.Attempts)
	started := time.Now()
	working, stop := context.WithCancelCause(ctx)
	beating := make(chan struct{})
	go func() {
		defer close(beating)
		s.heartbeat(working, stop, l)
	}()
	w := &work{Service: s, lease: l, room: semaphore.NewWeighted(roomBytes), wrote: started, stage: rag.StageParse, at: rag.Progress{Total: len(l.Job.Documents)}}
	failed, err := w.documents(working, log)
	stop(nil)
	<-beating
	switch {
	case errors.Is(context.Cause(working), errLost) || errors.Is(err, errLost):
		log.Info("job left", "reason", errLost.Error())
		return false
	case ctx.Err() != nil:
		s.release(ctx, l)
		log.Info("job put back in the queue")
		return false
	case (transient(err) || rag.CodeOf(err) == rag.BadUpstream || s.swapped(err)) && l.Job.Attempts < MaxAttempts:
		s.release(ctx, l)
		log.Warn("job put back in the queue", "error", err)
		return true
	}
	status, e := rag.JobSucceeded, (*rag.JobError)(nil)
	if err != nil {
		log.Error("job failed", "error", err)
		status, e = rag.JobFailed, jobError(err)
	} else if failed > 0 {
		status, e = rag.JobFailed, &rag.JobError{Code: rag.Invalid, Message: fmt.Sprintf("%d of %d documents could not be taken in; each says why.", failed, len(l.Job.Documents))}
	}
	if err := s.o.Catalog.FinishJob(ctx, l.Job.ID, l.Token, status, w.stage, w.at, e); err != nil && !lost(err) {
		log.Error("record the end of a job", "error", err)
		return true // the lease runs out and the job is worked on again
	}
	s.o.Failpoint("finish")
	log.Info("job ended", "status", status, "documents", len(l.Job.Documents), "failed", failed, "after", time.Since(started).Round(time.Millisecond))
	return false
}

// swapped tells that a job failed because its collection was given another model while it worked.
func (s *Service) swapped(err error) bool {
	return len(s.o.Others) > 0 && rag.CodeOf(err) == rag.ModelMismatch
}

// jobError is err as the job's user sees it.
func jobError(err error) *rag.JobError {
	e := &rag.JobError{Code: rag.CodeOf(err), Message: "The job failed for a reason inside the service; its log says more."}
	if known, ok := errors.AsType[*rag.Error](err); ok {
		e.Message = known.Message
	}
	return e
}

// heartbeat renews the lease three times as often as needed, and stops the work when it is lost.
func (s *Service) heartbeat(ctx context.Context, stop context.CancelCauseFunc, l rag.Lease) {
	t := time.NewTicker(s.o.Lease / 3)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		err := s.o.Catalog.ExtendLease(ctx, l.Job.ID, l.Token, s.o.Lease)
		if err != nil && ctx.Err() == nil {
			if lost(err) {
				stop(errLost)
				return
			}
			s.o.Logger.Warn("renew a lease", "job", l.Job.ID, "error", err)
		}
	}
}

// owned turns the loss of a lease into errLost.
func (s *Service) owned(err error) error {
	if lost(err) {
		return errLost
	}
	return err
}

// upsert writes points; an index that has lost the collection is given it again.
func (s *Service) upsert(ctx context.Context, c rag.Collection, points []rag.Point) error {
	err := s.o.Index.Upsert(ctx, c.IndexID, points)
	if rag.CodeOf(err) != rag.NotFound {
		return err
	}
	if _, err := s.o.Catalog.CollectionByID(ctx, c.ID); err != nil {
		return s.owned(err)
	}
	s.ledger.doubt(c.IndexID)
	s.o.Logger.Warn("the index lacks a collection; it is made again, and reconciling fills it", "collection", c.ID)
	if err := s.o.Index.EnsureCollection(ctx, c.IndexID, c.Embedding.Dimensions); err != nil {
		return err
	}
	return s.o.Index.Upsert(ctx, c.IndexID, points)
}

// unpublish takes those of the chunks out of the index that no active version lists, and counts them. The caller holds the document's lock.
func (s *Service) unpublish(ctx context.Context, id rag.CollectionID, ids []rag.ChunkID) (int, error) {
	orphans, err := s.unlisted(ctx, ids)
	if err != nil || len(orphans) == 0 {
		return 0, err
	}
	return len(orphans), s.o.Index.Delete(ctx, id, orphans)
}

// unlisted are those of the chunks that no active version lists.
func (s *Service) unlisted(ctx context.Context, ids []rag.ChunkID) ([]rag.ChunkID, error) {
	active, err := s.o.Catalog.Embeddings(ctx, ids)
	if err != nil {
		return nil, err
	}
	var orphans []rag.ChunkID
	for _, chunk := range ids {
		if _, ok := active[chunk]; !ok {
			orphans = append(orphans, chunk)
		}
	}
	return orphans, nil
}

// transient tells an error that may pass by itself.
func transient(err error) bool {
	switch rag.CodeOf(err) {
	case rag.Unavailable, rag.RateLimited, rag.Timeout, rag.StorageFull:
		return true
	}
	return false
}

// patiently tries again while f fails for now, waiting as long as the dependency asks or ever longer.
func (s *Service) patiently(ctx context.Context, f func() error) error {
	_, err := backoff.Retry(ctx, func() (struct{}, error) {
		err := f()
		var e *rag.Error
		switch {
		case err == nil:
			return struct{}{}, nil
		case !transient(err) || ctx.Err() != nil:
			return struct{}{}, backoff.Permanent(err)
		case errors.As(err, &e) && e.RetryAfter > 0:
			return struct{}{}, errors.Join(err, backoff.RetryAfter(int(e.RetryAfter.Seconds()+0.999)))
		}
		return struct{}{}, err
	}, backoff.WithBackOff(backoff.NewExponentialBackOff()), backoff.WithMaxElapsedTime(s.o.Patience))
	return err
}

func (s *Service) timed(stage string, f func() error) error {
	started := time.Now()
	err := f()
	s.o.Observe(stage, time.Since(started))
	return err
}
