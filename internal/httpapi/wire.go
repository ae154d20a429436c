package httpapi

import (
	"time"

	"footnote/internal/rag"
)

// Wire types are named after the schemas of api/openapi.yaml.

type span struct {
	Start int `json:"start"`
	End   int `json:"end"`
}

func wireSpan(s rag.Span) span { return span{s.Start, s.End} }

type collection struct {
	Name        string    `json:"name"`
	Description string    `json:"description"`
	Embedding   embedding `json:"embedding"`
	Chunking    chunking  `json:"chunking"`
	Prompt      *prompt   `json:"prompt"`
	Documents   int       `json:"documents"`
	Chunks      int       `json:"chunks"`
	CreatedAt   time.Time `json:"created_at"`
	UpdatedAt   time.Time `json:"updated_at"`
}

type embedding struct {
	Model       string `json:"model"`
	Fingerprint string `json:"fingerprint"`
	Dimensions  int    `json:"dimensions"`
}

type chunking struct {
	TargetTokens  int `json:"target_tokens"`
	OverlapTokens int `json:"overlap_tokens"`
}

func wireCollection(c rag.Collection) collection {
	return collection{
		Name: c.Name, Description: c.Description, Embedding: embedding(c.Embedding), Chunking: chunking(c.Chunking), Prompt: wirePrompt(c.Prompt),
		Documents: c.Documents, Chunks: c.Chunks, CreatedAt: c.CreatedAt.UTC(), UpdatedAt: c.UpdatedAt.UTC(),
	}
}

type document struct {
	ID         rag.DocumentID `json:"id"`
	ExternalID string         `json:"external_id"`
	Archive    *string        `json:"archive"`
	Version    int            `json:"version"`
	Title      string         `json:"title"`
	SourceURI  string         `json:"source_uri"`
	MediaType  string         `json:"media_type"`
	SHA256     string         `json:"sha256"`
	Language   string         `json:"language"`
	Metadata   rag.Metadata   `json:"metadata"`
	Characters int            `json:"characters"`
	Chunks     int            `json:"chunks"`
	CreatedAt  time.Time      `json:"created_at"`
	UpdatedAt  time.Time      `json:"updated_at"`
}

func wireDocument(d rag.Document) document {
	return document{
		ID: d.ID, ExternalID: d.ExternalID, Archive: wireOptional(d.Archive), Version: d.Version, Title: d.Title, SourceURI: d.SourceURI, MediaType: d.MediaType, SHA256: d.SHA256, Language: d.Language,
		Metadata: wireMetadata(d.Metadata), Characters: d.Characters, Chunks: d.Chunks, CreatedAt: d.CreatedAt.UTC(), UpdatedAt: d.UpdatedAt.UTC(),
	}
}

func wireMetadata(m rag.Metadata) rag.Metadata {
	if m == nil {
		return rag.Metadata{}
	}
	return m
}

type documentRef struct {
	ID         rag.DocumentID `json:"id"`
	ExternalID string         `json:"external_id"`
	Title      string         `json:"title"`
	Version    int            `json:"version"`
	SourceURI  string         `json:"source_uri,omitempty"`
	Metadata   rag.Metadata   `json:"metadata"`
}

func wireDocumentRef(d rag.Document) documentRef {
	return documentRef{d.ID, d.ExternalID, d.Title, d.Version, d.SourceURI, wireMetadata(d.Metadata)}
}

type chunk struct {
	ID          rag.ChunkID `json:"id"`
	Ordinal     int         `json:"ordinal"`
	Text        string      `json:"text"`
	Span        span        `json:"span"`
	HeadingPath []string    `json:"heading_path"`
	Context     string      `json:"context,omitempty"`
	Page        *int        `json:"page"`
}

func wireChunk(c rag.Chunk) chunk {
	return chunk{c.ID, c.Ordinal, c.Text, wireSpan(c.Span), wireStrings(c.HeadingPath), c.Context, wirePage(c.Page)}
}

func wireStrings(s []string) []string {
	if s == nil {
		return []string{}
	}
	return s
}

func wirePage(n int) *int {
	if n == 0 {
		return nil
	}
	return &n
}

type jobError struct {
	Code    rag.Code `json:"code"`
	Message string   `json:"message"`
}

func wireJobError(e *rag.JobError) *jobError {
	if e == nil {
		return nil
	}
	return &jobError{e.Code, e.Message}
}

type jobDocument struct {
	ID         *rag.DocumentID   `json:"id"`
	ExternalID string            `json:"external_id"`
	Archive    *string           `json:"archive"`
	Version    int               `json:"version"`
	State      rag.DocumentState `json:"state"`
	Published  bool              `json:"published"`
	Unchanged  bool              `json:"unchanged"`
	Error      *jobError         `json:"error"`
	Warnings   []string          `json:"warnings"`
}

type progress struct {
	Done  int `json:"done"`
	Total int `json:"total"`
}

// stageCount is how far one stage of a job is.
type stageCount struct {
	Stage rag.JobStage `json:"stage"`
	Unit  string       `json:"unit"`
	Done  int          `json:"done"`
	Total int          `json:"total"`
}

type slowFile struct {
	ExternalID   string       `json:"external_id"`
	Stage        rag.JobStage `json:"stage"`
	Milliseconds float64      `json:"milliseconds"`
}

func wireStages(p rag.StageCounts, documents int) []stageCount {
	return []stageCount{{rag.StageParse, "documents", p.Parsed, documents}, {rag.StageEmbed, "chunks", p.Embedded, p.Chunks}, {rag.StagePublish, "documents", p.Published, documents}}
}

type job struct {
	ID         rag.JobID     `json:"id"`
	Collection string        `json:"collection,omitempty"`
	Status     rag.JobStatus `json:"status"`
	Stage      rag.JobStage  `json:"stage"`
	Progress   progress      `json:"progress"`
	Stages     []stageCount  `json:"stages"`
	Slowest    *slowFile     `json:"slowest"`
	Attempts   int           `json:"attempts"`
	Error      *jobError     `json:"error"`
	Documents  []jobDocument `json:"documents"`
	CreatedAt  time.Time     `json:"created_at"`
	StartedAt  *time.Time    `json:"started_at"`
	UpdatedAt  time.Time     `json:"updated_at"`
	FinishedAt *time.Time    `json:"finished_at"`
}

func wireTime(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

func wireJob(j rag.Job, collectionName string) job {
	out := job{
		ID: j.ID, Collection: collectionName, Status: j.Status, Stage: j.Stage, Progress: progress{j.Progress.Done, j.Progress.Total},
		Stages: wireStages(j.Progress.Stages, len(j.Documents)), Attempts: j.Attempts, Error: wireJobError(j.Error),
		Documents: []jobDocument{}, CreatedAt: j.CreatedAt.UTC(), StartedAt: wireTime(j.StartedAt), UpdatedAt: j.UpdatedAt.UTC(), FinishedAt: wireTime(j.FinishedAt),
	}
	if slow := j.Progress.Slowest; slow.ExternalID != "" {
		out.Slowest = &slowFile{slow.ExternalID, slow.Stage, float64(slow.Took.Microseconds()) / 1000}
	}
	for _, d := range j.Documents {
		state := d.State()
		out.Documents = append(out.Documents, jobDocument{wireOptional(d.Document), d.ExternalID, wireOptional(d.Archive), d.Version, state, state == rag.DocumentPublished, d.Unchanged, wireJobError(d.Error), wireStrings(d.Warnings)})
	}
	return out
}

// filter is a filter on the wire, of any kind; its unused fields are empty.
type filter struct {
	Type    string   `json:"type"`
	Key     string   `json:"key"`
	Value   any      `json:"value"`
	Filter  *filter  `json:"filter"`
	Filters []filter `json:"filters"`
}

func (f *filter) domain() *rag.Filter {
	if f == nil {
		return nil
	}
	out := &rag.Filter{Op: rag.FilterOp(f.Type), Key: f.Key, Value: f.Value}
	if values, ok := f.Value.([]any); ok {
		out.Value, out.Values = nil, values
	}
	if f.Filter != nil {
		out.Filters = append(out.Filters, *f.Filter.domain())
	}
	for i := range f.Filters {
		out.Filters = append(out.Filters, *f.Filters[i].domain())
	}
	return out
}

// metadataOf turns decoded JSON into metadata: lists must hold strings only.
func metadataOf(m map[string]any) (rag.Metadata, error) {
	out := rag.Metadata{}
	for k, v := range m {
		values, ok := v.([]any)
		if !ok {
			out[k] = v
			continue
		}
		texts := make([]string, len(values))
		for i, item := range values {
			if texts[i], ok = item.(string); !ok {
				return nil, rag.FieldErrorf("/metadata/"+pointerToken(k), "metadata.%s must be a string, a number, a boolean or a list of strings.", rag.Clip(k, 80))
			}
		}
		out[k] = texts
	}
	return out, out.Validate()
}

// milliseconds is the wire form of timings.
func milliseconds(t rag.Timings) map[string]float64 {
	out := map[string]float64{}
	for k, v := range t {
		out[k] = float64(v.Microseconds()) / 1000
	}
	return out
}
