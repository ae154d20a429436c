package rag

import (
	"io"
	"time"
)

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
	Document   DocumentID // whose chunk it was
	Chunk      ChunkID
}

// PointRef names a point of an index.
type PointRef struct {
	Chunk    ChunkID
	Document DocumentID
}

// Reconciliation says how the index stands against the catalog in one collection.
type Reconciliation struct {
	ID        CollectionID
	Name      string // empty for a leftover
	Chunks    int    // that the catalog lists
	Points    int    // that the index holds
	Orphans   int    // points that the catalog does not list
	Holes     int    // chunks that the index lacks
	Rewritten int    // chunks that were written again
	Missing   bool   // the index lacks the collection altogether
	Leftover  bool   // the index has a collection that the catalog does not know
	Fixed     bool   // what was found has been mended
}

// Clean tells that there was nothing to mend.
func (r Reconciliation) Clean() bool {
	return r.Orphans == 0 && r.Holes == 0 && !r.Missing && !r.Leftover
}

// KeptResponse is the answer to a request with an Idempotency-Key. Status 0: it is still being worked on.
type KeptResponse struct {
	BodyHash string
	Status   int
	Header   map[string]string
	Body     []byte
}

// How long an answer can be replayed, and after how long without an answer a claim is void.
const (
	IdempotencyAge   = 24 * time.Hour
	IdempotencyClaim = 2 * time.Minute // the body is read before the claim, and a request waits for a job a minute at most
)

// JobQuery selects jobs, newest first.
type JobQuery struct {
	Status      JobStatus      // empty: any
	Collections []CollectionID // empty: any
	After       JobID          // the last job of the page before; empty: from the newest
	Limit       int
}

// Preview is what a file would give, nothing stored.
type Preview struct {
	Parsed Parsed
	Chunks []Chunk
	Tokens []int // of what is embedded of each chunk

	Files []FilePreview // of an archive, which has nothing else
}

// FilePreview is what a file of an archive would give.
type FilePreview struct {
	ExternalID string
	State      DocumentState // that a job would give it
	Error      *JobError     // why it is skipped or failed
	Preview    *Preview      // nil where there is an error
}

// DryRun tells what an ingest would change, nothing stored. Counts are of chunks.
type DryRun struct {
	ExternalID string
	Title      string
	MediaType  string
	State      DocumentState // that a job would give it: of a file of an archive perhaps another than published
	Error      *JobError     // why it would be skipped or failed
	Exists     bool          // a version is active now
	Unchanged  bool          // the same bytes, title and metadata are active now
	Added      int
	Kept       int
	Removed    int
	Chunks     []Chunk
	New        []Chunk // of Chunks those that are not stored yet
	Old        []Chunk // stored chunks that would go
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

// Permalink is a citation and how it stands against its source now.
type Permalink struct {
	Citation Citation
	State    CitationState
	Version  int  // the active one; 0 when the document is gone
	Span     Span // where the quote stands in the active version, when State is current or moved; else empty
}

// HiddenName is the name of a collection that is in the making and that nobody may see yet. No user can give such a name.
func HiddenName(purpose string, id CollectionID) string { return "~" + purpose + "-" + string(id) }
