package ingest

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"

	"footnote/internal/rag"
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
