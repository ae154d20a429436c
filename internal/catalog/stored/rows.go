package stored

import (
	"encoding/json"
	"fmt"

	"footnote/internal/rag"
)

// Row is a row of any database.
type Row interface{ Scan(dest ...any) error }

// CollectionColumns are what Collection reads, of table c; CollectionCounts follow them where it is to count. Counting takes time in a large
// collection.
const (
	CollectionColumns = `c.id, c.name, c.description, c.model, c.fingerprint, c.dimensions, c.target_tokens, c.overlap_tokens, c.created_at, c.updated_at,
  CASE c.index_id WHEN '' THEN c.id ELSE c.index_id END, c.prompt_system, c.prompt_user, c.prompt_version`
	CollectionCounts = `,
  (SELECT count(*) FROM documents d WHERE d.collection_id = c.id AND d.active_version > 0),
  (SELECT coalesce(sum(d.chunks), 0) FROM documents d WHERE d.collection_id = c.id AND d.active_version > 0)`
)

// MostCounted is up to where the documents of a language are counted: who asks wants to know whether a collection has many, once a second while it is searched; to count 20,000 takes SQLite 2 ms.
const MostCounted = 10000

// Collection reads a collection, without its counts.
func Collection(row Row) (rag.Collection, error) { return collection(row, false) }

// CountedCollection reads a collection with its counts.
func CountedCollection(row Row) (rag.Collection, error) { return collection(row, true) }

func collection(row Row, counted bool) (c rag.Collection, err error) {
	var created, updated int64
	into := []any{&c.ID, &c.Name, &c.Description, &c.Embedding.Model, &c.Embedding.Fingerprint, &c.Embedding.Dimensions,
		&c.Chunking.TargetTokens, &c.Chunking.OverlapTokens, &created, &updated, &c.IndexID, &c.Prompt.System, &c.Prompt.User, &c.Prompt.Version}
	if counted {
		into = append(into, &c.Documents, &c.Chunks)
	}
	err = row.Scan(into...)
	c.CreatedAt, c.UpdatedAt = Time(created), Time(updated)
	return c, err
}

// DocumentColumns are what Document reads, of table d.
const DocumentColumns = `d.id, d.collection_id, d.external_id, d.active_version, d.title, d.source_uri, d.media_type, d.sha256, d.language, d.metadata,
  d.characters, d.chunks, d.created_at, d.updated_at, d.archive`

// Document reads a document.
func Document(row Row) (rag.Document, error) { return document(row) }

func document(row Row, more ...any) (d rag.Document, err error) {
	var metadata string
	var created, updated int64
	err = row.Scan(append([]any{&d.ID, &d.Collection, &d.ExternalID, &d.Version, &d.Title, &d.SourceURI, &d.MediaType, &d.SHA256, &d.Language, &metadata,
		&d.Characters, &d.Chunks, &created, &updated, &d.Archive}, more...)...)
	if err != nil {
		return d, err
	}
	d.CreatedAt, d.UpdatedAt = Time(created), Time(updated)
	d.Metadata, err = ReadMetadata(metadata)
	return d, err
}

// chunk is a chunk as its columns have it: id, document, ordinal, span, heading path, page, context, text.
type chunk struct {
	rag.Chunk
	headings string
}

func (c *chunk) into() []any {
	return []any{&c.ID, &c.Document, &c.Ordinal, &c.Span.Start, &c.Span.End, &c.headings, &c.Page, &c.Context, &c.Text}
}

func (c *chunk) chunk(version int) (out rag.Chunk, err error) {
	c.Version = version
	c.HeadingPath, err = ReadStrings(c.headings)
	return c.Chunk, err
}

// Chunk reads a chunk's columns and then its document's active version.
func Chunk(row Row) (rag.Chunk, error) {
	var c chunk
	var version int
	if err := row.Scan(append(c.into(), &version)...); err != nil {
		return rag.Chunk{}, err
	}
	return c.chunk(version)
}

// Hit reads a document's columns, a chunk's, and then the collection's name.
func Hit(row Row) (h rag.Hit, err error) {
	var c chunk
	if h.Document, err = document(row, append(c.into(), &h.Collection)...); err != nil {
		return h, err
	}
	h.Chunk, err = c.chunk(h.Document.Version)
	return h, err
}

// StoredChunk reads a chunk's columns and then active version, title, metadata and vector, which may be NULL.
func StoredChunk(row Row) (s rag.StoredChunk, err error) {
	var c chunk
	var version int
	var metadata string
	var vector []byte
	if err := row.Scan(append(c.into(), &version, &s.Title, &metadata, &vector)...); err != nil {
		return s, err
	}
	if s.Chunk, err = c.chunk(version); err != nil {
		return s, err
	}
	if vector != nil {
		s.Embedding = ReadEmbedding(vector)
	}
	s.Metadata, err = ReadMetadata(metadata)
	return s, err
}

// JobColumns are what Job reads.
const JobColumns = `id, collection_id, status, stage, done, total, stages, attempts, error_code, error_message, created_at, started_at, updated_at, finished_at`

// Job reads a job, without its documents, and what more there is.
func Job(row Row, more ...any) (j rag.Job, err error) {
	var e rag.JobError
	var created, started, updated, finished int64
	var stages string
	err = row.Scan(append([]any{&j.ID, &j.Collection, &j.Status, &j.Stage, &j.Progress.Done, &j.Progress.Total, &stages, &j.Attempts, &e.Code, &e.Message,
		&created, &started, &updated, &finished}, more...)...)
	j.CreatedAt, j.StartedAt, j.UpdatedAt, j.FinishedAt = Time(created), Time(started), Time(updated), Time(finished)
	if e.Code != "" {
		j.Error = &e
	}
	if err == nil {
		err = readStages(stages, &j.Progress)
	}
	return j, err
}

// UploadColumns are what Upload reads.
const UploadColumns = `document_id, external_id, version, published, unchanged, error_code, error_message, warnings, title, source_uri, filename, media_type, sha256, bytes, metadata, archive, action`

// Upload reads a document of a job, with what was handed in for it.
func Upload(row Row) (d rag.JobDocument, u rag.Upload, err error) {
	var e rag.JobError
	var metadata, warnings string
	if err := row.Scan(&d.Document, &d.ExternalID, &d.Version, &d.Published, &d.Unchanged, &e.Code, &e.Message, &warnings, &u.Title, &u.SourceURI, &u.Filename, &u.MediaType,
		&u.SHA256, &u.Bytes, &metadata, &d.Archive, &d.Action); err != nil {
		return d, u, err
	}
	if e.Code != "" {
		d.Error = &e
	}
	u.ExternalID, u.Archive, u.Action = d.ExternalID, d.Archive, d.Action
	if d.Warnings, err = ReadStrings(warnings); err != nil {
		return d, u, err
	}
	u.Metadata, err = ReadMetadata(metadata)
	return d, u, err
}

// Outcome is what is known of an upload from the start: the error of one that is refused, and the reason of one that is skipped as its warning.
func Outcome(u rag.Upload) (e rag.JobError, warnings []string) {
	switch {
	case u.Reason == nil:
	case u.Action == rag.ActionRefuse:
		e = *u.Reason
	case u.Action == rag.ActionSkip:
		warnings = []string{u.Reason.Message}
	}
	return e, warnings
}

// KeyColumns are what Key reads.
const KeyColumns = `id, name, prefix, hash, scope, collections, per_minute, created_at, expires_at, last_used_at, revoked_at`

// Key reads an API key.
func Key(row Row) (k rag.APIKey, err error) {
	var collections string
	var created, expires, used, revoked int64
	if err := row.Scan(&k.ID, &k.Name, &k.Prefix, &k.Hash, &k.Scope, &collections, &k.PerMinute, &created, &expires, &used, &revoked); err != nil {
		return k, err
	}
	k.CreatedAt, k.ExpiresAt, k.LastUsedAt, k.RevokedAt = Time(created), Time(expires), Time(used), Time(revoked)
	k.Collections, err = ReadStrings(collections)
	return k, err
}

// CitationColumns are what Citation reads.
const CitationColumns = `id, marker, answer_start, answer_end, collection, document_id, external_id, title, version, chunk_id, source_start, source_end, quote, page, heading_path, verified, verdict, support, attribution`

// Citation reads a citation.
func Citation(row Row) (c rag.Citation, err error) {
	var headings string
	if err := row.Scan(&c.ID, &c.Marker, &c.AnswerSpan.Start, &c.AnswerSpan.End, &c.Collection, &c.Document.ID, &c.Document.ExternalID, &c.Document.Title,
		&c.Document.Version, &c.ChunkID, &c.SourceSpan.Start, &c.SourceSpan.End, &c.Quote, &c.Page, &headings, &c.Verified, &c.Verdict, &c.Support, &c.Attribution); err != nil {
		return c, err
	}
	c.HeadingPath, err = ReadStrings(headings)
	return c, err
}

// ReembeddingColumns are what Reembedding reads, of table r: its own, then how many chunks have a vector of the other model, and how many there are.
const ReembeddingColumns = `r.collection_id, r.model, r.fingerprint, r.dimensions, r.index_id, r.state, r.plan, r.gate, r.error, r.started_at, r.updated_at,
  (SELECT count(*) FROM documents d JOIN chunks k ON k.document_id = d.id JOIN other_vectors o ON o.collection_id = r.collection_id AND o.chunk_id = k.chunk_id WHERE d.collection_id = r.collection_id),
  (SELECT coalesce(sum(d.chunks), 0) FROM documents d WHERE d.collection_id = r.collection_id AND d.active_version > 0)`

// Reembedding reads a re-embedding.
func Reembedding(row Row) (r rag.Reembedding, err error) {
	var plan, gate string
	var started, updated int64
	if err := row.Scan(&r.Collection, &r.Other.Model, &r.Other.Fingerprint, &r.Other.Dimensions, &r.IndexID, &r.State, &plan, &gate, &r.Error, &started, &updated, &r.Done, &r.Total); err != nil {
		return r, err
	}
	r.StartedAt, r.UpdatedAt = Time(started), Time(updated)
	if err := json.Unmarshal([]byte(plan), &r.Plan); err != nil {
		return r, fmt.Errorf("a stored plan: %w", err)
	}
	if err := json.Unmarshal([]byte(gate), &r.Gate); err != nil {
		return r, fmt.Errorf("a stored gate: %w", err)
	}
	return r, nil
}
