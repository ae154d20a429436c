package main

import (
	"context"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"

	"footnote/internal/catalog/sqlite"
	indexlocal "footnote/internal/index/local"
	"footnote/internal/ingest"
	"footnote/internal/rag"
)

// refusing is a catalog that refuses to publish while it is told to.
type refusing struct {
	*sqlite.Store
	now atomic.Bool
}

func (r *refusing) Publish(ctx context.Context, job rag.JobID, token int64, n int, v rag.Version) ([]rag.ChunkID, error) {
	if r.now.Load() {
		return nil, rag.Errorf(rag.Internal, "The catalog refuses.")
	}
	return r.Store.Publish(ctx, job, token, n, v)
}

// A document whose publication failed after its points were written is made good before the files are: they hold what the catalog lists.
func TestCheckpoint_SettlesWhatFailedHalfWay(t *testing.T) {
	t.Parallel()
	r := newRestarts(t)
	data := t.TempDir()
	a, _ := r.open(data)
	defer a.close()
	st := &refusing{Store: a.catalog.(*sqlite.Store)}
	blobs, err := a.openBlobs(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	x := a.index.(*indexlocal.Index)
	service := ingest.New(ingest.Options{Catalog: st, Blobs: blobs, Index: x, Durable: x, Changes: st, Embedder: a.embedder, Logger: slog.New(slog.DiscardHandler)})
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1) // it ends whether or not the test still looks
	go func() { ended <- service.Run(ctx) }()
	defer func() { stop(); <-ended }()
	if _, err := service.CreateCollection(t.Context(), rag.Collection{Name: "c"}); err != nil {
		t.Fatal(err)
	}
	submit := func(text, team string, want rag.JobStatus) {
		t.Helper()
		job, err := service.Submit(t.Context(), "c", []rag.Source{{Upload: rag.Upload{ExternalID: "d", MediaType: "text/plain", Metadata: rag.Metadata{"team": team}}, Content: strings.NewReader(text)}})
		if err == nil {
			job, err = service.Wait(t.Context(), job.ID)
		}
		if err != nil || job.Status != want {
			t.Fatalf("got %+v, %v", job, err)
		}
	}
	submit("The same text tells of oxygen.", "red", rag.JobSucceeded)
	st.now.Store(true)
	submit("The same text tells of oxygen.", "blue", rag.JobFailed)
	submit("Another text tells of oxygen.", "blue", rag.JobFailed)
	if err := service.Checkpoint(t.Context()); err != nil {
		t.Fatal(err)
	}
	agrees(t, "settled", a)
	x.Wait()
	b, log := r.open(image(t, data))
	defer b.close()
	agrees(t, "after a crash", b)
	if log.count(filledLine)+log.count(settledLine) != 0 {
		t.Errorf("the log says\n%s", log)
	}
}
