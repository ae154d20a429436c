package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"slices"

	"footnote/internal/catalog/stored"
	"footnote/internal/rag"
)

// Publish makes v the active version of its document, in one transaction: readers see the old version whole or the new one
// whole. n is the document's place in the job. It returns the chunks that no active version lists any more, whose removal
// from the index it has queued. Repeating it changes nothing. A version older than the active one is passed over: the
// document was submitted again meanwhile. Conflict when the document was deleted meanwhile.
func (s *Store) Publish(ctx context.Context, job rag.JobID, token int64, n int, v rag.Version) ([]rag.ChunkID, error) {
	var removed []rag.ChunkID
	err := s.tx(ctx, func(tx *sql.Tx) error {
		if err := held(ctx, tx, job, token); err != nil {
			return err
		}
		d := v.Document
		var collection rag.CollectionID
		var active int
		err := tx.QueryRowContext(ctx, `SELECT collection_id, active_version FROM documents WHERE id = ?`, d.ID).Scan(&collection, &active)
		if errors.Is(err, sql.ErrNoRows) {
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
		_, err = tx.ExecContext(ctx, `UPDATE job_documents SET published = 1, error_code = '', error_message = '', warnings = ? WHERE job_id = ? AND n = ?`, stored.Strings(v.Warnings), job, n)
		return err
	})
	return removed, err
}

// Confirm makes the nth document's version the active one without any work, when the active version is an older one and has the same recipe: its text, its chunks and its warnings are then
// the new version's. It tells whether it did. Errors as those of Publish.
func (s *Store) Confirm(ctx context.Context, job rag.JobID, token int64, n int, recipe string) (done bool, err error) {
	err = s.tx(ctx, func(tx *sql.Tx) error {
		if err := held(ctx, tx, job, token); err != nil {
			return err
		}
		var id rag.DocumentID
		var version int
		var warnings string
		err := tx.QueryRowContext(ctx, `SELECT d.id, j.version, t.warnings FROM job_documents j JOIN documents d ON d.id = j.document_id JOIN texts t ON t.document_id = d.id
		  WHERE j.job_id = ? AND j.n = ? AND d.active_version BETWEEN 1 AND j.version - 1 AND t.recipe = ? AND t.recipe <> ''`, job, n, recipe).Scan(&id, &version, &warnings)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE documents SET active_version = ?, updated_at = ? WHERE id = ?`, version, stored.Micros(s.now()), id); err != nil {
			return err
		}
		done = true
		_, err = tx.ExecContext(ctx, `UPDATE job_documents SET published = 1, unchanged = 1, error_code = '', error_message = '', warnings = ? WHERE job_id = ? AND n = ?`, warnings, job, n)
		return err
	})
	return done && err == nil, err
}

// Remove deletes the job's nth document, unless it was handed in again since the job was made, and marks it as done. It returns the document's chunks, whose removal from the index it has
// queued. Repeating it changes nothing. Errors as those of ExtendLease.
func (s *Store) Remove(ctx context.Context, job rag.JobID, token int64, n int) (removed []rag.ChunkID, err error) {
	err = s.tx(ctx, func(tx *sql.Tx) error {
		if err := held(ctx, tx, job, token); err != nil {
			return err
		}
		var id rag.DocumentID
		var collection rag.CollectionID
		err := tx.QueryRowContext(ctx, `SELECT d.id, d.collection_id FROM job_documents j JOIN documents d ON d.id = j.document_id AND d.last_version = j.version WHERE j.job_id = ? AND j.n = ? AND j.action = 'remove'`,
			job, n).Scan(&id, &collection)
		if err == nil {
			removed, err = deleteDocument(ctx, tx, collection, id)
		}
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		_, err = tx.ExecContext(ctx, `UPDATE job_documents SET published = 1 WHERE job_id = ? AND n = ? AND action = 'remove'`, job, n)
		return err
	})
	return removed, err
}

// sameModel checks that a collection still has the model of that fingerprint.
func sameModel(ctx context.Context, q querier, id rag.CollectionID, fingerprint string) error {
	if fingerprint == "" {
		return nil
	}
	var current string
	if err := q.QueryRowContext(ctx, `SELECT fingerprint FROM collections WHERE id = ?`, id).Scan(&current); err != nil {
		return err
	}
	if current != fingerprint {
		return rag.Errorf(rag.ModelMismatch, "The collection was given another embedding model meanwhile.")
	}
	return nil
}

// HasDocument tells whether some document, of any collection, has that id.
func (s *Store) HasDocument(ctx context.Context, id rag.DocumentID) (there bool, err error) {
	err = s.read.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM documents WHERE id = ?)`, id).Scan(&there)
	return there, translate(err)
}

// ImportDocument stores a document with v as its active version, without a job. Conflict when its collection has a document of that external id, or some
// collection one of that id; ModelMismatch as Publish has it.
func (s *Store) ImportDocument(ctx context.Context, v rag.Version) error {
	d := v.Document
	return s.tx(ctx, func(tx *sql.Tx) error {
		now := stored.Micros(s.now())
		r, err := tx.ExecContext(ctx, `INSERT INTO documents (id, collection_id, external_id, last_version, active_version, title, source_uri, media_type, sha256, language, metadata,
		    characters, chunks, created_at, updated_at, archive)
		  SELECT ?, id, ?, ?, 0, '', '', '', '', '', '{}', 0, 0, ?, ?, ? FROM collections WHERE id = ? ON CONFLICT DO NOTHING`, d.ID, d.ExternalID, d.Version, now, now, d.Archive, d.Collection)
		if err != nil {
			return err
		}
		if n, err := r.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, rag.Errorf(rag.Conflict, "The document %q cannot be stored: it is there already, or its collection is gone.", rag.Clip(d.ExternalID, 80)))
		}
		if err := sameModel(ctx, tx, d.Collection, v.Fingerprint); err != nil {
			return err
		}
		_, err = replaceVersion(ctx, tx, d.Collection, v, now)
		return err
	})
}

func replaceVersion(ctx context.Context, tx *sql.Tx, collection rag.CollectionID, v rag.Version, now int64) ([]rag.ChunkID, error) {
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
	for _, step := range []struct {
		query string
		args  []any
	}{
		{`DELETE FROM chunks WHERE document_id = ?`, []any{d.ID}},
		{`INSERT INTO texts (document_id, text, pages, warnings, recipe) VALUES (?, ?, ?, ?, ?)
		  ON CONFLICT (document_id) DO UPDATE SET text = excluded.text, pages = excluded.pages, warnings = excluded.warnings, recipe = excluded.recipe`,
			[]any{d.ID, v.Text, stored.Pages(v.Pages), stored.Strings(v.Warnings), v.Recipe}},
		{`UPDATE documents SET active_version = ?, title = ?, source_uri = ?, media_type = ?, sha256 = ?, language = ?, metadata = ?, characters = ?, chunks = ?,
		  updated_at = ? WHERE id = ?`, []any{d.Version, d.Title, d.SourceURI, d.MediaType, d.SHA256, d.Language, metadata, d.Characters, len(v.Chunks), now, d.ID}},
	} {
		if _, err := tx.ExecContext(ctx, step.query, step.args...); err != nil {
			return nil, err
		}
	}
	insert, err := tx.PrepareContext(ctx, `INSERT INTO chunks (document_id, ordinal, chunk_id, span_start, span_end, heading_path, page, context, text, embedding, text_hash)
	  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`)
	if err != nil {
		return nil, err
	}
	defer insert.Close()
	listed := make(map[rag.ChunkID]bool, len(v.Chunks))
	for i, c := range v.Chunks {
		listed[c.ID] = true
		b, err := stored.VectorOf(v, i, kept)
		if err != nil {
			return nil, err
		}
		if _, err := insert.ExecContext(ctx, d.ID, c.Ordinal, c.ID, c.Span.Start, c.Span.End, stored.Strings(c.HeadingPath), c.Page, c.Context, c.Text, b.Embedding, b.TextHash); err != nil {
			return nil, err
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM removals WHERE collection_id = ? AND chunk_id = ?`, collection, c.ID); err != nil {
			return nil, err
		}
	}
	if err := noteChange(ctx, tx, collection, d.ID); err != nil {
		return nil, err
	}
	removed := slices.DeleteFunc(before, func(id rag.ChunkID) bool { return listed[id] })
	return removed, queueRemovals(ctx, tx, collection, d.ID, removed)
}

// keptEmbeddings reads the stored vectors of the chunks that come without one, before their rows are replaced.
func keptEmbeddings(ctx context.Context, tx *sql.Tx, v rag.Version) (map[rag.ChunkID]stored.Vector, error) {
	if len(v.Embeddings) != len(v.Chunks) {
		return nil, rag.Errorf(rag.Internal, "A version has %d chunks and %d embeddings.", len(v.Chunks), len(v.Embeddings))
	}
	if !slices.ContainsFunc(v.Embeddings, func(e rag.Embedding) bool { return e == nil }) {
		return nil, nil
	}
	kept := map[rag.ChunkID]stored.Vector{}
	err := each(ctx, tx, func(rows *sql.Rows) error {
		var id rag.ChunkID
		var b stored.Vector
		err := rows.Scan(&id, &b.Embedding, &b.TextHash)
		kept[id] = b
		return err
	}, `SELECT chunk_id, embedding, text_hash FROM chunks WHERE document_id = ?`, v.Document.ID)
	return kept, err
}
