package catalogtest

import (
	"fmt"
	"testing"
	"time"

	"footnote/internal/rag"
)

func jobs(t *testing.T, c Catalog, _ *Clock) {
	col := makeCollection(t, c, "c")
	var ids []rag.JobID
	for i := range 5 {
		ids = append(ids, must[rag.Job](t)(c.Submit(t.Context(), col.ID, []rag.Upload{{ExternalID: fmt.Sprint(i)}})).ID)
	}
	page := must[[]rag.Job](t)(c.Jobs(t.Context(), rag.JobQuery{Limit: 2}))
	rest := must[[]rag.Job](t)(c.Jobs(t.Context(), rag.JobQuery{Limit: 9, After: page[1].ID, Collections: []rag.CollectionID{col.ID}, Status: rag.JobQueued}))
	if page[0].ID != ids[4] || len(rest) != 3 || rest[2].ID != ids[0] {
		t.Errorf("got pages %v, %v", page, rest)
	}
	l := must[*rag.Lease](t)(c.LeaseJob(t.Context(), "w", time.Minute))
	if l.Job.ID != ids[0] {
		t.Errorf("leased %s first", l.Job.ID)
	}
	if err := c.SetProgress(t.Context(), l.Job.ID, l.Token, rag.StageEmbed, rag.Progress{Done: 3, Total: 40}); err != nil {
		t.Fatal(err)
	}
	if err := c.FailDocument(t.Context(), l.Job.ID, l.Token, 0, rag.JobError{Code: rag.Unsupported, Message: "看不懂"}); err != nil {
		t.Fatal(err)
	}
	if err := c.FinishJob(t.Context(), l.Job.ID, l.Token, rag.JobFailed, rag.StageEmbed, rag.Progress{Done: 3, Total: 40}, &rag.JobError{Code: rag.Unsupported, Message: "1 failed"}); err != nil {
		t.Fatal(err)
	}
	j := must[rag.Job](t)(c.Job(t.Context(), l.Job.ID))
	if j.Status != rag.JobFailed || j.Error == nil || j.Documents[0].Error == nil || j.Documents[0].Error.Message != "看不懂" || j.Progress.Done != 3 || j.FinishedAt.IsZero() {
		t.Errorf("got %+v", j)
	}
	_, err := c.CancelJob(t.Context(), j.ID)
	wantCode(t, "cancelling a failed job", err, rag.Conflict)
	j = must[rag.Job](t)(c.RetryJob(t.Context(), j.ID))
	if j.Status != rag.JobQueued || j.Error != nil || j.Documents[0].Error != nil {
		t.Errorf("retried: %+v", j)
	}
	_, err = c.RetryJob(t.Context(), j.ID)
	wantCode(t, "retrying a queued job", err, rag.Conflict)
	l = must[*rag.Lease](t)(c.LeaseJob(t.Context(), "w", time.Minute))
	if err := c.ReleaseJob(t.Context(), l.Job.ID, l.Token); err != nil {
		t.Fatal(err)
	}
	if j := must[rag.Job](t)(c.Job(t.Context(), l.Job.ID)); j.Status != rag.JobQueued {
		t.Errorf("released: %+v", j)
	}
	_, err = c.Job(t.Context(), "job_none")
	wantCode(t, "a job that is not", err, rag.NotFound)
	_, err = c.CancelJob(t.Context(), "job_none")
	wantCode(t, "cancelling it", err, rag.NotFound)
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
