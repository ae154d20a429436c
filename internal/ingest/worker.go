package ingest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/cenkalti/backoff/v5"
	"golang.org/x/sync/errgroup"

	"footnote/internal/rag"
)

// MaxAttempts is how often a job may be begun. One that keeps taking its process down must not do so for ever.
const MaxAttempts = 5

// Documents of a job go through the pipeline in groups, so that small ones are embedded together.
const (
	groupDocuments = 32
	groupChunks    = 128
)

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
	w := &work{Service: s, lease: l, wrote: started, stage: rag.StageParse, at: rag.Progress{Total: len(l.Job.Documents)}}
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
	var known *rag.Error
	if errors.As(err, &known) {
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

// work is the work on one leased job.
type work struct {
	*Service
	lease    rag.Lease
	embedder Embedder // of the job's collection
	stage    rag.JobStage
	at       rag.Progress
	wrote    time.Time // when the progress was recorded last
}

// progressStep is how often a job's progress is recorded at most: a short job's, not before its end.
const progressStep = 300 * time.Millisecond

// draft is a document on its way through the pipeline.
type draft struct {
	n        int // place in the job
	version  rag.Version
	embedded []string // the text that is embedded, for each chunk
	points   []rag.Embedding
}

// documents takes the job's unpublished documents through the pipeline, group by group; it returns how many of them failed for good.
func (s *work) documents(ctx context.Context, log *slog.Logger) (failed int, err error) {
	l := s.lease
	if l.Job.Attempts > MaxAttempts {
		return 0, rag.Errorf(rag.Internal, "The job was begun %d times and never ended; retry it when the cause has been found.", MaxAttempts)
	}
	c, err := s.o.Catalog.CollectionByID(ctx, l.Job.Collection)
	if err != nil {
		return 0, s.owned(err)
	}
	if s.embedder, err = s.Service.embedder(c); err != nil {
		return 0, err
	}
	total, done := len(l.Job.Documents), 0
	for n := 0; n < total; {
		var group []*draft
		chunks := 0
		for ; n < total && len(group) < groupDocuments && chunks < groupChunks; n++ {
			if l.Job.Documents[n].Published {
				done++
				continue
			}
			if err := s.progress(ctx, rag.StageParse, n, total); err != nil {
				return failed, err
			}
			d, err := s.draft(ctx, c, n)
			if ctx.Err() != nil {
				return failed, context.Cause(ctx)
			}
			if err != nil {
				if transient(err) {
					return failed, err
				}
				failed++
				log.Warn("document refused", "document", l.Job.Documents[n].Document, "error", err)
				if err := s.o.Catalog.FailDocument(ctx, l.Job.ID, l.Token, n, *jobError(err)); err != nil {
					return failed, s.owned(err)
				}
				continue
			}
			group = append(group, d)
			chunks += len(d.version.Chunks)
		}
		if len(group) == 0 {
			continue
		}
		if err := s.embed(ctx, group); err != nil {
			return failed, err
		}
		for _, d := range group {
			if err := s.progress(ctx, rag.StageIndex, done, total); err != nil {
				return failed, err
			}
			if err := s.publish(ctx, c, d); err != nil {
				return failed, err
			}
			done++
		}
	}
	return failed, s.progress(ctx, rag.StagePublish, done, total)
}

// owned turns the loss of a lease into errLost.
func (s *Service) owned(err error) error {
	if lost(err) {
		return errLost
	}
	return err
}

// progress notes where the job is, and records it now and then.
func (s *work) progress(ctx context.Context, stage rag.JobStage, done, total int) error {
	s.stage, s.at = stage, rag.Progress{Done: done, Total: total}
	if time.Since(s.wrote) < progressStep {
		return nil
	}
	s.wrote = time.Now()
	err := s.o.Catalog.SetProgress(ctx, s.lease.Job.ID, s.lease.Token, stage, s.at)
	s.bell.ring()
	return s.owned(err)
}

// draft reads, parses and cuts the job's nth document.
func (s *work) draft(ctx context.Context, c rag.Collection, n int) (*draft, error) {
	l := s.lease
	u := l.Uploads[n]
	r, err := s.o.Blobs.Get(ctx, u.SHA256)
	if err != nil {
		return nil, err
	}
	content, err := io.ReadAll(r)
	if err = errors.Join(err, r.Close()); err != nil {
		return nil, fmt.Errorf("read the upload: %w", err)
	}
	v, _, err := s.prepare(ctx, c, s.embedder, u, l.Job.Documents[n], content)
	if err != nil {
		return nil, err
	}
	s.o.Failpoint("chunk")
	v.Fingerprint = s.embedder.Fingerprint()
	d := &draft{n: n, version: v}
	for _, k := range v.Chunks {
		d.embedded = append(d.embedded, rag.EmbeddedText(v.Document.Title, k.HeadingPath, k.Text))
	}
	return d, nil
}

// embed fills the group's vectors: those that the catalog has from there, the others from the model, together.
func (s *work) embed(ctx context.Context, group []*draft) error {
	type place struct {
		d *draft
		i int
	}
	var missing []place
	var texts []string
	total := 0
	for _, d := range group {
		ids := make([]rag.ChunkID, len(d.version.Chunks))
		for i, k := range d.version.Chunks {
			ids[i] = k.ID
		}
		known, err := s.o.Catalog.Embeddings(ctx, ids)
		if err != nil {
			return err
		}
		total += len(ids)
		d.points = make([]rag.Embedding, len(ids))
		d.version.Embeddings = make([]rag.Embedding, len(ids))
		for i, id := range ids {
			if v, ok := known[id]; ok {
				d.points[i] = v
			} else {
				missing, texts = append(missing, place{d, i}), append(texts, d.embedded[i])
			}
		}
	}
	const batch = 64
	for at := 0; at < len(texts); at += batch {
		if err := s.progress(ctx, rag.StageEmbed, total-len(texts)+at, total); err != nil {
			return err
		}
		part := texts[at:min(at+batch, len(texts))]
		var vectors []rag.Embedding
		err := s.patiently(ctx, func() (err error) {
			return s.timed("embed_documents", func() error {
				vectors, err = s.embedder.EmbedDocuments(ctx, part)
				return err
			})
		})
		if err != nil {
			return fmt.Errorf("embed %d chunks: %w", len(part), err)
		}
		for i, v := range vectors {
			if err := v.Validate(s.embedder.Dimensions()); err != nil {
				return fmt.Errorf("embed: %w", err)
			}
			p := missing[at+i]
			p.d.points[p.i], p.d.version.Embeddings[p.i] = v, v
		}
	}
	s.o.Failpoint("embed")
	return nil
}

// publish puts a document's chunks into the index and then makes the version active.
func (s *work) publish(ctx context.Context, c rag.Collection, d *draft) error {
	l := s.lease
	// Between the moment when a chunk is found to be on no active version's list and its removal, no other version may bring it back. Chunk ids are of a
	// document, so its lock is enough.
	unlock, err := s.o.Locks.Lock(ctx, string(d.version.Document.ID))
	if err != nil {
		return err
	}
	defer unlock()
	points := make([]rag.Point, len(d.version.Chunks))
	ids := make([]rag.ChunkID, len(points))
	for i, k := range d.version.Chunks {
		points[i] = point(k, d.embedded[i], d.points[i], d.version.Document.Metadata)
		ids[i] = k.ID
	}
	err = s.patiently(ctx, func() error {
		return s.timed("index", func() error { return s.upsert(ctx, c, points) })
	})
	if err != nil {
		return fmt.Errorf("index %d chunks: %w", len(points), err)
	}
	s.o.Failpoint("index")
	var removed []rag.ChunkID
	err = s.timed("publish", func() error {
		removed, err = s.o.Catalog.Publish(ctx, l.Job.ID, l.Token, d.n, d.version)
		return err
	})
	s.o.Failpoint("publish")
	if err == nil {
		if active, err := s.o.Catalog.DocumentByID(ctx, d.version.Document.ID); err == nil && active.Version != d.version.Document.Version {
			_, err := s.unpublish(ctx, c.IndexID, ids)
			return err
		}
		if err := s.remove(ctx, c, removed); err != nil && ctx.Err() == nil {
			// The version is active; the sweeper takes the old chunks out of the index.
			s.o.Logger.Warn("take replaced chunks out of the index", "job", l.Job.ID, "error", err)
		}
		return nil
	}
	if rag.CodeOf(err) == rag.ModelMismatch {
		// The collection has another model by now; what was written for the former one goes, and the job begins anew.
		if _, err := s.unpublish(ctx, c.IndexID, ids); err != nil {
			s.o.Logger.Warn("take unpublished chunks out of the index", "job", l.Job.ID, "error", err)
		}
	}
	if !lost(err) {
		return err
	}
	// Cancelled, or deleted meanwhile: what the catalog does not list must not stay in the index.
	if _, err := s.unpublish(ctx, c.IndexID, ids); err != nil {
		s.o.Logger.Warn("take unpublished chunks out of the index", "job", l.Job.ID, "error", err)
	}
	if _, jobErr := s.o.Catalog.DocumentByID(ctx, d.version.Document.ID); rag.CodeOf(err) == rag.Conflict && rag.CodeOf(jobErr) == rag.NotFound {
		e := rag.JobError{Code: rag.Conflict, Message: "The document was deleted while it was being taken in."}
		return s.owned(s.o.Catalog.FailDocument(ctx, l.Job.ID, l.Token, d.n, e))
	}
	return errLost
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
