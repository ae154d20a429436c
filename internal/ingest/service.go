// Package ingest takes documents in: it stores what was handed in, queues a job, and works jobs off through parse, chunk, embed, index
// and publish.
//
// Every step may be repeated after a crash at any point: chunk ids follow from the text, index writes replace, and a version becomes visible in
// one transaction of the catalog. It knows no SQL and no client.
package ingest

import (
	"context"
	"io"
	"log/slog"
	"sync"
	"time"

	"footnote/internal/rag"
)

// Catalog is what ingest asks of the truth.
type Catalog interface {
	CreateCollection(ctx context.Context, c rag.Collection) (rag.Collection, error)
	Collection(ctx context.Context, name string) (rag.Collection, error)
	DescribeCollection(ctx context.Context, name string) (rag.Collection, error)
	CollectionByID(ctx context.Context, id rag.CollectionID) (rag.Collection, error)
	Collections(ctx context.Context, after string, limit int) ([]rag.Collection, error)
	HiddenCollections(ctx context.Context) ([]rag.Collection, error)
	RenameCollection(ctx context.Context, id rag.CollectionID, name string) error
	DeleteCollection(ctx context.Context, name string) (rag.Collection, error)

	Twin(ctx context.Context, collection rag.CollectionID, sha256 string) (rag.DocumentID, error)
	Recipe(ctx context.Context, id rag.DocumentID) (string, error)
	ArchiveFiles(ctx context.Context, collection rag.CollectionID, archive string) ([]string, error)
	HasDocument(ctx context.Context, id rag.DocumentID) (bool, error)
	ImportDocument(ctx context.Context, v rag.Version) error
	Text(ctx context.Context, id rag.DocumentID) (string, error)
	Pages(ctx context.Context, id rag.DocumentID) ([]rag.PageSpan, error)
	Document(ctx context.Context, collection rag.CollectionID, externalID string) (rag.Document, error)
	DocumentByID(ctx context.Context, id rag.DocumentID) (rag.Document, error)
	Documents(ctx context.Context, collection rag.CollectionID, filter *rag.Filter, after string, limit int) ([]rag.Document, error)
	Chunks(ctx context.Context, id rag.DocumentID, after, limit int) ([]rag.Chunk, error)
	DeleteDocument(ctx context.Context, collection rag.CollectionID, externalID string) ([]rag.ChunkID, error)
	Hydrate(ctx context.Context, collection rag.CollectionID, ids []rag.ChunkID) ([]rag.Hit, error)
	Embeddings(ctx context.Context, ids []rag.ChunkID) (map[rag.ChunkID]rag.Embedding, error)
	EmbeddingsByText(ctx context.Context, fingerprint string, texts []rag.TextHash) (map[rag.TextHash]rag.Embedding, error)
	EachChunk(ctx context.Context, collection rag.CollectionID, f func(rag.StoredChunk) error) error
	Removals(ctx context.Context, limit int) ([]rag.Removal, error)
	AckRemovals(ctx context.Context, done []rag.Removal) error
	EachChunkID(ctx context.Context, collection rag.CollectionID, f func(rag.PointRef) error) error

	StartReembedding(ctx context.Context, r rag.Reembedding) error
	Reembedding(ctx context.Context, id rag.CollectionID) (rag.Reembedding, error)
	Reembeddings(ctx context.Context) ([]rag.Reembedding, error)
	MoveReembedding(ctx context.Context, r rag.Reembedding) error
	ChunksWithoutOther(ctx context.Context, id rag.CollectionID, limit int) ([]rag.StoredChunk, error)
	EachOther(ctx context.Context, id rag.CollectionID, f func(rag.StoredChunk) error) error
	SaveOther(ctx context.Context, r rag.Reembedding, ids []rag.ChunkID, vectors []rag.Embedding) error
	SwapEmbedding(ctx context.Context, id rag.CollectionID) (missing int, err error)
	EndReembedding(ctx context.Context, id rag.CollectionID) error

	Submit(ctx context.Context, collection rag.CollectionID, uploads []rag.Upload) (rag.Job, error)
	Job(ctx context.Context, id rag.JobID) (rag.Job, error)
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
}

// Blobs keeps uploads by the hash of their content.
type Blobs interface {
	Put(ctx context.Context, r io.Reader, maxBytes int64) (sha string, n int64, err error)
	Get(ctx context.Context, sha string) (io.ReadCloser, error)
}

// Index holds what is searched; Upsert replaces points whole and may be repeated.
type Index interface {
	EnsureCollection(ctx context.Context, id rag.CollectionID, dims int) error
	DropCollection(ctx context.Context, id rag.CollectionID) error
	Upsert(ctx context.Context, id rag.CollectionID, points []rag.Point) error
	Delete(ctx context.Context, id rag.CollectionID, chunks []rag.ChunkID) error
	EachPoint(ctx context.Context, id rag.CollectionID, f func(rag.PointRef) error) error
	Collections(ctx context.Context) ([]rag.CollectionID, error)
}

// Locks keep workers, of this and of other processes, out of each other's way. TryLock gives a nil unlock when another has the lock.
type Locks interface {
	Lock(ctx context.Context, name string) (unlock func(), err error)
	TryLock(ctx context.Context, name string) (unlock func(), err error)
}

// Embedder embeds passages. CountTokens counts as the model does; a text has at most MaxTokens.
type Embedder interface {
	EmbedDocuments(ctx context.Context, texts []string) ([]rag.Embedding, error)
	Model() string
	Fingerprint() string
	Dimensions() int
	MaxTokens() int
	CountTokens(text string) int
}

// Options wires a Service. Catalog, Blobs, Index, Embedder and Logger are needed.
type Options struct {
	Catalog  Catalog
	Blobs    Blobs
	Index    Index
	Embedder Embedder   // of new collections
	Others   []Embedder // of collections that have another model
	Logger   *slog.Logger
	Workers  int           // jobs worked on at a time; 0: 1
	Lease    time.Duration // a job is another worker's when its lease was not renewed for so long; 0: 30 s
	Patience time.Duration // how long a dependency that fails for now is tried again; 0: 2 min
	Sweep    time.Duration // how often chunks whose removal was interrupted are taken out of the index; 0: 30 s

	// Transcribe reads the text of images and of scanned pages (parse.Reader); nil: they are refused or named as skipped.
	Transcribe func(ctx context.Context, mediaType string, image []byte) (string, error)

	// Durable is Index where that keeps itself in files of this process, and Changes then is the catalog's log that belongs to it. nil: the index keeps itself, or nothing.
	Durable    Durable
	Changes    Changes
	Checkpoint time.Duration // how often what has changed is made durable; 0: 30 s

	// Build names the code that reads and cuts documents. A file that an active version was made of is not read again by the same build. Empty: unknown, and every file is read.
	Build string

	Locks  Locks                                        // nil: of this process alone
	Listen func(ctx context.Context, ring func()) error // calls ring when another process changed a job; nil: there is none

	// Evaluate compares a collection's search as it is with its search under a re-embedding's other model; nil: every gate is open.
	Evaluate func(ctx context.Context, c rag.Collection, r rag.Reembedding) (rag.Gate, error)
	// CheckPrompt reports what keeps a prompt's template, of a pack, from being used; nil: all can be.
	CheckPrompt func(p rag.PromptTemplate) error
	Observe     func(stage string, d time.Duration) // nil: nobody looks
	Failpoint   func(stage string)                  // called after each step, for crash tests; nil: nothing
}

// Service takes documents in. Any number of goroutines may use it.
type Service struct {
	o      Options
	bell   bell
	gate   sync.RWMutex // see checkpoint.go: held for reading by who is between the index and the catalog
	ledger *ledger
}

// New makes a Service; Run works its jobs off.
func New(o Options) *Service {
	o.Workers = max(o.Workers, 1)
	if o.Lease == 0 {
		o.Lease = 30 * time.Second
	}
	if o.Patience == 0 {
		o.Patience = 2 * time.Minute
	}
	if o.Sweep == 0 {
		o.Sweep = 30 * time.Second
	}
	if o.Checkpoint == 0 {
		o.Checkpoint = 30 * time.Second
	}
	if o.Locks == nil {
		o.Locks = &processLocks{}
	}
	if o.CheckPrompt == nil {
		o.CheckPrompt = rag.PromptTemplate.Validate
	}
	if o.Observe == nil {
		o.Observe = func(string, time.Duration) {}
	}
	if o.Failpoint == nil {
		o.Failpoint = func(string) {}
	}
	return &Service{o: o, ledger: newLedger()}
}
