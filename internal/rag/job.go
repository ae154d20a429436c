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

// Progress counts what a job has done. Done and Total are of the stage that the job is in: chunks while it embeds, documents otherwise. Stages go on side by side, so Stages counts each.
type Progress struct {
	Done, Total int
	Stages      StageCounts
	Slowest     SlowFile
}

// StageCounts are how far each stage of a job has come. Documents that were published or failed before this attempt count as parsed.
type StageCounts struct {
	Parsed    int // documents that were read and cut, that are unchanged, or that failed
	Chunks    int // chunks of the documents that were cut
	Embedded  int // of these, those that have their vectors
	Published int // documents that are published or unchanged
}

// SlowFile is the document that took longest in one stage of a job so far; empty when none was measured. Documents that are embedded together are not told apart, so of these none is the slowest.
type SlowFile struct {
	ExternalID string
	Stage      JobStage
	Took       time.Duration
}

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

// JobAction is what a job does with one of its documents.
type JobAction string

// The actions. Files of an archive are known one by one when it is handed in, those that nothing can be made of too.
const (
	ActionTakeIn JobAction = ""       // make a version of it and publish that
	ActionRemove JobAction = "remove" // delete it: the archive that it came in was handed in without it
	ActionSkip   JobAction = "skip"   // nothing: it is of a kind that is not read
	ActionRefuse JobAction = "refuse" // nothing: it cannot be read, however often it is tried
)

// JobDocument is one document version that a job makes, or a file of an archive that it makes none of.
type JobDocument struct {
	Document   DocumentID // empty where the action is to skip or to refuse
	ExternalID string
	Archive    string // external id of the archive that it came in; empty: it came by itself
	Action     JobAction
	Version    int
	Published  bool // or removed
	Unchanged  bool // it was published without any work: the active version was made of the same bytes in the same way
	Error      *JobError
	Warnings   []string // what of the file could not be read, such as pages of a scan; of one that is skipped, why
}

// State is how the document stands.
func (d JobDocument) State() DocumentState {
	switch {
	case d.Action == ActionSkip:
		return DocumentSkipped
	case d.Error != nil:
		return DocumentFailed
	case d.Published && d.Action == ActionRemove:
		return DocumentRemoved
	case d.Published:
		return DocumentPublished
	}
	return DocumentQueued
}

// DocumentState says how a document of a job stands.
type DocumentState string

// The states.
const (
	DocumentQueued    DocumentState = "queued"
	DocumentPublished DocumentState = "published"
	DocumentFailed    DocumentState = "failed"
	DocumentSkipped   DocumentState = "skipped"
	DocumentRemoved   DocumentState = "removed"
)

// MaxWarnings bounds the warnings that are kept of a document; the last of them counts those that are not.
const MaxWarnings = 50

// Upload is a document as it was handed in: its bytes are in the blob store under SHA256.
type Upload struct {
	ExternalID string // empty: the document's own new id
	Archive    string // external id of the archive that it came in; empty: it came by itself
	Action     JobAction
	Reason     *JobError // why it is skipped or refused
	Title      string    // empty: the source's own, when it has one
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

// JobHeld checks a worker's token against its job as it is stored. Errors: Cancelled when the job was cancelled; Conflict when the token is not the latest, or the job does not run.
func JobHeld(token, latest int64, status JobStatus) error {
	switch {
	case status == JobCancelled:
		return Errorf(Cancelled, "The job was cancelled.")
	case token != latest || status != JobRunning:
		return Errorf(Conflict, "The job is no longer this worker's.")
	}
	return nil
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
	Pages    []PageSpan // of the text, in order; none when the source has no pages
	Warnings []string
	// Recipe is a hash of all that the version was made of and by. A later upload with the same recipe would give the same version. Empty: not known.
	Recipe string
	// Fingerprint is of the model that made them; publishing is refused when the collection has another by now. Empty: not checked.
	Fingerprint string
}
