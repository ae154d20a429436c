package catalogtest

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"footnote/internal/rag"
)

func fencing(t *testing.T, c Catalog, clock *Clock) {
	col := makeCollection(t, c, "c")
	must[rag.Job](t)(c.Submit(t.Context(), col.ID, []rag.Upload{{ExternalID: "d"}}))
	slow := must[*rag.Lease](t)(c.LeaseJob(t.Context(), "slow", time.Minute))
	if again := must[*rag.Lease](t)(c.LeaseJob(t.Context(), "quick", time.Minute)); again != nil {
		t.Fatal("one job was leased twice")
	}
	clock.Advance(50 * time.Second)
	if err := c.ExtendLease(t.Context(), slow.Job.ID, slow.Token, time.Minute); err != nil {
		t.Fatal(err)
	}
	clock.Advance(50 * time.Second)
	if again := must[*rag.Lease](t)(c.LeaseJob(t.Context(), "quick", time.Minute)); again != nil {
		t.Fatal("an extended lease ran out")
	}
	clock.Advance(20 * time.Second)
	quick := must[*rag.Lease](t)(c.LeaseJob(t.Context(), "quick", time.Minute))
	if quick == nil || quick.Token <= slow.Token || quick.Job.Attempts != 2 {
		t.Fatalf("got %+v", quick)
	}
	v := version(slow.Job.Documents[0], nil, "x")
	_, err := c.Publish(t.Context(), slow.Job.ID, slow.Token, 0, v)
	wantCode(t, "publishing under a stale token", err, rag.Conflict)
	wantCode(t, "progress", c.SetProgress(t.Context(), slow.Job.ID, slow.Token, rag.StageEmbed, rag.Progress{}), rag.Conflict)
	wantCode(t, "finishing", c.FinishJob(t.Context(), slow.Job.ID, slow.Token, rag.JobFailed, rag.StageParse, rag.Progress{}, nil), rag.Conflict)
	wantCode(t, "releasing", c.ReleaseJob(t.Context(), slow.Job.ID, slow.Token), rag.Conflict)
	must[[]rag.ChunkID](t)(c.Publish(t.Context(), quick.Job.ID, quick.Token, 0, v))
	must[rag.Job](t)(c.CancelJob(t.Context(), quick.Job.ID))
	wantCode(t, "after a cancel", c.SetProgress(t.Context(), quick.Job.ID, quick.Token, rag.StageEmbed, rag.Progress{}), rag.Cancelled)
	_, err = c.Publish(t.Context(), "job_none", 1, 0, v)
	wantCode(t, "a job that is not", err, rag.NotFound)
}

// leasing has many workers take jobs at once: each job goes to one of them, and documents that are handed in together do not block each other.
func leasing(t *testing.T, c Catalog, _ *Clock) {
	col := makeCollection(t, c, "c")
	const jobs = 24
	var work sync.WaitGroup
	for i := range jobs {
		work.Go(func() {
			// The same documents in opposite orders: what would deadlock must be sorted out inside.
			ups := []rag.Upload{{ExternalID: "a"}, {ExternalID: "b"}}
			if i%2 == 0 {
				ups[0], ups[1] = ups[1], ups[0]
			}
			if _, err := c.Submit(t.Context(), col.ID, ups); err != nil {
				t.Error(err)
			}
		})
	}
	work.Wait()
	var mu sync.Mutex
	taken := map[rag.JobID]int{}
	versions := map[int]int{}
	for i := range 6 {
		work.Go(func() {
			for {
				l, err := c.LeaseJob(t.Context(), fmt.Sprint("w", i), time.Minute)
				if err != nil {
					t.Error(err)
				}
				if l == nil {
					return
				}
				mu.Lock()
				taken[l.Job.ID]++
				versions[l.Job.Documents[0].Version]++
				mu.Unlock()
			}
		})
	}
	work.Wait()
	// A worker that passed over jobs locked by others may have seen an empty queue too early; what is left is taken now.
	for l := must[*rag.Lease](t)(c.LeaseJob(t.Context(), "last", time.Minute)); l != nil; l = must[*rag.Lease](t)(c.LeaseJob(t.Context(), "last", time.Minute)) {
		taken[l.Job.ID]++
		versions[l.Job.Documents[0].Version]++
	}
	if len(taken) != jobs {
		t.Errorf("%d of %d jobs were leased", len(taken), jobs)
	}
	for id, n := range taken {
		if n != 1 {
			t.Errorf("%s was leased %d times", id, n)
		}
	}
}
