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
