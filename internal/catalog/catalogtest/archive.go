package catalogtest

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"footnote/internal/rag"
)

// Files of an archive are documents of one job: taken in, skipped and refused each for itself, and removed when the archive comes without them.
func archives(t *testing.T, c Catalog, _ *Clock) {
	col, other := makeCollection(t, c, "c"), makeCollection(t, c, "other")
	submit := func(ups ...rag.Upload) rag.Job {
		t.Helper()
		return must[rag.Job](t)(c.Submit(t.Context(), col.ID, ups))
	}
	in := func(archive, id string) rag.Upload { return rag.Upload{ExternalID: id, Archive: archive} }
	remove := func(archive, id string) rag.Upload {
		return rag.Upload{ExternalID: id, Archive: archive, Action: rag.ActionRemove}
	}
	take := func() *rag.Lease {
		t.Helper()
		return must[*rag.Lease](t)(c.LeaseJob(t.Context(), "w", time.Minute))
	}
	work := func() *rag.Lease { // publishes what the next job takes in
		t.Helper()
		l := take()
		for n, d := range l.Job.Documents {
			if d.Action == rag.ActionTakeIn {
				must[[]rag.ChunkID](t)(c.Publish(t.Context(), l.Job.ID, l.Token, n, version(d, nil, "text of "+d.ExternalID)))
			}
		}
		return l
	}
	finish := func(l *rag.Lease, status rag.JobStatus) {
		t.Helper()
		if err := c.FinishJob(t.Context(), l.Job.ID, l.Token, status, rag.StagePublish, rag.Progress{}, nil); err != nil {
			t.Fatal(err)
		}
	}
	files := func(archive string, want ...string) {
		t.Helper()
		if diff := cmp.Diff(want, must[[]string](t)(c.ArchiveFiles(t.Context(), col.ID, archive))); diff != "" {
			t.Errorf("files of %q: %s", archive, diff)
		}
	}
	states := func(id rag.JobID, want ...rag.DocumentState) {
		t.Helper()
		var got []rag.DocumentState
		for _, d := range must[rag.Job](t)(c.Job(t.Context(), id)).Documents {
			got = append(got, d.State())
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	}

	job := submit(in("a.zip", "a.zip/報告.md"), rag.Upload{ExternalID: "a.zip/logo.png", Archive: "a.zip", Action: rag.ActionSkip, Reason: &rag.JobError{Code: rag.Unsupported, Message: "an image"}},
		rag.Upload{ExternalID: "a.zip/x.pdf", Archive: "a.zip", Action: rag.ActionRefuse, Reason: &rag.JobError{Code: rag.Invalid, Message: "damaged"}}, in("a.zip", "a.zip/two.md"), in("", "a.zip/alone.md"))
	states(job.ID, "queued", "skipped", "failed", "queued", "queued")
	files("a.zip", "a.zip/two.md", "a.zip/報告.md")
	files("")
	if d := job.Documents[1]; d.Document != "" || d.Archive != "a.zip" || cmp.Diff([]string{"an image"}, d.Warnings) != "" {
		t.Errorf("got %+v", d)
	}
	if got := must[[]string](t)(c.ArchiveFiles(t.Context(), other.ID, "a.zip")); got != nil {
		t.Errorf("another collection has %q", got)
	}
	first := work()
	if first.Uploads[0].Archive != "a.zip" || first.Uploads[2].Action != rag.ActionRefuse {
		t.Errorf("leased %+v", first.Uploads)
	}
	finish(first, rag.JobFailed)
	states(job.ID, "published", "skipped", "failed", "published", "published")
	if d := must[rag.Document](t)(c.Document(t.Context(), col.ID, "a.zip/報告.md")); d.Archive != "a.zip" {
		t.Errorf("got %+v", d)
	}
	// A retry mends nothing that was refused.
	must[rag.Job](t)(c.RetryJob(t.Context(), job.ID))
	states(job.ID, "published", "skipped", "failed", "published", "published")
	finish(take(), rag.JobFailed)

	// The archive comes without 報告.md and with two.md; a file that came by itself, and one that comes again before the job is worked on, stay.
	second := submit(in("a.zip", "a.zip/two.md"), remove("a.zip", "a.zip/報告.md"), remove("a.zip", "a.zip/alone.md"), remove("a.zip", "a.zip/absent"))
	l := work()
	for n := 1; n < 4; n++ {
		removed := must[[]rag.ChunkID](t)(c.Remove(t.Context(), l.Job.ID, l.Token, n))
		if (len(removed) == 1) != (n == 1) {
			t.Errorf("removing %s took %d chunks away", l.Job.Documents[n].ExternalID, len(removed))
		}
		if again := must[[]rag.ChunkID](t)(c.Remove(t.Context(), l.Job.ID, l.Token, n)); len(again) > 0 {
			t.Errorf("removed %v twice", again)
		}
	}
	must[[]rag.ChunkID](t)(c.Remove(t.Context(), l.Job.ID, l.Token, 0)) // not to be removed
	_, err := c.Remove(t.Context(), l.Job.ID, l.Token-1, 1)
	wantCode(t, "removing with an old lease", err, rag.Conflict)
	finish(l, rag.JobSucceeded)
	states(second.ID, "published", "removed", "removed", "removed")
	_, err = c.Document(t.Context(), col.ID, "a.zip/報告.md")
	wantCode(t, "a removed document", err, rag.NotFound)
	for _, id := range []string{"a.zip/two.md", "a.zip/alone.md"} {
		must[rag.Document](t)(c.Document(t.Context(), col.ID, id))
	}
	if left := must[[]rag.Removal](t)(c.Removals(t.Context(), 10)); len(left) != 1 {
		t.Errorf("got %d removals queued, want 1", len(left))
	}

	// Between a removal's request and its work the file comes again, in a third upload: it stays.
	submit(remove("a.zip", "a.zip/two.md"))
	submit(in("a.zip", "a.zip/two.md"))
	l = take()
	if removed := must[[]rag.ChunkID](t)(c.Remove(t.Context(), l.Job.ID, l.Token, 0)); len(removed) > 0 {
		t.Error("a file that was handed in again was removed")
	}
	finish(l, rag.JobSucceeded)
	finish(work(), rag.JobSucceeded)
	must[rag.Document](t)(c.Document(t.Context(), col.ID, "a.zip/two.md"))
	// Handed in by itself it is the archive's no more; an archive that was one document is removed by its own name.
	submit(in("", "a.zip/two.md"), in("", "a.zip"))
	finish(work(), rag.JobSucceeded)
	files("a.zip")
	submit(remove("a.zip", "a.zip/two.md"), remove("a.zip", "a.zip"))
	l = take()
	for n, want := range []int{0, 1} {
		if removed := must[[]rag.ChunkID](t)(c.Remove(t.Context(), l.Job.ID, l.Token, n)); len(removed) != want {
			t.Errorf("document %d: removed %d chunks, want %d", n, len(removed), want)
		}
	}
	finish(l, rag.JobSucceeded)
}
