package ingest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"footnote/internal/rag"
)

// Documents go through the pipeline in groups, so that small ones are embedded together. A job's first group is small, so that the model soon has work, and each is twice as large as the
// one before, up to groupChunks.
const (
	firstGroupChunks = 32
	groupChunks      = embedBatch
)

// draft is a document on its way through the pipeline.
type draft struct {
	n        int // place in the job
	bytes    int64
	version  rag.Version
	embedded []string // the text that is embedded, for each chunk
	points   []rag.Embedding
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
