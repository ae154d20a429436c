package ingest

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"footnote/internal/rag"
)

// Checkpoints make the index's files right, together with the catalog's log of changes, after a crash at any moment:
//
//  1. The files are the index as it was when Checkpoint was called, and nothing of what came later, until the next one replaces them whole.
//  2. Whoever writes a document, in the index and then in the catalog (publish, import, re-embedding) or in the catalog and then in the index (delete, sweep), holds the gate from the first
//     step to the last. A checkpoint shuts it. So none is between the two stores when the number of the last change is read, and the index has every change up to that number, and no
//     change above it.
//  3. A write that failed half-way, or was broken off, leaves its document unsettled: before the number is used, the index is made to hold what the catalog lists of it. When that
//     fails, there is no checkpoint.
//  4. A queued removal that could not be carried out is in the files, and the queue still has it. Carrying it out later is a change with a number above (AckRemovals notes it), or the
//     chunk would come back from the files when the queue has forgotten it.
//  5. So a document of which the files have something else than the catalog lists has a change above the checkpoint's number, or a queued removal. Replay looks at the former and sweeps the
//     latter. Changes are forgotten only when the files have them; files that are older than what was forgotten, or newer than the last change, are of another history
//     and not believed.
//
// Killed between the checkpoint and the forgetting, the next start replays from the files' own number, which the log still reaches.

// checkpointChanges is after how many written documents a checkpoint does not wait any longer: what a start has to replay stays small.
const checkpointChanges = 2000

// ledger is what the index's files do not have yet, by collection.
type ledger struct {
	mu        sync.Mutex
	changes   map[rag.CollectionID]int
	unsettled map[rag.CollectionID]map[rag.DocumentID]bool
	doubtful  map[rag.CollectionID]bool // sets that lost points while the service ran; only the next start can tell
	failing   bool                      // the last checkpoint could not be made, and the log says so
	full      chan struct{}             // takes one, which nobody waits for
}

func newLedger() *ledger {
	return &ledger{changes: map[rag.CollectionID]int{}, unsettled: map[rag.CollectionID]map[rag.DocumentID]bool{}, doubtful: map[rag.CollectionID]bool{}, full: make(chan struct{}, 1)}
}

// note counts n changes of a collection.
func (l *ledger) note(id rag.CollectionID, n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	before := l.changes[id]
	l.changes[id] = before + n
	if before < checkpointChanges && before+n >= checkpointChanges {
		select {
		case l.full <- struct{}{}:
		default:
		}
	}
}

// unsettle notes that the index may hold something else of the document than the catalog lists.
func (l *ledger) unsettle(id rag.CollectionID, documents ...rag.DocumentID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.unsettled[id] == nil {
		l.unsettled[id] = map[rag.DocumentID]bool{}
	}
	for _, d := range documents {
		l.unsettled[id][d] = true
	}
	l.changes[id] += len(documents)
}

func (l *ledger) doubt(index rag.CollectionID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.doubtful[index] = true
}

// collections are those with at least n changes.
func (l *ledger) collections(n int) []rag.CollectionID {
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []rag.CollectionID
	for id, k := range l.changes {
		if k >= n {
			out = append(out, id)
		}
	}
	slices.Sort(out)
	return out
}

// checkpointing makes what has changed durable, now and then and when much has, until ctx ends.
func (s *Service) checkpointing(ctx context.Context) error {
	t := time.NewTicker(s.o.Checkpoint)
	defer t.Stop()
	for least := 1; ; {
		// First what the start has filled or replayed.
		if err := s.checkpoints(ctx, least); err != nil && ctx.Err() == nil && s.ledger.fails(true) {
			s.o.Logger.Warn("the index's files cannot be written; the service goes on in memory and tries again, and a start takes longer meanwhile", "error", err)
		} else if err == nil && s.ledger.fails(false) {
			s.o.Logger.Info("the index's files are written again")
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-t.C:
			least = 1
		case <-s.ledger.full:
			least = checkpointChanges
		}
	}
}

// fails records whether checkpoints fail, and tells whether that is new.
func (l *ledger) fails(now bool) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	before := l.failing
	l.failing = now
	return before != now
}

// Checkpoint makes the index durable as it is; the service calls it when the work has ended, before the stores are closed. The errors of all collections come joined; those without one are durable.
func (s *Service) Checkpoint(ctx context.Context) error {
	if s.o.Durable == nil {
		return nil
	}
	return s.checkpoints(ctx, 1)
}

func (s *Service) checkpoints(ctx context.Context, least int) error {
	var failed []error
	for _, id := range s.ledger.collections(least) {
		if err := s.checkpoint(ctx, id); err != nil {
			failed = append(failed, err)
		}
	}
	return errors.Join(failed...)
}

// checkpoint makes one collection durable and has the catalog forget the changes up to there.
func (s *Service) checkpoint(ctx context.Context, id rag.CollectionID) (err error) {
	s.gate.Lock()
	defer s.gate.Unlock()
	s.ledger.mu.Lock()
	changes, unsettled := s.ledger.changes[id], s.ledger.unsettled[id]
	delete(s.ledger.changes, id)
	delete(s.ledger.unsettled, id)
	s.ledger.mu.Unlock()
	defer func() {
		if err != nil {
			s.ledger.unsettle(id, slices.Collect(maps.Keys(unsettled))...)
			s.ledger.note(id, changes)
		}
	}()
	c, err := s.o.Catalog.CollectionByID(ctx, id)
	if rag.CodeOf(err) == rag.NotFound {
		return nil // deleted, files and all
	}
	if err != nil {
		return err
	}
	sets, err := s.sets(ctx, c)
	if err != nil {
		return err
	}
	seq, err := s.o.Changes.ChangeSeq(ctx, id)
	if err != nil {
		return err
	}
	for _, v := range sets {
		if err := s.checkpointSet(ctx, v, seq, unsettled, len(sets) > 1); err != nil {
			return err
		}
	}
	s.o.Failpoint("checkpoint")
	return s.o.Changes.PruneChanges(ctx, id, seq)
}

func (s *Service) checkpointSet(ctx context.Context, v vectorSet, seq int64, unsettled map[rag.DocumentID]bool, pair bool) error {
	s.ledger.mu.Lock()
	doubtful := s.ledger.doubtful[v.index]
	s.ledger.mu.Unlock()
	if doubtful {
		return nil
	}
	if _, err := s.o.Durable.Count(ctx, v.index); rag.CodeOf(err) == rag.NotFound {
		return nil // a re-embedding that has not begun yet; a start fills it
	}
	documents := maps.Clone(unsettled)
	applied, ok := s.o.Durable.Applied(v.index)
	// Writers keep the set in use up to date. Of the other one they only add to what it has: it is brought up to date here, and so is the former other after a swap.
	switch {
	case pair && ok:
		if documents == nil {
			documents = map[rag.DocumentID]bool{}
		}
		whole, err := s.o.Changes.ChangedDocuments(ctx, v.collection, applied, func(d rag.DocumentID) error {
			documents[d] = true
			return nil
		})
		if err != nil {
			return err
		}
		if !whole {
			s.ledger.doubt(v.index)
			return nil
		}
	case pair:
		if err := s.dropUnlisted(ctx, v); err != nil {
			return err
		}
	}
	if err := s.settle(ctx, v, documents); err != nil {
		return err
	}
	return s.o.Durable.Checkpoint(ctx, v.index, seq)
}

// dropUnlisted takes those points out of a set that no active version lists.
func (s *Service) dropUnlisted(ctx context.Context, v vectorSet) error {
	listed := map[rag.ChunkID]bool{}
	if err := s.o.Catalog.EachChunkID(ctx, v.collection, func(p rag.PointRef) error {
		listed[p.Chunk] = true
		return nil
	}); err != nil {
		return err
	}
	var gone []rag.ChunkID
	if err := s.o.Index.EachPoint(ctx, v.index, func(p rag.PointRef) error {
		if !listed[p.Chunk] {
			gone = append(gone, p.Chunk)
		}
		return nil
	}); err != nil || len(gone) == 0 {
		return err
	}
	return s.o.Index.Delete(ctx, v.index, gone)
}

// changed counts documents that the index's files do not have yet.
func (s *Service) changed(id rag.CollectionID, n int) {
	if s.o.Durable != nil {
		s.ledger.note(id, n)
	}
}

// unsettle notes documents of which the index may hold something else than the catalog lists.
func (s *Service) unsettle(id rag.CollectionID, documents ...rag.DocumentID) {
	if s.o.Durable != nil {
		s.ledger.unsettle(id, documents...)
	}
}
