package ingest

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/semaphore"

	"footnote/internal/rag"
)

// originals has a text of a hundred bytes under every name.
type originals struct{ Blobs }

func (originals) Get(_ context.Context, sha string) (io.ReadCloser, error) {
	return io.NopCloser(strings.NewReader(fmt.Sprintf("%-100s", "The original "+sha+"."))), nil
}

// words is an embedder that counts words and embeds nothing.
type words struct{ Embedder }

func (words) Fingerprint() string         { return "words" }
func (words) MaxTokens() int              { return 500 }
func (words) CountTokens(text string) int { return len(strings.Fields(text)) }

// Uploads in hand are bounded: a group ends before the bound, and the next document waits until what was sent on has been published.
func TestDraftGroups_UploadsInHandAreBounded(t *testing.T) {
	t.Parallel()
	const documents, fit = 9, 4
	w := &work{
		Service: New(Options{Blobs: originals{}, Embedder: words{}}), embedder: words{}, room: semaphore.NewWeighted(fit * 100), wrote: time.Now().Add(time.Hour),
		collection: rag.Collection{Chunking: rag.DefaultChunking},
	}
	for n := range documents {
		w.lease.Job.Documents = append(w.lease.Job.Documents, rag.JobDocument{Document: rag.NewDocumentID(), ExternalID: fmt.Sprint(n), Version: 1})
		w.lease.Uploads = append(w.lease.Uploads, rag.Upload{ExternalID: fmt.Sprint(n), MediaType: "text/plain", SHA256: fmt.Sprint(n), Bytes: 100})
	}
	out := make(chan []*draft)
	ended := make(chan error, 1) // it ends whether or not the test still looks
	go func() {
		defer close(out)
		_, err := w.draftGroups(t.Context(), slog.New(slog.DiscardHandler), out)
		ended <- err
	}()
	var sizes []int
	n := 0
	for group := range out {
		sizes = append(sizes, len(group))
		if w.room.TryAcquire(100 * (fit + 1 - int64(len(group)))) {
			t.Errorf("beside a group of %d there is room for more than %d", len(group), fit)
		}
		for _, d := range group {
			if d.n != n {
				t.Errorf("document %d comes as number %d", d.n, n)
			}
			n++
			w.room.Release(d.bytes)
		}
	}
	if err := <-ended; err != nil || fmt.Sprint(sizes) != "[4 4 1]" {
		t.Errorf("got groups of %v documents, %v", sizes, err)
	}
}

// A step that waits for room, or for the next step, ends with its context.
func TestDraftGroups_EndsWithItsContext(t *testing.T) {
	t.Parallel()
	w := &work{
		Service: New(Options{Blobs: originals{}, Embedder: words{}}), embedder: words{}, room: semaphore.NewWeighted(100), wrote: time.Now().Add(time.Hour),
		collection: rag.Collection{Chunking: rag.DefaultChunking},
	}
	for n := range 3 {
		w.lease.Job.Documents = append(w.lease.Job.Documents, rag.JobDocument{Document: rag.NewDocumentID(), ExternalID: fmt.Sprint(n), Version: 1})
		w.lease.Uploads = append(w.lease.Uploads, rag.Upload{ExternalID: fmt.Sprint(n), MediaType: "text/plain", SHA256: fmt.Sprint(n), Bytes: 100})
	}
	ctx, stop := context.WithCancelCause(t.Context())
	out := make(chan []*draft)
	ended := make(chan error)
	go func() {
		_, err := w.draftGroups(ctx, slog.New(slog.DiscardHandler), out)
		ended <- err
	}()
	<-out // the first; the second has no room until that is published
	stop(errLost)
	if err := <-ended; err != errLost {
		t.Errorf("got %v, want %v", err, errLost)
	}
}
