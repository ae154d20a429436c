package catalogtest

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"footnote/internal/rag"
)

// What could not be read of a document stays with the job that took it in, and its pages with its text.
func warnings(t *testing.T, c Catalog, _ *Clock) {
	col := makeCollection(t, c, "c")
	must[rag.Job](t)(c.Submit(t.Context(), col.ID, []rag.Upload{{ExternalID: "掃描.pdf"}, {ExternalID: "plain.txt"}}))
	l := must[*rag.Lease](t)(c.LeaseJob(t.Context(), "w", time.Minute))
	v := version(l.Job.Documents[0], nil, "第一頁。", "Page three. 😀")
	v.Warnings = []string{"Page 2 is an image without text.", "附件「表.xls」無法讀取。"}
	v.Pages = []rag.PageSpan{{Number: 1, Span: rag.Span{End: 4}}, {Number: 3, Span: rag.Span{Start: 4, End: 17}}}
	must[[]rag.ChunkID](t)(c.Publish(t.Context(), l.Job.ID, l.Token, 0, v))
	must[[]rag.ChunkID](t)(c.Publish(t.Context(), l.Job.ID, l.Token, 1, version(l.Job.Documents[1], nil, "text")))
	j := must[rag.Job](t)(c.Job(t.Context(), l.Job.ID))
	if diff := cmp.Diff(v.Warnings, j.Documents[0].Warnings); diff != "" || j.Documents[1].Warnings != nil {
		t.Errorf("%s; the other has %q", diff, j.Documents[1].Warnings)
	}
	if jobs := must[[]rag.Job](t)(c.Jobs(t.Context(), rag.JobQuery{Limit: 1})); len(jobs) != 1 || len(jobs[0].Documents[0].Warnings) != 2 {
		t.Errorf("listed %+v", jobs)
	}
	if diff := cmp.Diff(v.Pages, must[[]rag.PageSpan](t)(c.Pages(t.Context(), v.Document.ID))); diff != "" {
		t.Error(diff)
	}
	if pages := must[[]rag.PageSpan](t)(c.Pages(t.Context(), l.Job.Documents[1].Document)); pages != nil {
		t.Errorf("a text without pages has %v", pages)
	}
	// The next version has its own.
	ingest(t, c, col, "掃描.pdf", nil, "all of it")
	if pages := must[[]rag.PageSpan](t)(c.Pages(t.Context(), v.Document.ID)); pages != nil {
		t.Errorf("the next version has the pages %v", pages)
	}
	must[[]rag.ChunkID](t)(c.DeleteDocument(t.Context(), col.ID, "掃描.pdf"))
	_, err := c.Pages(t.Context(), v.Document.ID)
	wantCode(t, "pages of a deleted document", err, rag.NotFound)
}

// A job's counts and its slowest file are kept as they were recorded last.
func progress(t *testing.T, c Catalog, _ *Clock) {
	col := makeCollection(t, c, "c")
	made := must[rag.Job](t)(c.Submit(t.Context(), col.ID, []rag.Upload{{ExternalID: "a"}, {ExternalID: "b"}}))
	if made.Progress != (rag.Progress{Total: 2}) {
		t.Errorf("a new job has the progress %+v", made.Progress)
	}
	l := must[*rag.Lease](t)(c.LeaseJob(t.Context(), "w", time.Minute))
	at := rag.Progress{Done: 40, Total: 90, Stages: rag.StageCounts{Parsed: 2, Chunks: 90, Embedded: 40, Published: 1},
		Slowest: rag.SlowFile{ExternalID: "慢/檔 🐌.pdf", Stage: rag.StageParse, Took: 1234567 * time.Microsecond}}
	if err := c.SetProgress(t.Context(), l.Job.ID, l.Token, rag.StageEmbed, at); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(at, must[rag.Job](t)(c.Job(t.Context(), l.Job.ID)).Progress); diff != "" {
		t.Error(diff)
	}
	end := at
	end.Done, end.Total, end.Stages.Published = 2, 2, 2
	if err := c.FinishJob(t.Context(), l.Job.ID, l.Token, rag.JobSucceeded, rag.StagePublish, end, nil); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(end, must[rag.Job](t)(c.Job(t.Context(), l.Job.ID)).Progress); diff != "" {
		t.Error(diff)
	}
}

// A version of the same recipe takes the place of the active one without any work, and only then.
func unchanged(t *testing.T, c Catalog, clock *Clock) {
	col := makeCollection(t, c, "c")
	take := func(externalID string) *rag.Lease {
		t.Helper()
		must[rag.Job](t)(c.Submit(t.Context(), col.ID, []rag.Upload{{ExternalID: externalID}}))
		return must[*rag.Lease](t)(c.LeaseJob(t.Context(), "w", time.Minute))
	}
	confirm := func(l *rag.Lease, recipe string, want bool) {
		t.Helper()
		if got := must[bool](t)(c.Confirm(t.Context(), l.Job.ID, l.Token, 0, recipe)); got != want {
			t.Errorf("version %d with recipe %q: confirmed %t, want %t", l.Job.Documents[0].Version, recipe, got, want)
		}
	}
	publish := func(l *rag.Lease, recipe string, words ...string) rag.Version {
		t.Helper()
		v := version(l.Job.Documents[0], nil, words...)
		v.Document.SHA256 = recipe + "-bytes"
		v.Recipe, v.Warnings = recipe, []string{"Page 9 could not be read."}
		must[[]rag.ChunkID](t)(c.Publish(t.Context(), l.Job.ID, l.Token, 0, v))
		if err := c.FinishJob(t.Context(), l.Job.ID, l.Token, rag.JobSucceeded, rag.StagePublish, rag.Progress{Done: 1, Total: 1}, nil); err != nil {
			t.Fatal(err)
		}
		return v
	}
	first := take("d")
	confirm(first, "r", false) // no version is active
	v := publish(first, "r", "一", "two")
	clock.Advance(time.Hour)

	second := take("d")
	confirm(second, "other", false)
	confirm(second, "", false)
	confirm(second, "r", true)
	d := must[rag.Document](t)(c.Document(t.Context(), col.ID, "d"))
	if got := must[string](t)(c.Recipe(t.Context(), d.ID)); got != "r" {
		t.Errorf("got the recipe %q", got)
	}
	if got := must[rag.DocumentID](t)(c.Twin(t.Context(), col.ID, "r-bytes")); got != d.ID {
		t.Errorf("got the twin %q", got)
	}
	_, err := c.Twin(t.Context(), col.ID, "")
	wantCode(t, "no bytes", err, rag.NotFound)
	_, err = c.Twin(t.Context(), makeCollection(t, c, "another").ID, "r-bytes")
	wantCode(t, "a twin in another collection", err, rag.NotFound)
	chunks := must[[]rag.Chunk](t)(c.Chunks(t.Context(), d.ID, -1, 9))
	if d.Version != 2 || !d.UpdatedAt.Equal(clock.Now()) || len(chunks) != 2 || chunks[0].ID != v.Chunks[0].ID || chunks[0].Version != 2 {
		t.Errorf("got %+v with %+v", d, chunks)
	}
	if removals := must[[]rag.Removal](t)(c.Removals(t.Context(), 9)); len(removals) > 0 {
		t.Errorf("queued %v", removals)
	}
	if jd := must[rag.Job](t)(c.Job(t.Context(), second.Job.ID)).Documents[0]; !jd.Published || !jd.Unchanged || len(jd.Warnings) != 1 {
		t.Errorf("got %+v", jd)
	}
	if jd := must[rag.Job](t)(c.Job(t.Context(), first.Job.ID)).Documents[0]; jd.Unchanged {
		t.Errorf("the first job has %+v", jd)
	}

	// A version that comes late passes over nothing that is newer.
	third, fourth := take("d"), take("d")
	publish(fourth, "s", "四")
	confirm(third, "s", false)
	// What was published without a recipe is never taken for known.
	publish(take("d"), "", "五")
	confirm(take("d"), "", false)
	// Nor is a document that was deleted, and a job that another has may not.
	last := take("d")
	must[[]rag.ChunkID](t)(c.DeleteDocument(t.Context(), col.ID, "d"))
	confirm(last, "s", false)
	_, err = c.Recipe(t.Context(), d.ID)
	wantCode(t, "the recipe of a deleted document", err, rag.NotFound)
	_, err = c.Confirm(t.Context(), last.Job.ID, last.Token-1, 0, "s")
	wantCode(t, "an older token", err, rag.Conflict)
	must[rag.Job](t)(c.CancelJob(t.Context(), last.Job.ID))
	_, err = c.Confirm(t.Context(), last.Job.ID, last.Token, 0, "s")
	wantCode(t, "a cancelled job", err, rag.Cancelled)
}

// Retrying a job leaves the documents alone that it has published.
func retry(t *testing.T, c Catalog, _ *Clock) {
	col := makeCollection(t, c, "c")
	must[rag.Job](t)(c.Submit(t.Context(), col.ID, []rag.Upload{{ExternalID: "good"}, {ExternalID: "壞"}}))
	l := must[*rag.Lease](t)(c.LeaseJob(t.Context(), "w", time.Minute))
	v := version(l.Job.Documents[0], nil, "text")
	v.Warnings = []string{"w"}
	must[[]rag.ChunkID](t)(c.Publish(t.Context(), l.Job.ID, l.Token, 0, v))
	if err := c.FailDocument(t.Context(), l.Job.ID, l.Token, 1, rag.JobError{Code: rag.Invalid, Message: "讀不了"}); err != nil {
		t.Fatal(err)
	}
	if err := c.FinishJob(t.Context(), l.Job.ID, l.Token, rag.JobFailed, rag.StagePublish, rag.Progress{Done: 1, Total: 2}, &rag.JobError{Code: rag.Invalid, Message: "1 failed"}); err != nil {
		t.Fatal(err)
	}
	j := must[rag.Job](t)(c.RetryJob(t.Context(), l.Job.ID))
	if d := j.Documents; j.Status != rag.JobQueued || !d[0].Published || len(d[0].Warnings) != 1 || d[1].Published || d[1].Error != nil {
		t.Errorf("got %+v", j)
	}
}
