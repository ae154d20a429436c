package ingest

import (
	"context"
	"time"

	"footnote/internal/rag"
)

// progressStep is how often a job's progress is recorded at most: a short job's, not before its end.
const progressStep = 300 * time.Millisecond

// count adds to the counts of the stages.
func (s *work) count(add func(c *rag.StageCounts)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	add(&s.counts)
}

// published is how many of the job's documents are done.
func (s *work) published() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.counts.Published
}

// took notes how long a stage took for the job's nth document.
func (s *work) took(n int, stage rag.JobStage, d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if d > s.slowest.Took {
		s.slowest = rag.SlowFile{ExternalID: s.lease.Job.Documents[n].ExternalID, Stage: stage, Took: d}
	}
}

// progress notes where the job is, and records it now and then.
func (s *work) progress(ctx context.Context, stage rag.JobStage, done, total int) error {
	s.mu.Lock()
	at := rag.Progress{Done: done, Total: total, Stages: s.counts, Slowest: s.slowest}
	s.stage, s.at = stage, at
	due := time.Since(s.wrote) >= progressStep
	if due {
		s.wrote = time.Now()
	}
	s.mu.Unlock()
	if !due {
		return nil
	}
	err := s.o.Catalog.SetProgress(ctx, s.lease.Job.ID, s.lease.Token, stage, at)
	s.bell.ring()
	return s.owned(err)
}
