// Package ingest takes documents in: it stores what was handed in, queues a job, and works jobs off through parse, chunk, embed, index
// and publish.
//
// Every step may be repeated after a crash at any point: chunk ids follow from the text, index writes replace, and a version becomes visible in
// one transaction of the catalog. It knows no SQL and no client.
package ingest

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"sync"
	"time"

	"footnote/internal/lexical"
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

// CreateCollection makes a collection for the embedder's model, with the default chunking unless c names one.
// Errors: rag.Invalid for a bad name or chunking; rag.Conflict for a name that is taken.
func (s *Service) CreateCollection(ctx context.Context, c rag.Collection) (rag.Collection, error) {
	if err := rag.ValidateCollectionName(c.Name); err != nil {
		return c, err
	}
	e := s.o.Embedder
	c.Embedding = rag.EmbeddingSpec{Model: e.Model(), Fingerprint: e.Fingerprint(), Dimensions: e.Dimensions()}
	if c.Chunking == (rag.Chunking{}) {
		c.Chunking = rag.DefaultChunking
	}
	if err := c.Chunking.Validate(); err != nil {
		return c, err
	}
	if _, err := s.o.Catalog.Collection(ctx, c.Name); err == nil {
		return c, rag.Errorf(rag.Conflict, "A collection named %q exists already.", c.Name)
	}
	// The index first: a collection that is in the catalog can be used. The lock keeps reconciling from taking the index's part for a leftover.
	c.ID = rag.NewCollectionID()
	unlock, err := s.o.Locks.Lock(ctx, string(c.ID))
	if err != nil {
		return c, err
	}
	defer unlock()
	if err := s.o.Index.EnsureCollection(ctx, c.ID, e.Dimensions()); err != nil {
		return c, err
	}
	made, err := s.o.Catalog.CreateCollection(ctx, c)
	if rag.CodeOf(err) == rag.Conflict {
		return c, errors.Join(err, s.o.Index.DropCollection(ctx, c.ID))
	}
	return made, err
}

// DeleteCollection removes a collection with all that it holds.
func (s *Service) DeleteCollection(ctx context.Context, name string) error {
	c, err := s.o.Catalog.Collection(ctx, name)
	if err != nil {
		return err
	}
	indexes := s.indexes(ctx, c)
	if _, err := s.o.Catalog.DeleteCollection(ctx, name); err != nil {
		return err
	}
	s.bell.ring()
	for _, id := range indexes {
		if err := s.o.Index.DropCollection(ctx, id); err != nil {
			// It is gone for its users; reconciling takes the rest away.
			s.o.Logger.Warn("drop a deleted collection from the index", "collection", c.ID, "error", err)
		}
	}
	return nil
}

// indexes are the names by which the index has the collection's vectors: those in use, and those of a re-embedding.
func (s *Service) indexes(ctx context.Context, c rag.Collection) []rag.CollectionID {
	ids := []rag.CollectionID{c.IndexID}
	if r, err := s.o.Catalog.Reembedding(ctx, c.ID); err == nil {
		ids = append(ids, r.IndexID)
	}
	return ids
}

// embedder finds the model that embedded a collection. ModelMismatch when the service does not have it.
func (s *Service) embedder(c rag.Collection) (Embedder, error) {
	if e := s.model(c.Embedding.Fingerprint); e != nil {
		return e, nil
	}
	e := s.o.Embedder
	return nil, rag.Errorf(rag.ModelMismatch, "Collection %q was embedded by %s (%s), and the service runs %s (%s): their vectors cannot be compared. Start the service with the former model, "+
		"or make a new collection for the documents.", c.Name, c.Embedding.Model, c.Embedding.Fingerprint, e.Model(), e.Fingerprint())
}

// model is the embedder with a fingerprint; nil when there is none.
func (s *Service) model(fingerprint string) Embedder {
	for _, e := range append([]Embedder{s.o.Embedder}, s.o.Others...) {
		if e.Fingerprint() == fingerprint {
			return e
		}
	}
	return nil
}

// DeleteDocument removes a document; versions of it that are still being taken in will not appear.
func (s *Service) DeleteDocument(ctx context.Context, collection, externalID string) error {
	c, err := s.o.Catalog.Collection(ctx, collection)
	if err != nil {
		return err
	}
	s.gate.RLock()
	defer s.gate.RUnlock()
	removed, err := s.o.Catalog.DeleteDocument(ctx, c.ID, externalID)
	if err != nil {
		return err
	}
	s.changed(c.ID, 1)
	s.bell.ring()
	// No lock: the document's id will not come back, so neither will its chunks'.
	if err := s.remove(ctx, c, removed); err != nil {
		// It is gone for its users; the sweeper takes its chunks out of the index.
		s.o.Logger.Warn("take a deleted document's chunks out of the index", "collection", c.ID, "error", err)
	}
	return nil
}

// DeleteMatching removes the documents that satisfy filter and tells how many there were.
func (s *Service) DeleteMatching(ctx context.Context, collection string, filter rag.Filter) (int, error) {
	if err := filter.Validate(); err != nil {
		return 0, err
	}
	c, err := s.o.Catalog.Collection(ctx, collection)
	if err != nil {
		return 0, err
	}
	n, after := 0, ""
	for {
		docs, err := s.o.Catalog.Documents(ctx, c.ID, &filter, after, 100)
		if err != nil || len(docs) == 0 {
			return n, err
		}
		for _, d := range docs {
			after = d.ExternalID
			err := s.DeleteDocument(ctx, collection, d.ExternalID)
			if rag.CodeOf(err) == rag.NotFound {
				continue // somebody else was quicker
			}
			if err != nil {
				return n, err
			}
			n++
		}
	}
}

// remove takes chunks out of the index and then off the list of removals. The caller holds the document's lock, unless the document is deleted.
func (s *Service) remove(ctx context.Context, c rag.Collection, chunks []rag.ChunkID) error {
	if len(chunks) == 0 {
		return nil
	}
	if err := s.o.Index.Delete(ctx, c.IndexID, chunks); err != nil {
		return err
	}
	s.o.Failpoint("remove")
	done := make([]rag.Removal, len(chunks))
	for i, chunk := range chunks {
		done[i] = rag.Removal{Collection: c.ID, Chunk: chunk}
	}
	return s.o.Catalog.AckRemovals(ctx, done)
}

func storedPoint(k rag.StoredChunk) rag.Point {
	return point(k.Chunk, k.Chunk.Embedded(k.Title), k.Embedding, k.Metadata)
}

func point(c rag.Chunk, embedded string, v rag.Embedding, m rag.Metadata) rag.Point {
	return rag.Point{ID: c.ID, Document: c.Document, Embedding: v, Sparse: lexical.DocumentVector(embedded, lexical.DefaultParams), Metadata: m}
}
