// Package catalogtest is the conformance suite of catalogs: whatever passes it may stand behind the service.
package catalogtest

import (
	"context"
	"testing"
	"time"

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
	Languages(ctx context.Context, collection rag.CollectionID) (map[string]int, error)
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
