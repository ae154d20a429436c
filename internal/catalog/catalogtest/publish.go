package catalogtest

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"footnote/internal/rag"
)

func publish(t *testing.T, c Catalog, _ *Clock) {
	col := makeCollection(t, c, "handbook")
	meta := rag.Metadata{"team": "人事", "year": 2026.0, "draft": false, "tags": []string{"請假", "leave"}}
	job := must[rag.Job](t)(c.Submit(t.Context(), col.ID, []rag.Upload{{ExternalID: "文檔/leave 🌴.md", SHA256: "ab", Bytes: 3, Metadata: meta}, {SHA256: "cd"}}))
	if job.Status != rag.JobQueued || len(job.Documents) != 2 || job.Documents[1].ExternalID != string(job.Documents[1].Document) {
		t.Fatalf("got %+v", job)
	}
	l := must[*rag.Lease](t)(c.LeaseJob(t.Context(), "w", time.Minute))
	if diff := cmp.Diff(meta, l.Uploads[0].Metadata); diff != "" {
		t.Error(diff)
	}
	v := version(l.Job.Documents[0], meta, "育兒假十六週。", "Sixteen weeks. ", "😀")
	_, err := c.Document(t.Context(), col.ID, "文檔/leave 🌴.md")
	wantCode(t, "a document before it is published", err, rag.NotFound)
	for range 2 { // repeated after a crash
		if removed := must[[]rag.ChunkID](t)(c.Publish(t.Context(), l.Job.ID, l.Token, 0, v)); len(removed) > 0 {
			t.Errorf("removed %v", removed)
		}
	}
	d := must[rag.Document](t)(c.Document(t.Context(), col.ID, "文檔/leave 🌴.md"))
	if d.Version != 1 || d.Chunks != 3 || d.Title != v.Document.Title {
		t.Errorf("got %+v", d)
	}
	if diff := cmp.Diff(meta, d.Metadata); diff != "" {
		t.Error(diff)
	}
	if got := must[string](t)(c.Text(t.Context(), d.ID)); got != v.Text {
		t.Errorf("got %q", got)
	}
	if diff := cmp.Diff(v.Chunks[1:], must[[]rag.Chunk](t)(c.Chunks(t.Context(), d.ID, 0, 10))); diff != "" {
		t.Error(diff)
	}
	hits := must[[]rag.Hit](t)(c.Hydrate(t.Context(), col.ID, []rag.ChunkID{v.Chunks[2].ID, "00000000-0000-5000-8000-000000000000"}))
	if len(hits) != 1 || hits[0].Chunk.Text != "😀" || hits[0].Collection != "handbook" || hits[0].Document.ExternalID != d.ExternalID {
		t.Errorf("got %+v", hits)
	}
	other := makeCollection(t, c, "other")
	if hits := must[[]rag.Hit](t)(c.Hydrate(t.Context(), other.ID, []rag.ChunkID{v.Chunks[2].ID})); len(hits) != 0 {
		t.Errorf("another collection sees %v", hits)
	}
	n := 0
	if err := c.EachChunk(t.Context(), col.ID, func(s rag.StoredChunk) error {
		if diff := cmp.Diff(v.Embeddings[s.Chunk.Ordinal], s.Embedding); diff != "" {
			t.Error(diff)
		}
		n++
		return nil
	}); err != nil || n != 3 {
		t.Errorf("got %d chunks, %v", n, err)
	}
	if err := c.EachChunkID(t.Context(), col.ID, func(p rag.PointRef) error {
		if p.Document != d.ID {
			t.Errorf("got %+v", p)
		}
		n--
		return nil
	}); err != nil || n != 0 {
		t.Errorf("%d chunk ids are missing, %v", n, err)
	}
	if got := must[rag.Collection](t)(c.DescribeCollection(t.Context(), "handbook")); got.Documents != 1 || got.Chunks != 3 {
		t.Errorf("counted %d documents, %d chunks", got.Documents, got.Chunks)
	}
}

func republish(t *testing.T, c Catalog, _ *Clock) {
	col := makeCollection(t, c, "c")
	first := ingest(t, c, col, "d", nil, "one", "two", "three")
	must[rag.Job](t)(c.Submit(t.Context(), col.ID, []rag.Upload{{ExternalID: "d"}}))
	l := must[*rag.Lease](t)(c.LeaseJob(t.Context(), "w", time.Minute))
	second := version(l.Job.Documents[0], nil, "two", "four")
	if second.Chunks[0].ID != first.Chunks[1].ID {
		t.Fatal("the same text has another id")
	}
	known := must[map[rag.ChunkID]rag.Embedding](t)(c.Embeddings(t.Context(), []rag.ChunkID{second.Chunks[0].ID, second.Chunks[1].ID}))
	if len(known) != 1 {
		t.Fatalf("knows %v", known)
	}
	second.Embeddings[0] = nil // the stored vector is to be kept
	removed := must[[]rag.ChunkID](t)(c.Publish(t.Context(), l.Job.ID, l.Token, 0, second))
	if diff := cmp.Diff([]rag.ChunkID{first.Chunks[0].ID, first.Chunks[2].ID}, removed); diff != "" {
		t.Error(diff)
	}
	known = must[map[rag.ChunkID]rag.Embedding](t)(c.Embeddings(t.Context(), []rag.ChunkID{second.Chunks[0].ID}))
	if diff := cmp.Diff(first.Embeddings[1], known[second.Chunks[0].ID]); diff != "" {
		t.Error(diff)
	}
	queue := must[[]rag.Removal](t)(c.Removals(t.Context(), 10))
	if len(queue) != 2 || queue[0].Document != first.Document.ID {
		t.Errorf("queued %v", queue)
	}
	// The text comes back: its chunk must not be removed any more.
	ingest(t, c, col, "d", nil, "one", "two")
	for _, r := range must[[]rag.Removal](t)(c.Removals(t.Context(), 10)) {
		if r.Chunk == first.Chunks[0].ID {
			t.Error("a listed chunk is still queued for removal")
		}
	}
	if err := c.AckRemovals(t.Context(), must[[]rag.Removal](t)(c.Removals(t.Context(), 10))); err != nil {
		t.Fatal(err)
	}
	if left := must[[]rag.Removal](t)(c.Removals(t.Context(), 10)); len(left) > 0 {
		t.Errorf("left %v", left)
	}
}

func outOfOrder(t *testing.T, c Catalog, _ *Clock) {
	col := makeCollection(t, c, "c")
	for range 2 {
		must[rag.Job](t)(c.Submit(t.Context(), col.ID, []rag.Upload{{ExternalID: "d"}}))
	}
	older := must[*rag.Lease](t)(c.LeaseJob(t.Context(), "a", time.Minute))
	newer := must[*rag.Lease](t)(c.LeaseJob(t.Context(), "b", time.Minute))
	if older.Job.Documents[0].Version != 1 || newer.Job.Documents[0].Version != 2 {
		t.Fatalf("versions %d, %d", older.Job.Documents[0].Version, newer.Job.Documents[0].Version)
	}
	must[[]rag.ChunkID](t)(c.Publish(t.Context(), newer.Job.ID, newer.Token, 0, version(newer.Job.Documents[0], nil, "new")))
	must[[]rag.ChunkID](t)(c.Publish(t.Context(), older.Job.ID, older.Token, 0, version(older.Job.Documents[0], nil, "old")))
	if d := must[rag.Document](t)(c.Document(t.Context(), col.ID, "d")); d.Version != 2 {
		t.Errorf("version %d is active", d.Version)
	}
	// A document that is deleted while a version is under way stays deleted.
	must[rag.Job](t)(c.Submit(t.Context(), col.ID, []rag.Upload{{ExternalID: "d"}}))
	l := must[*rag.Lease](t)(c.LeaseJob(t.Context(), "a", time.Minute))
	must[[]rag.ChunkID](t)(c.DeleteDocument(t.Context(), col.ID, "d"))
	_, err := c.Publish(t.Context(), l.Job.ID, l.Token, 0, version(l.Job.Documents[0], nil, "ghost"))
	wantCode(t, "publishing a deleted document", err, rag.Conflict)
}

// concurrent has readers look on while versions replace each other: they see one version whole, never a mixture.
func concurrent(t *testing.T, c Catalog, _ *Clock) {
	col := makeCollection(t, c, "c")
	ingest(t, c, col, "d", nil, "v1-a", "v1-b")
	id := must[rag.Document](t)(c.Document(t.Context(), col.ID, "d")).ID
	ctx, stop := context.WithCancel(t.Context())
	var readers sync.WaitGroup
	for range 3 {
		readers.Go(func() {
			for ctx.Err() == nil {
				chunks, err := c.Chunks(t.Context(), id, -1, 10)
				if err != nil || len(chunks) != 2 || chunks[0].Text[:2] != chunks[1].Text[:2] || chunks[0].Version != chunks[1].Version {
					t.Errorf("read %v, %v", chunks, err)
					return
				}
			}
		})
	}
	for i := range 20 {
		v := fmt.Sprintf("v%d", 2+i%7)
		ingest(t, c, col, "d", nil, v+"-a", v+"-b")
	}
	stop()
	readers.Wait()
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
