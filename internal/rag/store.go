package rag

import "io"

// Source is a document as a caller hands it in: what is known of it and its bytes, read once.
type Source struct {
	Upload  // SHA256 and Bytes are filled when the content has been stored
	Content io.Reader
}

// StoredChunk is a chunk of an active version with all that an index needs of it.
type StoredChunk struct {
	Chunk     Chunk
	Title     string // of the document version
	Metadata  Metadata
	Embedding Embedding
}

// Removal is a chunk that no active version lists any more and that the index may still hold.
type Removal struct {
	Collection CollectionID
	Chunk      ChunkID
}

// JobQuery selects jobs, newest first.
type JobQuery struct {
	Status     JobStatus    // empty: any
	Collection CollectionID // empty: any
	After      JobID        // the last job of the page before; empty: from the newest
	Limit      int
}

// DryRun tells what an ingest would change, nothing stored. Counts are of chunks.
type DryRun struct {
	ExternalID string
	Title      string
	MediaType  string
	Exists     bool // a version is active now
	Unchanged  bool // the same bytes, title and metadata are active now
	Added      int
	Kept       int
	Removed    int
	Chunks     []Chunk
	Warnings   []string
}

// CitationState says how a permalink stands against the source as it is now.
type CitationState string

// The states.
const (
	CitationCurrent       CitationState = "current"        // the quote stands at its span
	CitationMoved         CitationState = "moved"          // the quote stands elsewhere in the active version
	CitationSourceChanged CitationState = "source_changed" // the active version no longer has the quote
	CitationSourceDeleted CitationState = "source_deleted" // the document is gone
)
