package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"

	"footnote/internal/catalog/stored"
	"footnote/internal/rag"
)

const documentColumns = `d.id, d.collection_id, d.external_id, d.active_version, d.title, d.source_uri, d.media_type, d.sha256, d.language, d.metadata,
  d.characters, d.chunks, d.created_at, d.updated_at`

func documentInto(d *rag.Document, metadata *string, created, updated *int64) []any {
	return []any{&d.ID, &d.Collection, &d.ExternalID, &d.Version, &d.Title, &d.SourceURI, &d.MediaType, &d.SHA256, &d.Language, metadata,
		&d.Characters, &d.Chunks, created, updated}
}

func scanDocument(row scanner, more ...any) (rag.Document, error) {
	var d rag.Document
	var metadata string
	var created, updated int64
	if err := row.Scan(append(documentInto(&d, &metadata, &created, &updated), more...)...); err != nil {
		return d, err
	}
	d.CreatedAt, d.UpdatedAt = stored.Time(created), stored.Time(updated)
	var err error
	d.Metadata, err = stored.ReadMetadata(metadata)
	return d, err
}

// Document finds a document that has an active version; NotFound when there is none.
func (s *Store) Document(ctx context.Context, collection rag.CollectionID, externalID string) (rag.Document, error) {
	d, err := scanDocument(s.read.QueryRowContext(ctx,
		`SELECT `+documentColumns+` FROM documents d WHERE d.collection_id = ? AND d.external_id = ? AND d.active_version > 0`, collection, externalID))
	if errors.Is(err, sql.ErrNoRows) {
		return d, rag.DocumentMissing(externalID)
	}
	return d, translate(err)
}

// DocumentByID finds a document that has an active version; NotFound when there is none.
func (s *Store) DocumentByID(ctx context.Context, id rag.DocumentID) (rag.Document, error) {
	d, err := scanDocument(s.read.QueryRowContext(ctx, `SELECT `+documentColumns+` FROM documents d WHERE d.id = ? AND d.active_version > 0`, id))
	if errors.Is(err, sql.ErrNoRows) {
		return d, rag.DocumentGone()
	}
	return d, translate(err)
}

// Documents lists up to limit documents that satisfy filter, by external id, those after the given one.
func (s *Store) Documents(ctx context.Context, collection rag.CollectionID, filter *rag.Filter, after string, limit int) ([]rag.Document, error) {
	var out []rag.Document
	errFull := errors.New("enough")
	err := each(ctx, s.read, func(rows *sql.Rows) error {
		d, err := scanDocument(rows)
		if err != nil || !filter.Matches(d.Metadata) {
			return err
		}
		if out = append(out, d); len(out) == limit {
			return errFull
		}
		return nil
	}, `SELECT `+documentColumns+` FROM documents d WHERE d.collection_id = ? AND d.external_id > ? AND d.active_version > 0 ORDER BY d.external_id`, collection, after)
	if errors.Is(err, errFull) {
		err = nil
	}
	return out, err
}

// Text is the normalised text of the document's active version.
func (s *Store) Text(ctx context.Context, id rag.DocumentID) (string, error) {
	var text string
	err := s.read.QueryRowContext(ctx, `SELECT text FROM texts WHERE document_id = ?`, id).Scan(&text)
	if errors.Is(err, sql.ErrNoRows) {
		return "", rag.DocumentGone()
	}
	return text, translate(err)
}

const chunkColumns = `k.chunk_id, k.document_id, k.ordinal, k.span_start, k.span_end, k.heading_path, k.page, k.text`

type chunkRow struct {
	rag.Chunk
	headings string
}

func (r *chunkRow) into() []any {
	return []any{&r.ID, &r.Document, &r.Ordinal, &r.Span.Start, &r.Span.End, &r.headings, &r.Page, &r.Text}
}

func (r *chunkRow) chunk(version int) (rag.Chunk, error) {
	var err error
	r.Version = version
	r.HeadingPath, err = stored.ReadStrings(r.headings)
	return r.Chunk, err
}

// Chunks lists up to limit chunks of the active version in text order, those whose ordinal is above after.
func (s *Store) Chunks(ctx context.Context, id rag.DocumentID, after, limit int) ([]rag.Chunk, error) {
	var out []rag.Chunk
	err := each(ctx, s.read, func(rows *sql.Rows) error {
		var r chunkRow
		var version int
		if err := rows.Scan(append(r.into(), &version)...); err != nil {
			return err
		}
		c, err := r.chunk(version)
		out = append(out, c)
		return err
	}, `SELECT `+chunkColumns+`, d.active_version FROM chunks k JOIN documents d ON d.id = k.document_id
	    WHERE k.document_id = ? AND k.ordinal > ? ORDER BY k.ordinal LIMIT ?`, id, after, limit)
	return out, err
}

// Hydrate returns those of the chunks that an active version of the collection lists, in any order, with their documents.
func (s *Store) Hydrate(ctx context.Context, collection rag.CollectionID, ids []rag.ChunkID) ([]rag.Hit, error) {
	list, err := json.Marshal(ids)
	if err != nil {
		return nil, err
	}
	var out []rag.Hit
	err = each(ctx, s.read, func(rows *sql.Rows) error {
		var h rag.Hit
		var r chunkRow
		d, err := scanDocument(rows, append(r.into(), &h.Collection)...)
		if err != nil {
			return err
		}
		h.Document = d
		h.Chunk, err = r.chunk(d.Version)
		out = append(out, h)
		return err
	}, `SELECT `+documentColumns+`, `+chunkColumns+`, c.name FROM json_each(?) j JOIN chunks k ON k.chunk_id = j.value
	    JOIN documents d ON d.id = k.document_id JOIN collections c ON c.id = d.collection_id WHERE d.collection_id = ?`, string(list), collection)
	return out, err
}

// Embeddings returns the vectors of those of the chunks that are stored.
func (s *Store) Embeddings(ctx context.Context, ids []rag.ChunkID) (map[rag.ChunkID]rag.Embedding, error) {
	list, err := json.Marshal(ids)
	if err != nil {
		return nil, err
	}
	out := make(map[rag.ChunkID]rag.Embedding, len(ids))
	err = each(ctx, s.read, func(rows *sql.Rows) error {
		var id rag.ChunkID
		var b []byte
		err := rows.Scan(&id, &b)
		out[id] = stored.ReadEmbedding(b)
		return err
	}, `SELECT k.chunk_id, k.embedding FROM json_each(?) j JOIN chunks k ON k.chunk_id = j.value`, string(list))
	return out, err
}

// EachChunk calls f with every chunk of the collection's active versions: what an index is rebuilt from.
func (s *Store) EachChunk(ctx context.Context, collection rag.CollectionID, f func(rag.StoredChunk) error) error {
	return each(ctx, s.read, func(rows *sql.Rows) error {
		var c rag.StoredChunk
		var r chunkRow
		var version int
		var metadata string
		var b []byte
		err := rows.Scan(append(r.into(), &version, &c.Title, &metadata, &b)...)
		if err != nil {
			return err
		}
		if c.Chunk, err = r.chunk(version); err != nil {
			return err
		}
		if c.Metadata, err = stored.ReadMetadata(metadata); err != nil {
			return err
		}
		c.Embedding = stored.ReadEmbedding(b)
		return f(c)
	}, `SELECT `+chunkColumns+`, d.active_version, d.title, d.metadata, k.embedding FROM documents d JOIN chunks k ON k.document_id = d.id
	    WHERE d.collection_id = ? ORDER BY d.id, k.ordinal`, collection)
}

// EachChunkID calls f with the id and the document of every chunk of the collection's active versions.
func (s *Store) EachChunkID(ctx context.Context, collection rag.CollectionID, f func(rag.PointRef) error) error {
	return each(ctx, s.read, func(rows *sql.Rows) error {
		var p rag.PointRef
		if err := rows.Scan(&p.Chunk, &p.Document); err != nil {
			return err
		}
		return f(p)
	}, `SELECT k.chunk_id, k.document_id FROM documents d JOIN chunks k ON k.document_id = d.id WHERE d.collection_id = ?`, collection)
}

// DeleteDocument removes a document and queues the removal of its chunks from the index; it returns them. Versions of it that are
// still being taken in will not be published.
func (s *Store) DeleteDocument(ctx context.Context, collection rag.CollectionID, externalID string) ([]rag.ChunkID, error) {
	var removed []rag.ChunkID
	err := s.tx(ctx, func(tx *sql.Tx) error {
		var id rag.DocumentID
		err := tx.QueryRowContext(ctx, `SELECT id FROM documents WHERE collection_id = ? AND external_id = ?`, collection, externalID).Scan(&id)
		if errors.Is(err, sql.ErrNoRows) {
			return rag.DocumentMissing(externalID)
		}
		if err != nil {
			return err
		}
		if removed, err = chunkIDs(ctx, tx, id); err != nil {
			return err
		}
		if err := queueRemovals(ctx, tx, collection, id, removed); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `DELETE FROM documents WHERE id = ?`, id)
		return err
	})
	return removed, err
}

func chunkIDs(ctx context.Context, q querier, id rag.DocumentID) (ids []rag.ChunkID, err error) {
	err = each(ctx, q, func(rows *sql.Rows) error {
		var id rag.ChunkID
		err := rows.Scan(&id)
		ids = append(ids, id)
		return err
	}, `SELECT chunk_id FROM chunks WHERE document_id = ? ORDER BY ordinal`, id)
	return ids, err
}

func queueRemovals(ctx context.Context, tx *sql.Tx, collection rag.CollectionID, document rag.DocumentID, ids []rag.ChunkID) error {
	for _, id := range ids {
		if _, err := tx.ExecContext(ctx, `INSERT INTO removals (collection_id, document_id, chunk_id) VALUES (?, ?, ?) ON CONFLICT DO NOTHING`, collection, document, id); err != nil {
			return err
		}
	}
	return nil
}

// Removals lists up to limit chunks that the index may still hold and no active version lists, those of a document together.
func (s *Store) Removals(ctx context.Context, limit int) ([]rag.Removal, error) {
	var out []rag.Removal
	err := each(ctx, s.read, func(rows *sql.Rows) error {
		var r rag.Removal
		err := rows.Scan(&r.Collection, &r.Document, &r.Chunk)
		out = append(out, r)
		return err
	}, `SELECT collection_id, document_id, chunk_id FROM removals ORDER BY collection_id, document_id LIMIT ?`, limit)
	return out, err
}

// AckRemovals forgets removals that the index has carried out.
func (s *Store) AckRemovals(ctx context.Context, done []rag.Removal) error {
	return s.tx(ctx, func(tx *sql.Tx) error {
		for _, r := range done {
			if _, err := tx.ExecContext(ctx, `DELETE FROM removals WHERE collection_id = ? AND chunk_id = ?`, r.Collection, r.Chunk); err != nil {
				return err
			}
		}
		return nil
	})
}
