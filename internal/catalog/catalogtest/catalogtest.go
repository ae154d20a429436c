// Package catalogtest is the conformance suite of catalogs: whatever passes it may stand behind the service.
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

// Catalog is all that the service asks of one.
type Catalog interface {
	Installation(ctx context.Context) (string, error)
	CreateCollection(ctx context.Context, c rag.Collection) (rag.Collection, error)
	Collection(ctx context.Context, name string) (rag.Collection, error)
	DescribeCollection(ctx context.Context, name string) (rag.Collection, error)
	Collections(ctx context.Context, after string, limit int) ([]rag.Collection, error)
	HiddenCollections(ctx context.Context) ([]rag.Collection, error)
	UpdateCollection(ctx context.Context, name string, patch rag.CollectionPatch) (rag.Collection, error)
	RenameCollection(ctx context.Context, id rag.CollectionID, name string) error
	DeleteCollection(ctx context.Context, name string) (rag.Collection, error)
	HasDocument(ctx context.Context, id rag.DocumentID) (bool, error)
	ImportDocument(ctx context.Context, v rag.Version) error
	Document(ctx context.Context, collection rag.CollectionID, externalID string) (rag.Document, error)
	DocumentByID(ctx context.Context, id rag.DocumentID) (rag.Document, error)
	Documents(ctx context.Context, collection rag.CollectionID, filter *rag.Filter, after string, limit int) ([]rag.Document, error)
	Text(ctx context.Context, id rag.DocumentID) (string, error)
	Twin(ctx context.Context, collection rag.CollectionID, sha256 string) (rag.DocumentID, error)
	Recipe(ctx context.Context, id rag.DocumentID) (string, error)
	Pages(ctx context.Context, id rag.DocumentID) ([]rag.PageSpan, error)
	ArchiveFiles(ctx context.Context, collection rag.CollectionID, archive string) ([]string, error)
	Chunks(ctx context.Context, id rag.DocumentID, after, limit int) ([]rag.Chunk, error)
	Hydrate(ctx context.Context, collection rag.CollectionID, ids []rag.ChunkID) ([]rag.Hit, error)
	Languages(ctx context.Context, collection rag.CollectionID) ([]string, error)
	ChunkLanguages(ctx context.Context, collection rag.CollectionID, ids []rag.ChunkID) (map[rag.ChunkID]string, error)
	Embeddings(ctx context.Context, ids []rag.ChunkID) (map[rag.ChunkID]rag.Embedding, error)
	EmbeddingsByText(ctx context.Context, fingerprint string, texts []rag.TextHash) (map[rag.TextHash]rag.Embedding, error)
	EachChunk(ctx context.Context, collection rag.CollectionID, f func(rag.StoredChunk) error) error
	EachChunkID(ctx context.Context, collection rag.CollectionID, f func(rag.PointRef) error) error
	DeleteDocument(ctx context.Context, collection rag.CollectionID, externalID string) ([]rag.ChunkID, error)
	Removals(ctx context.Context, limit int) ([]rag.Removal, error)
	AckRemovals(ctx context.Context, done []rag.Removal) error
	Submit(ctx context.Context, collection rag.CollectionID, uploads []rag.Upload) (rag.Job, error)
	Job(ctx context.Context, id rag.JobID) (rag.Job, error)
	Jobs(ctx context.Context, q rag.JobQuery) ([]rag.Job, error)
	LeaseJob(ctx context.Context, worker string, d time.Duration) (*rag.Lease, error)
	ExtendLease(ctx context.Context, id rag.JobID, token int64, d time.Duration) error
	SetProgress(ctx context.Context, id rag.JobID, token int64, stage rag.JobStage, p rag.Progress) error
	Publish(ctx context.Context, id rag.JobID, token int64, n int, v rag.Version) ([]rag.ChunkID, error)
	Confirm(ctx context.Context, id rag.JobID, token int64, n int, recipe string) (bool, error)
	Remove(ctx context.Context, id rag.JobID, token int64, n int) ([]rag.ChunkID, error)
	FailDocument(ctx context.Context, id rag.JobID, token int64, n int, e rag.JobError) error
	FinishJob(ctx context.Context, id rag.JobID, token int64, status rag.JobStatus, stage rag.JobStage, p rag.Progress, e *rag.JobError) error
	ReleaseJob(ctx context.Context, id rag.JobID, token int64) error
	CancelJob(ctx context.Context, id rag.JobID) (rag.Job, error)
	RetryJob(ctx context.Context, id rag.JobID) (rag.Job, error)
	StartReembedding(ctx context.Context, r rag.Reembedding) error
	Reembedding(ctx context.Context, id rag.CollectionID) (rag.Reembedding, error)
	Reembeddings(ctx context.Context) ([]rag.Reembedding, error)
	MoveReembedding(ctx context.Context, r rag.Reembedding) error
	ChunksWithoutOther(ctx context.Context, id rag.CollectionID, limit int) ([]rag.StoredChunk, error)
	EachOther(ctx context.Context, id rag.CollectionID, f func(rag.StoredChunk) error) error
	SaveOther(ctx context.Context, r rag.Reembedding, ids []rag.ChunkID, vectors []rag.Embedding) error
	SwapEmbedding(ctx context.Context, id rag.CollectionID) (missing int, err error)
	EndReembedding(ctx context.Context, id rag.CollectionID) error
	SaveCitations(ctx context.Context, citations []rag.Citation) error
	Citation(ctx context.Context, id rag.CitationID) (rag.Citation, error)
	ClaimIdempotencyKey(ctx context.Context, key, bodyHash string) (*rag.KeptResponse, error)
	SaveIdempotentResponse(ctx context.Context, key string, r rag.KeptResponse) error
	ReleaseIdempotencyKey(ctx context.Context, key string) error
	CreateKey(ctx context.Context, k rag.APIKey) (rag.APIKey, error)
	Keys(ctx context.Context, after rag.KeyID, limit int) ([]rag.APIKey, error)
	KeyByHash(ctx context.Context, hash string) (rag.APIKey, error)
	HasKeys(ctx context.Context) (bool, error)
	RevokeKey(ctx context.Context, id rag.KeyID) (rag.APIKey, error)
	TouchKey(ctx context.Context, id rag.KeyID, at time.Time) error
}

// Clock is a clock that a test moves.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// NewClock starts at a fixed time.
func NewClock() *Clock { return &Clock{now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)} }

// Now is the clock's time.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Advance moves it on.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// Run runs the suite; open gives an empty catalog that uses the clock.
func Run(t *testing.T, open func(t *testing.T, clock *Clock) Catalog) {
	for name, test := range map[string]func(*testing.T, Catalog, *Clock){
		"collections": collections, "prompts": prompts, "publish": publish, "republish": republish, "fencing": fencing, "out of order": outOfOrder,
		"delete": deletes, "jobs": jobs, "filters": filters, "citations": citations, "concurrent": concurrent,
		"idempotency": idempotency, "keys": keys, "leasing": leasing, "names": names, "import": imports, "re-embedding": reembedding,
		"by text": byText, "by text while models are swapped": byTextSwapped,
		"warnings and pages": warnings, "progress": progress, "unchanged": unchanged, "retry": retry, "languages": languages, "archives": archives,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			clock := NewClock()
			test(t, open(t, clock), clock)
		})
	}
}

func must[T any](t *testing.T) func(v T, err error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func wantCode(t *testing.T, what string, err error, want rag.Code) {
	t.Helper()
	if got := rag.CodeOf(err); got != want {
		t.Errorf("%s: got code %q (%v), want %q", what, got, err, want)
	}
}

func makeCollection(t *testing.T, c Catalog, name string) rag.Collection {
	t.Helper()
	return must[rag.Collection](t)(c.CreateCollection(t.Context(), rag.Collection{
		Name: name, Embedding: rag.EmbeddingSpec{Model: "m", Fingerprint: "f", Dimensions: 2}, Chunking: rag.DefaultChunking}))
}

// version makes a version of n chunks whose text is made of words.
func version(d rag.JobDocument, metadata rag.Metadata, words ...string) rag.Version {
	v := rag.Version{Document: rag.Document{ID: d.Document, ExternalID: d.ExternalID, Version: d.Version, Title: "標題 🗂", MediaType: "text/plain", Language: "zh", Metadata: metadata}}
	at := 0
	for i, w := range words {
		n := len([]rune(w))
		v.Chunks = append(v.Chunks, rag.Chunk{ID: rag.NewChunkID(d.Document, w, 0), Document: d.Document, Version: d.Version, Ordinal: i,
			Span: rag.Span{Start: at, End: at + n}, HeadingPath: []string{"章", "節"}[:1+i%2], Context: []string{"", "姓名 | Age 🗂"}[i%2], Text: w})
		v.Embeddings = append(v.Embeddings, rag.Embedding{1, float32(i)})
		v.Text += w
		at += n
	}
	v.Document.Characters = at
	return v
}

// ingest takes one document in.
func ingest(t *testing.T, c Catalog, col rag.Collection, externalID string, metadata rag.Metadata, words ...string) (rag.Version, []rag.ChunkID) {
	t.Helper()
	must[rag.Job](t)(c.Submit(t.Context(), col.ID, []rag.Upload{{ExternalID: externalID, SHA256: "00", Metadata: metadata}}))
	l := must[*rag.Lease](t)(c.LeaseJob(t.Context(), "w", time.Minute))
	v := version(l.Job.Documents[0], metadata, words...)
	removed := must[[]rag.ChunkID](t)(c.Publish(t.Context(), l.Job.ID, l.Token, 0, v))
	if err := c.FinishJob(t.Context(), l.Job.ID, l.Token, rag.JobSucceeded, rag.StagePublish, rag.Progress{Done: 1, Total: 1}, nil); err != nil {
		t.Fatal(err)
	}
	return v, removed
}

func collections(t *testing.T, c Catalog, _ *Clock) {
	id := must[string](t)(c.Installation(t.Context()))
	if again := must[string](t)(c.Installation(t.Context())); len(id) < 10 || again != id {
		t.Errorf("the installation is called %q, then %q", id, again)
	}
	for _, name := range []string{"b", "a", "c"} {
		makeCollection(t, c, name)
	}
	_, err := c.CreateCollection(t.Context(), rag.Collection{Name: "a"})
	wantCode(t, "the same name", err, rag.Conflict)
	page := must[[]rag.Collection](t)(c.Collections(t.Context(), "a", 1))
	if len(page) != 1 || page[0].Name != "b" {
		t.Errorf("got %v", page)
	}
	description := "手冊 📖"
	if got := must[rag.Collection](t)(c.UpdateCollection(t.Context(), "a", rag.CollectionPatch{Description: &description})); got.Description != description || got.Prompt != (rag.PromptTemplate{}) {
		t.Errorf("got %+v", got)
	}
	must[rag.Collection](t)(c.DeleteCollection(t.Context(), "a"))
	_, err = c.Collection(t.Context(), "a")
	wantCode(t, "a deleted collection", err, rag.NotFound)
	_, err = c.DeleteCollection(t.Context(), "a")
	wantCode(t, "deleting it again", err, rag.NotFound)
	_, err = c.UpdateCollection(t.Context(), "a", rag.CollectionPatch{Description: &description})
	wantCode(t, "updating it", err, rag.NotFound)
}

func prompts(t *testing.T, c Catalog, _ *Clock) {
	makeCollection(t, c, "a")
	description := "stays"
	must[rag.Collection](t)(c.UpdateCollection(t.Context(), "a", rag.CollectionPatch{Description: &description}))
	for i, step := range []rag.PromptTemplate{
		{System: "你是人事助理。 🌴", User: "{{.Passages}}\n{{.Question}}", Version: 1},
		{System: "你是人事助理。 🌴", User: "{{.Passages}}\n{{.Question}}", Version: 1}, // the same text is no change
		{System: "你是人事助理。 🌴", Version: 2},
		{Version: 3}, // back to the default
		{Version: 3},
		{User: "{{.Passages}}{{.Question}}", Version: 4},
	} {
		asked := rag.PromptTemplate{System: step.System, User: step.User, Version: 99}
		got := must[rag.Collection](t)(c.UpdateCollection(t.Context(), "a", rag.CollectionPatch{Prompt: &asked}))
		again := must[rag.Collection](t)(c.Collection(t.Context(), "a"))
		if got.Prompt != step || again.Prompt != step || got.Description != description {
			t.Errorf("step %d: got %+v, then %+v, want %+v", i, got, again.Prompt, step)
		}
	}
	other := "another"
	if got := must[rag.Collection](t)(c.UpdateCollection(t.Context(), "a", rag.CollectionPatch{Description: &other})); got.Prompt.Version != 4 || got.Prompt.User == "" || got.Description != other {
		t.Errorf("a description alone: got %+v", got)
	}
	imported := rag.PromptTemplate{System: "brought along", Version: 7}
	must[rag.Collection](t)(c.CreateCollection(t.Context(), rag.Collection{Name: "b", Prompt: imported}))
	if got := must[rag.Collection](t)(c.Collection(t.Context(), "b")); got.Prompt != imported {
		t.Errorf("a collection that is made with a prompt: got %+v", got.Prompt)
	}
}

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
	first, _ := ingest(t, c, col, "d", nil, "one", "two", "three")
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

func outOfOrder(t *testing.T, c Catalog, clock *Clock) {
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

func deletes(t *testing.T, c Catalog, _ *Clock) {
	col := makeCollection(t, c, "c")
	v, _ := ingest(t, c, col, "d", nil, "one", "two")
	removed := must[[]rag.ChunkID](t)(c.DeleteDocument(t.Context(), col.ID, "d"))
	if len(removed) != 2 || len(must[[]rag.Removal](t)(c.Removals(t.Context(), 9))) != 2 {
		t.Errorf("removed %v", removed)
	}
	_, err := c.DocumentByID(t.Context(), v.Document.ID)
	wantCode(t, "a deleted document", err, rag.NotFound)
	_, err = c.Text(t.Context(), v.Document.ID)
	wantCode(t, "its text", err, rag.NotFound)
	_, err = c.DeleteDocument(t.Context(), col.ID, "d")
	wantCode(t, "deleting it again", err, rag.NotFound)
	ingest(t, c, col, "e", nil, "three")
	must[rag.Collection](t)(c.DeleteCollection(t.Context(), "c"))
	if left := must[[]rag.Job](t)(c.Jobs(t.Context(), rag.JobQuery{Limit: 9})); len(left) > 0 {
		t.Errorf("jobs left: %v", left)
	}
	_, err = c.Submit(t.Context(), col.ID, []rag.Upload{{}})
	wantCode(t, "submitting to a deleted collection", err, rag.NotFound)
}

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

func filters(t *testing.T, c Catalog, _ *Clock) {
	col := makeCollection(t, c, "c")
	for i := range 10 {
		ingest(t, c, col, fmt.Sprintf("d%d", i), rag.Metadata{"n": float64(i)}, fmt.Sprint("word", i))
	}
	f := &rag.Filter{Op: rag.OpGte, Key: "n", Value: 5.0}
	page := must[[]rag.Document](t)(c.Documents(t.Context(), col.ID, f, "d5", 3))
	if len(page) != 3 || page[0].ExternalID != "d6" || page[2].ExternalID != "d8" {
		t.Errorf("got %v", page)
	}
	if all := must[[]rag.Document](t)(c.Documents(t.Context(), col.ID, nil, "", 100)); len(all) != 10 {
		t.Errorf("got %d", len(all))
	}
}

func citations(t *testing.T, c Catalog, _ *Clock) {
	want := rag.Citation{ID: rag.NewCitationID(), Marker: 2, AnswerSpan: rag.Span{Start: 1, End: 5}, Collection: "c", ChunkID: "x", SourceSpan: rag.Span{Start: 7, End: 9},
		Document: rag.Document{ID: "doc_1", ExternalID: "文", Title: "題", Version: 3}, Quote: "引文", HeadingPath: []string{"章"}, Page: 4, Verified: true, Verdict: rag.VerdictSupported, Support: 0.75, Attribution: rag.AttributionAligned}
	if err := c.SaveCitations(t.Context(), []rag.Citation{want}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, must[rag.Citation](t)(c.Citation(t.Context(), want.ID))); diff != "" {
		t.Error(diff)
	}
	_, err := c.Citation(t.Context(), "cit_none")
	wantCode(t, "a citation that is not", err, rag.NotFound)
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

func idempotency(t *testing.T, c Catalog, clock *Clock) {
	claim := func(key, hash string) *rag.KeptResponse {
		t.Helper()
		return must[*rag.KeptResponse](t)(c.ClaimIdempotencyKey(t.Context(), key, hash))
	}
	if got := claim("k", "hash"); got != nil {
		t.Fatalf("a new key gave %+v", got)
	}
	if got := claim("k", "other"); got == nil || got.Status != 0 || got.BodyHash != "hash" {
		t.Fatalf("a claimed key gave %+v", got)
	}
	want := rag.KeptResponse{BodyHash: "hash", Status: 202, Header: map[string]string{"Location": "/x"}, Body: []byte("{}")}
	if err := c.SaveIdempotentResponse(t.Context(), "k", want); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(&want, claim("k", "hash")); diff != "" {
		t.Error(diff)
	}
	claim("given up", "h")
	if err := c.ReleaseIdempotencyKey(t.Context(), "given up"); err != nil {
		t.Fatal(err)
	}
	if err := c.ReleaseIdempotencyKey(t.Context(), "k"); err != nil {
		t.Fatal(err)
	}
	if claim("k", "hash") == nil || claim("given up", "h2") != nil {
		t.Error("giving up a claim keeps it, or drops an answer")
	}
	clock.Advance(2 * rag.IdempotencyClaim)
	if got := claim("given up", "h3"); got != nil {
		t.Errorf("a void claim gave %+v", got)
	}
	clock.Advance(2 * rag.IdempotencyAge)
	if got := claim("k", "new"); got != nil {
		t.Errorf("an old answer was replayed: %+v", got)
	}
	// Of many at once, one gets the claim.
	var mu sync.Mutex
	var many sync.WaitGroup
	won := 0
	for range 20 {
		many.Go(func() {
			got, err := c.ClaimIdempotencyKey(t.Context(), "race", "h")
			if err != nil {
				t.Error(err)
			}
			if got == nil {
				mu.Lock()
				won++
				mu.Unlock()
			}
		})
	}
	many.Wait()
	if won != 1 {
		t.Errorf("%d requests claimed one key", won)
	}
}

func keys(t *testing.T, c Catalog, clock *Clock) {
	if must[bool](t)(c.HasKeys(t.Context())) {
		t.Error("an empty catalog has keys")
	}
	var made []rag.APIKey
	for i, k := range []rag.APIKey{
		{Name: "網站 🔑", Scope: rag.ScopeRead, Collections: []string{"a", "b"}, PerMinute: 60, ExpiresAt: clock.Now().Add(time.Hour)},
		{Name: "admin", Scope: rag.ScopeAdmin},
		{Name: "writer", Scope: rag.ScopeWrite},
	} {
		k.ID, k.Hash, k.Prefix = rag.NewKeyID(), rag.HashKey(fmt.Sprint(i)), "fnk_"
		made = append(made, must[rag.APIKey](t)(c.CreateKey(t.Context(), k)))
	}
	if diff := cmp.Diff(made[0], must[rag.APIKey](t)(c.KeyByHash(t.Context(), rag.HashKey("0")))); diff != "" {
		t.Error(diff)
	}
	_, err := c.KeyByHash(t.Context(), "none")
	wantCode(t, "a key that is not", err, rag.NotFound)
	page := must[[]rag.APIKey](t)(c.Keys(t.Context(), "", 2))
	rest := must[[]rag.APIKey](t)(c.Keys(t.Context(), page[1].ID, 2))
	if page[0].Name != "writer" || len(rest) != 1 || rest[0].ID != made[0].ID || !must[bool](t)(c.HasKeys(t.Context())) {
		t.Errorf("got pages %v, %v", page, rest)
	}
	if err := c.TouchKey(t.Context(), made[0].ID, clock.Now()); err != nil {
		t.Fatal(err)
	}
	clock.Advance(time.Minute)
	for range 2 {
		k := must[rag.APIKey](t)(c.RevokeKey(t.Context(), made[0].ID))
		if k.Active(clock.Now()) || !k.RevokedAt.Equal(made[0].CreatedAt.Add(time.Minute)) || !k.LastUsedAt.Equal(made[0].CreatedAt) {
			t.Errorf("got %+v", k)
		}
		clock.Advance(time.Minute)
	}
	_, err = c.RevokeKey(t.Context(), "key_none")
	wantCode(t, "revoking a key that is not", err, rag.NotFound)
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

// names has stores agree on order and identity: by byte, whatever the locale.
func names(t *testing.T, c Catalog, _ *Clock) {
	col := makeCollection(t, c, "c")
	want := []string{"A", "B", "_", "a", "b", "é", "中文", "😀"}
	for _, id := range []string{"中文", "b", "_", "😀", "A", "é", "a", "B"} {
		ingest(t, c, col, id, nil, id)
	}
	var got []string
	after := ""
	for {
		page := must[[]rag.Document](t)(c.Documents(t.Context(), col.ID, nil, after, 3))
		for _, d := range page {
			got = append(got, d.ExternalID)
			after = d.ExternalID
		}
		if len(page) < 3 {
			break
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for _, id := range []string{"a\x00", "A ", "'; DROP TABLE documents; --"} {
		_, err := c.Document(t.Context(), col.ID, id)
		wantCode(t, id, err, rag.NotFound)
	}
	if hits := must[[]rag.Hit](t)(c.Hydrate(t.Context(), col.ID, []rag.ChunkID{"", "no uuid"})); len(hits) != 0 {
		t.Errorf("got %v", hits)
	}
}

func imports(t *testing.T, c Catalog, _ *Clock) {
	id := rag.NewCollectionID()
	col := must[rag.Collection](t)(c.CreateCollection(t.Context(), rag.Collection{ID: id, Name: rag.HiddenName("import", id), Embedding: rag.EmbeddingSpec{Dimensions: 2}}))
	makeCollection(t, c, "taken")
	if all := must[[]rag.Collection](t)(c.Collections(t.Context(), "", 10)); len(all) != 1 {
		t.Errorf("a hidden collection is listed: %v", all)
	}
	if hidden := must[[]rag.Collection](t)(c.HiddenCollections(t.Context())); len(hidden) != 1 || hidden[0].ID != id {
		t.Errorf("got hidden collections %v", hidden)
	}
	v := version(rag.JobDocument{Document: "doc_1", ExternalID: "文", Version: 7}, rag.Metadata{"a": "b"}, "one", "two")
	v.Document.Collection = col.ID
	if must[bool](t)(c.HasDocument(t.Context(), "doc_1")) {
		t.Error("it has a document that was not stored")
	}
	if err := c.ImportDocument(t.Context(), v); err != nil {
		t.Fatal(err)
	}
	wantCode(t, "importing it again", c.ImportDocument(t.Context(), v), rag.Conflict)
	if !must[bool](t)(c.HasDocument(t.Context(), "doc_1")) {
		t.Error("an imported document is not there")
	}
	wantCode(t, "a name that is taken", c.RenameCollection(t.Context(), col.ID, "taken"), rag.Conflict)
	wantCode(t, "a collection that is not", c.RenameCollection(t.Context(), "col_none", "x"), rag.NotFound)
	if err := c.RenameCollection(t.Context(), col.ID, "imported"); err != nil {
		t.Fatal(err)
	}
	got := must[rag.Collection](t)(c.DescribeCollection(t.Context(), "imported"))
	d := must[rag.Document](t)(c.Document(t.Context(), col.ID, "文"))
	if got.ID != id || got.Chunks != 2 || d.Version != 7 || d.ID != "doc_1" {
		t.Errorf("got %+v, %+v", got, d)
	}
	// The next submission goes on from its version.
	must[rag.Job](t)(c.Submit(t.Context(), col.ID, []rag.Upload{{ExternalID: "文"}}))
	if l := must[*rag.Lease](t)(c.LeaseJob(t.Context(), "w", time.Minute)); l.Job.Documents[0].Version != 8 || l.Job.Documents[0].Document != "doc_1" {
		t.Errorf("got %+v", l.Job.Documents)
	}
}

func reembedding(t *testing.T, c Catalog, _ *Clock) {
	col := makeCollection(t, c, "c")
	if col.IndexID != col.ID {
		t.Errorf("a new collection's index id is %q", col.IndexID)
	}
	v, _ := ingest(t, c, col, "d", nil, "one", "two", "three")
	other := rag.Reembedding{Collection: col.ID, Other: rag.EmbeddingSpec{Model: "other", Fingerprint: "g", Dimensions: 3}, IndexID: rag.NewIndexID(col.ID),
		Plan: rag.ReembeddingPlan{Swap: true, MinRatio: 0.9, Queries: []rag.JudgedQuery{{Query: "問", Documents: []string{"d"}}}}}
	_, err := c.Reembedding(t.Context(), col.ID)
	wantCode(t, "none yet", err, rag.NotFound)
	_, err = c.SwapEmbedding(t.Context(), col.ID)
	wantCode(t, "swapping none", err, rag.NotFound)
	if err := c.StartReembedding(t.Context(), other); err != nil {
		t.Fatal(err)
	}
	wantCode(t, "a second one", c.StartReembedding(t.Context(), other), rag.Conflict)
	got := must[rag.Reembedding](t)(c.Reembedding(t.Context(), col.ID))
	if got.State != rag.ReembedBuilding || got.Done != 0 || got.Total != 3 || got.Gate != nil {
		t.Errorf("got %+v", got)
	}
	if diff := cmp.Diff(other.Plan, got.Plan); diff != "" {
		t.Error(diff)
	}
	todo := must[[]rag.StoredChunk](t)(c.ChunksWithoutOther(t.Context(), col.ID, 2))
	if len(todo) != 2 || todo[0].Embedding != nil || todo[0].Title == "" {
		t.Fatalf("got %+v", todo)
	}
	save := func(chunks []rag.StoredChunk) {
		var ids []rag.ChunkID
		var vectors []rag.Embedding
		for _, k := range chunks {
			ids, vectors = append(ids, k.Chunk.ID), append(vectors, rag.Embedding{0, float32(k.Chunk.Ordinal), 7})
		}
		if err := c.SaveOther(t.Context(), other, ids, vectors); err != nil {
			t.Fatal(err)
		}
	}
	save(todo)
	if missing := must[int](t)(c.SwapEmbedding(t.Context(), col.ID)); missing != 1 {
		t.Errorf("%d chunks are missing, want 1", missing)
	}
	save(must[[]rag.StoredChunk](t)(c.ChunksWithoutOther(t.Context(), col.ID, 10)))
	moved := other
	moved.State, moved.Gate, moved.Error = rag.ReembedReady, &rag.Gate{Queries: 1, Before: 0.5, After: 0.6, Passed: true}, "none"
	if err := c.MoveReembedding(t.Context(), moved); err != nil {
		t.Fatal(err)
	}
	vectorOf := func() rag.Embedding {
		return must[map[rag.ChunkID]rag.Embedding](t)(c.Embeddings(t.Context(), []rag.ChunkID{v.Chunks[2].ID}))[v.Chunks[2].ID]
	}
	for round := range 2 { // there and back again
		if missing := must[int](t)(c.SwapEmbedding(t.Context(), col.ID)); missing != 0 {
			t.Fatalf("%d chunks are missing", missing)
		}
		now := must[rag.Collection](t)(c.Collection(t.Context(), "c"))
		r := must[[]rag.Reembedding](t)(c.Reembeddings(t.Context()))[0]
		var others []rag.Embedding
		if err := c.EachOther(t.Context(), col.ID, func(k rag.StoredChunk) error { others = append(others, k.Embedding); return nil }); err != nil {
			t.Fatal(err)
		}
		if round == 0 {
			if diff := cmp.Diff(rag.Embedding{0, 2, 7}, vectorOf()); diff != "" || now.Embedding != other.Other || now.IndexID != other.IndexID || r.State != rag.ReembedSwapped || r.Other.Fingerprint != "f" || r.IndexID != col.ID || len(others) != 3 || len(others[0]) != 2 {
				t.Errorf("swapped: %s %+v %+v %v", diff, now, r, others)
			}
			// Who embedded with the former model may not publish any more.
			must[rag.Job](t)(c.Submit(t.Context(), col.ID, []rag.Upload{{ExternalID: "e"}}))
			l := must[*rag.Lease](t)(c.LeaseJob(t.Context(), "w", time.Minute))
			late := version(l.Job.Documents[0], nil, "late")
			late.Fingerprint = "f"
			_, err := c.Publish(t.Context(), l.Job.ID, l.Token, 0, late)
			wantCode(t, "publishing with the former model", err, rag.ModelMismatch)
			late.Fingerprint = "g"
			must[[]rag.ChunkID](t)(c.Publish(t.Context(), l.Job.ID, l.Token, 0, late))
			if missing := must[int](t)(c.SwapEmbedding(t.Context(), col.ID)); missing != 1 {
				t.Errorf("swapping back misses %d", missing)
			}
			wantCode(t, "vectors of the model in use", c.SaveOther(t.Context(), other, []rag.ChunkID{late.Chunks[0].ID}, []rag.Embedding{{1, 0, 0}}), rag.Conflict)
			if err := c.SaveOther(t.Context(), r, []rag.ChunkID{late.Chunks[0].ID}, []rag.Embedding{{1, 0}}); err != nil {
				t.Fatal(err)
			}
		} else if diff := cmp.Diff(v.Embeddings[2], vectorOf()); diff != "" || now.Embedding.Fingerprint != "f" || now.IndexID != col.ID || r.State != rag.ReembedReady || r.Gate == nil || r.Error != "none" {
			t.Errorf("swapped back: %s %+v %+v", diff, now, r)
		}
	}
	if err := c.EndReembedding(t.Context(), col.ID); err != nil {
		t.Fatal(err)
	}
	wantCode(t, "vectors for none", c.SaveOther(t.Context(), other, nil, nil), rag.NotFound)
	wantCode(t, "ending it again", c.EndReembedding(t.Context(), col.ID), rag.NotFound)
	if left := must[[]rag.StoredChunk](t)(c.ChunksWithoutOther(t.Context(), col.ID, 10)); len(left) != 4 {
		t.Errorf("%d chunks have no other vector, want all 4", len(left))
	}
}
