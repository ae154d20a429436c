package rag

import "time"

// JobStatus is a job's state. Queued and running jobs can be cancelled; failed and cancelled ones retried.
type JobStatus string

// The states.
const (
	JobQueued    JobStatus = "queued"
	JobRunning   JobStatus = "running"
	JobSucceeded JobStatus = "succeeded"
	JobFailed    JobStatus = "failed"
	JobCancelled JobStatus = "cancelled"
)

// Final tells whether a job in this state will not change by itself.
func (s JobStatus) Final() bool { return s == JobSucceeded || s == JobFailed || s == JobCancelled }

// JobStage is the step of the pipeline that a job is in.
type JobStage string

// The stages, in order.
const (
	StageParse   JobStage = "parse"
	StageChunk   JobStage = "chunk"
	StageEmbed   JobStage = "embed"
	StageIndex   JobStage = "index"
	StagePublish JobStage = "publish"
)

// Progress counts what a job has done: chunks embedded while it embeds, documents otherwise.
type Progress struct{ Done, Total int }

// Job is one ingest request: it makes one or more document versions active.
type Job struct {
	ID         JobID
	Collection CollectionID
	Status     JobStatus
	Stage      JobStage
	Progress   Progress
	Attempts   int
	Error      *JobError // of a failed job
	Documents  []JobDocument
	CreatedAt  time.Time
	StartedAt  time.Time // zero before the first attempt
	UpdatedAt  time.Time
	FinishedAt time.Time // zero until final
}

// JobError is a failure as its user sees it.
type JobError struct {
	Code    Code
	Message string
}

// JobDocument is one document version that a job makes.
type JobDocument struct {
	Document   DocumentID
	ExternalID string
	Version    int
	Published  bool
	Error      *JobError
}

// Upload is a document as it was handed in: its bytes are in the blob store under SHA256.
type Upload struct {
	ExternalID string // empty: the document's own new id
	Title      string // empty: the source's own, when it has one
	SourceURI  string
	Filename   string // helps to tell the media type
	MediaType  string // as declared; may be empty
	SHA256     string
	Bytes      int64
	Metadata   Metadata
}

// Lease is a worker's time-bound right to work on a job. Token is a fencing token: it grows with each lease, and a write under
// an older one is refused with Conflict.
type Lease struct {
	Job     Job
	Token   int64
	Expires time.Time
	Uploads []Upload // as many as Job.Documents, in the same order
}

// Version is a document version ready to be published.
type Version struct {
	Document Document // with its Version, Title, MediaType, Language, Metadata, SHA256, Characters
	Text     string   // normalised
	Chunks   []Chunk
	// Embeddings[i] embeds Chunks[i]. A nil entry means that the catalog already holds the vector of that chunk id.
	Embeddings []Embedding
	// Imported vectors were made elsewhere, and nothing shows that they embed their texts. They serve their own chunks, and are never found by content: else an import could plant
	// vectors in collections of others.
	Imported bool
	// Fingerprint is of the model that made them; publishing is refused when the collection has another by now. Empty: not checked.
	Fingerprint string
}
