package postgres

import (
	"context"
	"errors"
	"slices"

	"github.com/jackc/pgx/v5"

	"footnote/internal/catalog/stored"
	"footnote/internal/rag"
)

// Publish makes v the active version of its document, in one transaction: readers see the old version whole or the new one
// whole. n is the document's place in the job. It returns the chunks that no active version lists any more, whose removal
// from the index it has queued. Repeating it changes nothing. A version older than the active one is passed over: the
// document was submitted again meanwhile. Conflict when the document was deleted meanwhile, or when the token is not the job's latest; the job's row is
// locked until the commit, so a token that is good here is good there.
func (s *Store) Publish(ctx context.Context, job rag.JobID, token int64, n int, v rag.Version) ([]rag.ChunkID, error) {
	var removed []rag.ChunkID
	err := s.tx(ctx, func(tx pgx.Tx) error {
		if err := held(ctx, tx, job, token); err != nil {
			return err
		}
		d := v.Document
		var collection rag.CollectionID
		var active int
		err := tx.QueryRow(ctx, `SELECT collection_id, active_version FROM documents WHERE id = $1 FOR UPDATE`, d.ID).Scan(&collection, &active)
		if errors.Is(err, pgx.ErrNoRows) {
			return rag.Errorf(rag.Conflict, "The document %q was deleted while it was being taken in.", d.ExternalID)
		}
		if err != nil {
			return err
		}
		if err := sameModel(ctx, tx, collection, v.Fingerprint); err != nil {
			return err
		}
		if active < d.Version {
			if removed, err = replaceVersion(ctx, tx, collection, v, stored.Micros(s.now())); err != nil {
				return err
			}
		}
		_, err = tx.Exec(ctx, `UPDATE job_documents SET published = true, error_code = '', error_message = '', warnings = $1 WHERE job_id = $2 AND n = $3`, stored.Strings(v.Warnings), job, n)
		return err
	})
	return removed, err
}

// Confirm makes the nth document's version the active one without any work, when the active version is an older one and has the same recipe: its text, its chunks and its warnings are then
// the new version's. It tells whether it did. Errors as those of Publish.
func (s *Store) Confirm(ctx context.Context, job rag.JobID, token int64, n int, recipe string) (done bool, err error) {
	err = s.tx(ctx, func(tx pgx.Tx) error {
		done = false
		if err := held(ctx, tx, job, token); err != nil {
			return err
		}
		// The document's row before the text's, as publishing locks them: the text that is read then belongs to the version that is active.
		var id rag.DocumentID
		var version, active int
		err := tx.QueryRow(ctx, `SELECT d.id, j.version, d.active_version FROM job_documents j JOIN documents d ON d.id = j.document_id WHERE j.job_id = $1 AND j.n = $2 FOR UPDATE OF d`, job, n).
			Scan(&id, &version, &active)
		if errors.Is(err, pgx.ErrNoRows) || err == nil && (active == 0 || active >= version) {
			return nil
		}
		if err != nil {
			return err
		}
		var warnings string
		err = tx.QueryRow(ctx, `SELECT warnings FROM texts WHERE document_id = $1 AND recipe = $2 AND recipe <> ''`, id, recipe).Scan(&warnings)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		done = true
		batch := &pgx.Batch{}
		batch.Queue(`UPDATE documents SET active_version = $1, updated_at = $2 WHERE id = $3`, version, stored.Micros(s.now()), id)
		batch.Queue(`UPDATE job_documents SET published = true, unchanged = true, error_code = '', error_message = '', warnings = $1 WHERE job_id = $2 AND n = $3`, warnings, job, n)
		return tx.SendBatch(ctx, batch).Close()
	})
	return done && err == nil, err
}

// Remove deletes the job's nth document, unless it was handed in again since the job was made, and marks it as done. It returns the document's chunks, whose removal from the index it has
// queued. Repeating it changes nothing. Errors as those of ExtendLease.
func (s *Store) Remove(ctx context.Context, job rag.JobID, token int64, n int) (removed []rag.ChunkID, err error) {
	err = s.tx(ctx, func(tx pgx.Tx) error {
		removed = nil
		if err := held(ctx, tx, job, token); err != nil {
			return err
		}
		var id rag.DocumentID
		var collection rag.CollectionID
		err := tx.QueryRow(ctx, `SELECT d.id, d.collection_id FROM job_documents j JOIN documents d ON d.id = j.document_id AND d.last_version = j.version
		  WHERE j.job_id = $1 AND j.n = $2 AND j.action = 'remove' FOR UPDATE OF d`, job, n).Scan(&id, &collection)
		if err == nil {
			removed, err = deleteDocument(ctx, tx, collection, id)
		}
		if err != nil && !errors.Is(err, pgx.ErrNoRows) {
			return err
		}
		_, err = tx.Exec(ctx, `UPDATE job_documents SET published = true WHERE job_id = $1 AND n = $2 AND action = 'remove'`, job, n)
		return err
	})
	return removed, err
}

// sameModel checks that a collection still has the model of that fingerprint, and keeps it so until the transaction ends.
func sameModel(ctx context.Context, q querier, id rag.CollectionID, fingerprint string) error {
	if fingerprint == "" {
		return nil
	}
	var current string
	if err := q.QueryRow(ctx, `SELECT fingerprint FROM collections WHERE id = $1 FOR SHARE`, id).Scan(&current); err != nil {
		return err
	}
	if current != fingerprint {
		return rag.Errorf(rag.ModelMismatch, "The collection was given another embedding model meanwhile.")
	}
	return nil
}

// HasDocument tells whether some document, of any collection, has that id.
func (s *Store) HasDocument(ctx context.Context, id rag.DocumentID) (bool, error) {
	return one(ctx, s, func(row stored.Row) (there bool, err error) { err = row.Scan(&there); return there, err }, nil, `SELECT EXISTS (SELECT 1 FROM documents WHERE id = $1)`, id)
}

// ImportDocument stores a document with v as its active version, without a job. Conflict when its collection has a document of that external id, or some
// collection one of that id; ModelMismatch as Publish has it.
func (s *Store) ImportDocument(ctx context.Context, v rag.Version) error {
	d := v.Document
	return s.tx(ctx, func(tx pgx.Tx) error {
		now := stored.Micros(s.now())
		tag, err := tx.Exec(ctx, `INSERT INTO documents (id, collection_id, external_id, last_version, active_version, title, source_uri, media_type, sha256, language, metadata,
		    characters, chunks, created_at, updated_at, archive)
		  SELECT $1, id, $2, $3, 0, '', '', '', '', '', '{}', 0, 0, $4, $4, $6 FROM collections WHERE id = $5 ON CONFLICT DO NOTHING`, d.ID, d.ExternalID, d.Version, now, d.Collection, d.Archive)
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 0 {
			return rag.Errorf(rag.Conflict, "The document %q cannot be stored: it is there already, or its collection is gone.", rag.Clip(d.ExternalID, 80))
		}
		if err := sameModel(ctx, tx, d.Collection, v.Fingerprint); err != nil {
			return err
		}
		_, err = replaceVersion(ctx, tx, d.Collection, v, now)
		return err
	})
}

func replaceVersion(ctx context.Context, tx pgx.Tx, collection rag.CollectionID, v rag.Version, now int64) ([]rag.ChunkID, error) {
	d := v.Document
	metadata, err := stored.Metadata(d.Metadata)
	if err != nil {
		return nil, err
	}
	before, err := chunkIDs(ctx, tx, d.ID)
	if err != nil {
		return nil, err
	}
	kept, err := keptEmbeddings(ctx, tx, v)
	if err != nil {
		return nil, err
	}
	listed := make([]rag.ChunkID, len(v.Chunks))
	rows := make([][]any, len(v.Chunks))
	for i, c := range v.Chunks {
		listed[i] = c.ID
		b, err := stored.VectorOf(v, i, kept)
		if err != nil {
			return nil, err
		}
		rows[i] = []any{string(d.ID), c.Ordinal, uuid(c.ID), c.Span.Start, c.Span.End, stored.Strings(c.HeadingPath), c.Page, c.Context, c.Text, b.Embedding, b.TextHash}
	}
	batch := &pgx.Batch{}
	batch.Queue(`DELETE FROM chunks WHERE document_id = $1`, d.ID)
	batch.Queue(`INSERT INTO texts (document_id, text, pages, warnings, recipe) VALUES ($1, $2, $3, $4, $5)
	  ON CONFLICT (document_id) DO UPDATE SET text = excluded.text, pages = excluded.pages, warnings = excluded.warnings, recipe = excluded.recipe`,
		d.ID, v.Text, stored.Pages(v.Pages), stored.Strings(v.Warnings), v.Recipe)
	batch.Queue(`UPDATE documents SET active_version = $1, title = $2, source_uri = $3, media_type = $4, sha256 = $5, language = $6, metadata = $7, characters = $8,
	  chunks = $9, updated_at = $10 WHERE id = $11`, d.Version, d.Title, d.SourceURI, d.MediaType, d.SHA256, d.Language, metadata, d.Characters, len(v.Chunks), now, d.ID)
	batch.Queue(`DELETE FROM removals WHERE collection_id = $1 AND chunk_id = ANY($2::uuid[])`, collection, uuids(listed))
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return nil, err
	}
	columns := []string{"document_id", "ordinal", "chunk_id", "span_start", "span_end", "heading_path", "page", "context", "text", "embedding", "text_hash"}
	if _, err := tx.CopyFrom(ctx, pgx.Identifier{"chunks"}, columns, pgx.CopyFromRows(rows)); err != nil {
		return nil, err
	}
	present := make(map[rag.ChunkID]bool, len(listed))
	for _, id := range listed {
		present[id] = true
	}
	removed := slices.DeleteFunc(before, func(id rag.ChunkID) bool { return present[id] })
	return removed, queueRemovals(ctx, tx, collection, d.ID, removed)
}

// keptEmbeddings reads the stored vectors of the chunks that come without one, before their rows are replaced.
func keptEmbeddings(ctx context.Context, q querier, v rag.Version) (map[rag.ChunkID]stored.Vector, error) {
	if len(v.Embeddings) != len(v.Chunks) {
		return nil, rag.Errorf(rag.Internal, "A version has %d chunks and %d embeddings.", len(v.Chunks), len(v.Embeddings))
	}
	if !slices.ContainsFunc(v.Embeddings, func(e rag.Embedding) bool { return e == nil }) {
		return nil, nil
	}
	kept := map[rag.ChunkID]stored.Vector{}
	err := each(ctx, q, func(rows pgx.Rows) error {
		var id rag.ChunkID
		var b stored.Vector
		err := rows.Scan(&id, &b.Embedding, &b.TextHash)
		kept[id] = b
		return err
	}, `SELECT chunk_id::text, embedding, text_hash FROM chunks WHERE document_id = $1`, v.Document.ID)
	return kept, err
}
