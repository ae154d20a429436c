package ingest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"

	"footnote/internal/rag"
)

// Documents go through the pipeline in groups, so that small ones are embedded together. A job's first group is small, so that the model soon has work, and each is twice as large as the
// one before, up to groupChunks.
const (
	firstGroupChunks = 32
	groupChunks      = embedBatch
)

// roomBytes bounds the uploads of a job that are in hand at once: as many as the greatest document has.
const roomBytes = rag.MaxDocumentBytes

// work is the work on one leased job.
type work struct {
	*Service
	lease      rag.Lease
	collection rag.Collection
	embedder   Embedder // of the collection
	room       *semaphore.Weighted

	mu      sync.Mutex // of what follows
	stage   rag.JobStage
	at      rag.Progress
	counts  rag.StageCounts
	slowest rag.SlowFile
	wrote   time.Time // when the progress was recorded last
}

// draft is a document on its way through the pipeline.
type draft struct {
	n        int // place in the job
	bytes    int64
	version  rag.Version
	embedded []string // the text that is embedded, for each chunk
	points   []rag.Embedding
}

// documents takes the job's unpublished documents through the pipeline; it returns how many of them failed for good.
//
// Three steps go on side by side, so that the model never waits for a disk: while one group is embedded, the next is read, parsed and cut, and the one before is indexed and published,
// document by document. The channels between them hold nothing, so three groups are in hand at most. A step that fails stops those before it; those after it finish what they were given, and
// no vector that was paid for is lost.
func (s *work) documents(ctx context.Context, log *slog.Logger) (failed int, err error) {
	l := s.lease
	if l.Job.Attempts > MaxAttempts {
		return 0, rag.Errorf(rag.Internal, "The job was begun %d times and never ended; retry it when the cause has been found.", MaxAttempts)
	}
	if s.collection, err = s.o.Catalog.CollectionByID(ctx, l.Job.Collection); err != nil {
		return 0, s.owned(err)
	}
	if s.embedder, err = s.Service.embedder(s.collection); err != nil {
		return 0, err
	}
	total := len(l.Job.Documents)
	for _, d := range l.Job.Documents {
		if d.Published || d.Action == rag.ActionSkip {
			s.counts.Published++
			s.counts.Parsed++
		}
	}
	drafts, vectors := make(chan []*draft), make(chan []*draft)
	embedding, stopEmbedding := context.WithCancel(ctx)
	drafting, stopDrafting := context.WithCancel(embedding)
	defer stopDrafting()
	var draftErr, embedErr error
	var steps sync.WaitGroup
	steps.Go(func() {
		defer close(drafts)
		failed, draftErr = s.draftGroups(drafting, log, drafts)
	})
	steps.Go(func() {
		defer close(vectors)
		embedErr = s.embedGroups(embedding, drafts, vectors)
		stopDrafting()
	})
	publishErr := s.publishGroups(ctx, vectors)
	stopEmbedding()
	steps.Wait()
	// The last step that failed is the cause: the steps before it were stopped for it.
	for _, step := range []struct {
		stage rag.JobStage
		err   error
	}{{rag.StageIndex, publishErr}, {rag.StageEmbed, embedErr}, {rag.StageParse, draftErr}} {
		if step.err != nil {
			s.stage, s.at = step.stage, rag.Progress{Done: s.counts.Published, Total: total, Stages: s.counts, Slowest: s.slowest}
			return failed, step.err
		}
	}
	if err := s.removeVanished(ctx); err != nil {
		return failed, err
	}
	return failed, s.progress(ctx, rag.StagePublish, s.counts.Published, total)
}

// draftGroups drafts the unpublished documents and sends them on in groups; it returns how many failed for good.
func (s *work) draftGroups(ctx context.Context, log *slog.Logger, out chan<- []*draft) (failed int, err error) {
	l := s.lease
	total := len(l.Job.Documents)
	var group []*draft
	chunks, most := 0, firstGroupChunks
	send := func() error {
		if len(group) == 0 {
			return nil
		}
		select {
		case out <- group:
			group, chunks, most = nil, 0, min(2*most, groupChunks)
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	for n := range total {
		if l.Job.Documents[n].Action == rag.ActionRefuse {
			failed++
			s.count(func(c *rag.StageCounts) { c.Parsed++ })
		}
		if l.Job.Documents[n].Published || l.Job.Documents[n].Action != rag.ActionTakeIn {
			continue
		}
		if err := s.progress(ctx, rag.StageParse, n, total); err != nil {
			return failed, err
		}
		known, err := s.unchanged(ctx, n)
		if err != nil {
			if transient(err) {
				return failed, errors.Join(err, send())
			}
			return failed, s.owned(err)
		}
		if known {
			s.count(func(c *rag.StageCounts) { c.Parsed++; c.Published++ })
			continue
		}
		bytes := min(l.Uploads[n].Bytes, roomBytes)
		if !s.room.TryAcquire(bytes) {
			// What this group holds comes back only when it has been published.
			if err := send(); err != nil {
				return failed, err
			}
			if err := s.room.Acquire(ctx, bytes); err != nil {
				return failed, context.Cause(ctx)
			}
		}
		d, err := s.draft(ctx, n)
		if ctx.Err() != nil {
			return failed, context.Cause(ctx)
		}
		if err != nil {
			if transient(err) {
				return failed, errors.Join(err, send())
			}
			s.room.Release(bytes)
			failed++
			s.count(func(c *rag.StageCounts) { c.Parsed++ })
			log.Warn("document refused", "document", l.Job.Documents[n].Document, "error", err)
			if err := s.o.Catalog.FailDocument(ctx, l.Job.ID, l.Token, n, *jobError(err)); err != nil {
				return failed, s.owned(err)
			}
			continue
		}
		d.bytes = bytes
		s.count(func(c *rag.StageCounts) { c.Parsed++; c.Chunks += len(d.version.Chunks) })
		group = append(group, d)
		if chunks += len(d.version.Chunks); chunks >= most {
			if err := send(); err != nil {
				return failed, err
			}
		}
	}
	return failed, send()
}

// unchanged publishes the job's nth document without reading it, when its active version was made of the same bytes in the same way. What it costs is one look at the catalog, and none for a
// document that is new.
func (s *work) unchanged(ctx context.Context, n int) (bool, error) {
	recipe := s.recipe(s.collection, s.embedder, s.lease.Uploads[n])
	if recipe == "" || s.lease.Job.Documents[n].Version <= 1 {
		return false, nil
	}
	return s.o.Catalog.Confirm(ctx, s.lease.Job.ID, s.lease.Token, n, recipe)
}

// draft reads, parses and cuts the job's nth document.
func (s *work) draft(ctx context.Context, n int) (*draft, error) {
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
	recipe := s.recipe(s.collection, s.embedder, u)
	keep, err := s.before(ctx, s.collection, l.Job.Documents[n], u.SHA256, recipe)
	if err != nil {
		return nil, err
	}
	v, _, err := s.prepare(ctx, s.collection, s.embedder, u, l.Job.Documents[n], content, keep, func(stage rag.JobStage, d time.Duration) { s.took(n, stage, d) })
	if err != nil {
		return nil, err
	}
	s.o.Failpoint("chunk")
	v.Fingerprint = s.embedder.Fingerprint()
	v.Recipe = recipe
	d := &draft{n: n, version: v}
	for _, k := range v.Chunks {
		d.embedded = append(d.embedded, k.Embedded(v.Document.Title))
	}
	return d, nil
}

// embedGroups gives the groups their vectors and sends them on.
func (s *work) embedGroups(ctx context.Context, in <-chan []*draft, out chan<- []*draft) error {
	// The catalog may not have the vectors of the group before yet; those of earlier groups it has, since this one was not taken on before they were published.
	var before map[rag.TextHash]rag.Embedding
	for group := range in {
		var err error
		started := time.Now()
		if before, err = s.embed(ctx, group, before); err != nil {
			return err
		}
		if len(group) == 1 {
			s.took(group[0].n, rag.StageEmbed, time.Since(started))
		}
		select {
		case out <- group:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

// embed fills the group's vectors: a chunk's own where the catalog has it, else that of its text. It returns the latter, by text; before are those of the group before.
func (s *work) embed(ctx context.Context, group []*draft, before map[rag.TextHash]rag.Embedding) (map[rag.TextHash]rag.Embedding, error) {
	var ids []rag.ChunkID
	for _, d := range group {
		for _, k := range d.version.Chunks {
			ids = append(ids, k.ID)
		}
	}
	known, err := s.o.Catalog.Embeddings(ctx, ids)
	if err != nil {
		return nil, err
	}
	var texts []string
	for _, d := range group {
		d.points = make([]rag.Embedding, len(d.version.Chunks))
		d.version.Embeddings = make([]rag.Embedding, len(d.version.Chunks))
		for i, k := range d.version.Chunks {
			if v, ok := known[k.ID]; ok {
				d.points[i] = v
			} else {
				texts = append(texts, d.embedded[i])
			}
		}
	}
	s.mu.Lock()
	embedded := s.counts.Embedded
	s.mu.Unlock()
	found, err := s.vectors(ctx, s.embedder, texts, before, func(done int) error {
		s.count(func(c *rag.StageCounts) { c.Embedded = embedded + len(ids) - len(texts) + done })
		return s.progress(ctx, rag.StageEmbed, len(ids)-len(texts)+done, len(ids))
	})
	if err != nil {
		return nil, err
	}
	for _, d := range group {
		for i, text := range d.embedded {
			if d.points[i] == nil {
				v := found[rag.HashText(text)]
				d.points[i], d.version.Embeddings[i] = v, v
			}
		}
	}
	s.count(func(c *rag.StageCounts) { c.Embedded = embedded + len(ids) })
	s.o.Failpoint("embed")
	return found, nil
}

// publishGroups publishes the groups' documents in order.
func (s *work) publishGroups(ctx context.Context, in <-chan []*draft) error {
	for group := range in {
		for _, d := range group {
			if err := s.progress(ctx, rag.StageIndex, s.published(), len(s.lease.Job.Documents)); err != nil {
				return err
			}
			if err := s.publish(ctx, d); err != nil {
				return err
			}
			s.room.Release(d.bytes)
			s.count(func(c *rag.StageCounts) { c.Published++ })
		}
	}
	return nil
}

// publish puts a document's chunks into the index and then makes the version active.
func (s *work) publish(ctx context.Context, d *draft) error {
	l, c := s.lease, s.collection
	// Between the moment when a chunk is found to be on no active version's list and its removal, no other version may bring it back. Chunk ids are of a
	// document, so its lock is enough.
	unlock, err := s.o.Locks.Lock(ctx, string(d.version.Document.ID))
	if err != nil {
		return err
	}
	defer unlock()
	s.gate.RLock()
	defer s.gate.RUnlock()
	settled := false
	defer func() {
		if settled {
			s.changed(c.ID, 1)
		} else {
			s.unsettle(c.ID, d.version.Document.ID)
		}
	}()
	points := make([]rag.Point, len(d.version.Chunks))
	ids := make([]rag.ChunkID, len(points))
	for i, k := range d.version.Chunks {
		points[i] = point(k, d.embedded[i], d.points[i], d.version.Document.Metadata)
		ids[i] = k.ID
	}
	started := time.Now()
	err = s.patiently(ctx, func() error {
		return s.timed("index", func() error { return s.upsert(ctx, c, points) })
	})
	s.took(d.n, rag.StageIndex, time.Since(started))
	if err != nil {
		return fmt.Errorf("index %d chunks: %w", len(points), err)
	}
	s.o.Failpoint("index")
	var removed []rag.ChunkID
	started = time.Now()
	err = s.timed("publish", func() error {
		removed, err = s.o.Catalog.Publish(ctx, l.Job.ID, l.Token, d.n, d.version)
		return err
	})
	s.took(d.n, rag.StagePublish, time.Since(started))
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
		settled = true
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
