package sqlite

import (
	"context"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"

	"footnote/internal/catalog/stored"
	"footnote/internal/rag"
)

// Document finds a document that has an active version; NotFound when there is none.
func (s *Store) Document(ctx context.Context, collection rag.CollectionID, externalID string) (rag.Document, error) {
	return one(ctx, s.read, stored.Document, rag.DocumentMissing(externalID),
		`SELECT `+stored.DocumentColumns+` FROM documents d WHERE d.collection_id = ? AND d.external_id = ? AND d.active_version > 0`, collection, externalID)
}

// DocumentByID finds a document that has an active version; NotFound when there is none.
func (s *Store) DocumentByID(ctx context.Context, id rag.DocumentID) (rag.Document, error) {
	return one(ctx, s.read, stored.Document, rag.DocumentGone(), `SELECT `+stored.DocumentColumns+` FROM documents d WHERE d.id = ? AND d.active_version > 0`, id)
}

// Documents lists up to limit documents that satisfy filter, by external id, those after the given one.
func (s *Store) Documents(ctx context.Context, collection rag.CollectionID, filter *rag.Filter, after string, limit int) ([]rag.Document, error) {
	var out []rag.Document
	errFull := errors.New("enough")
	err := each(ctx, s.read, func(rows *sql.Rows) error {
		d, err := stored.Document(rows)
		if err != nil || !filter.Matches(d.Metadata) {
			return err
		}
		if out = append(out, d); len(out) == limit {
			return errFull
		}
		return nil
	}, `SELECT `+stored.DocumentColumns+` FROM documents d WHERE d.collection_id = ? AND d.external_id > ? AND d.active_version > 0 ORDER BY d.external_id`, collection, after)
	if errors.Is(err, errFull) {
		err = nil
	}
	return out, err
}

// Text is the normalised text of the document's active version. NotFound when it has none.
func (s *Store) Text(ctx context.Context, id rag.DocumentID) (string, error) {
	return one(ctx, s.read, func(row stored.Row) (text string, err error) { err = row.Scan(&text); return text, err }, rag.DocumentGone(), `SELECT text FROM texts WHERE document_id = ?`, id)
}

// Pages are the pages of the document's active version, in order; none when its source has none. NotFound when there is no such version.
func (s *Store) Pages(ctx context.Context, id rag.DocumentID) ([]rag.PageSpan, error) {
	return one(ctx, s.read, stored.ReadPages, rag.DocumentGone(), `SELECT pages FROM texts WHERE document_id = ?`, id)
}

// Twin is a document of the collection whose active version was made of the bytes with that SHA-256; NotFound when there is none.
func (s *Store) Twin(ctx context.Context, collection rag.CollectionID, sha256 string) (rag.DocumentID, error) {
	return one(ctx, s.read, func(row stored.Row) (id rag.DocumentID, err error) { err = row.Scan(&id); return id, err }, rag.DocumentGone(),
		`SELECT id FROM documents WHERE collection_id = ? AND sha256 = ? AND active_version > 0 ORDER BY updated_at DESC, id LIMIT 1`, collection, sha256)
}

// Recipe is the recipe of the document's active version; empty when it is not known. NotFound when there is no such version.
func (s *Store) Recipe(ctx context.Context, id rag.DocumentID) (string, error) {
	return one(ctx, s.read, func(row stored.Row) (recipe string, err error) { err = row.Scan(&recipe); return recipe, err }, rag.DocumentGone(), `SELECT recipe FROM texts WHERE document_id = ?`, id)
}

const chunkColumns = `k.chunk_id, k.document_id, k.ordinal, k.span_start, k.span_end, k.heading_path, k.page, k.context, k.text`

// Chunks lists up to limit chunks of the active version in text order, those whose ordinal is above after. A document that is not there has none.
func (s *Store) Chunks(ctx context.Context, id rag.DocumentID, after, limit int) ([]rag.Chunk, error) {
	return list(ctx, s.read, stored.Chunk, `SELECT `+chunkColumns+`, d.active_version FROM chunks k JOIN documents d ON d.id = k.document_id
	    WHERE k.document_id = ? AND k.ordinal > ? ORDER BY k.ordinal LIMIT ?`, id, after, limit)
}

// Hydrate returns those of the chunks that an active version of the collection lists, in any order, with their documents.
func (s *Store) Hydrate(ctx context.Context, collection rag.CollectionID, ids []rag.ChunkID) ([]rag.Hit, error) {
	encoded, err := json.Marshal(ids)
	if err != nil {
		return nil, err
	}
	rows, err := s.hydrate.QueryContext(ctx, string(encoded), collection)
	if err != nil {
		return nil, translate(err)
	}
	defer rows.Close()
	hits := make([]rag.Hit, 0, len(ids))
	for rows.Next() {
		h, err := stored.Hit(rows)
		if err != nil {
			return nil, translate(err)
		}
		hits = append(hits, h)
	}
	return hits, translate(rows.Err())
}

// hydrateSQL is what every search runs, so it is prepared once a connection: to parse and plan it takes a quarter of its time. CROSS JOIN keeps the order. Left to itself SQLite begins with the
// collection and compares each of its chunks with the list.
const hydrateSQL = `SELECT ` + stored.DocumentColumns + `, ` + chunkColumns + `, c.name FROM json_each(?) j CROSS JOIN chunks k ON k.chunk_id = j.value
	    CROSS JOIN documents d ON d.id = k.document_id CROSS JOIN collections c ON c.id = d.collection_id WHERE d.collection_id = ?`

// Languages tells in how many documents of the collection each language is, counted to stored.MostCounted, of documents without an active version too; "" is one that is not known. It looks at the index of languages alone.
func (s *Store) Languages(ctx context.Context, collection rag.CollectionID) (map[string]int, error) {
	out := map[string]int{}
	err := each(ctx, s.read, func(rows *sql.Rows) error {
		var language string
		var n int
		err := rows.Scan(&language, &n)
		out[language] = n
		return err
	}, `WITH RECURSIVE found(language) AS (SELECT min(language) FROM documents WHERE collection_id = ?1
	    UNION ALL SELECT (SELECT min(d.language) FROM documents d WHERE d.collection_id = ?1 AND d.language > found.language) FROM found WHERE found.language IS NOT NULL)
	    SELECT language, (SELECT count(*) FROM (SELECT 1 FROM documents d WHERE d.collection_id = ?1 AND d.language = found.language LIMIT ?2)) FROM found WHERE language IS NOT NULL`,
		collection, stored.MostCounted)
	return out, err
}

// ChunkLanguages are the languages of the documents of those of the chunks that an active version of the collection lists.
func (s *Store) ChunkLanguages(ctx context.Context, collection rag.CollectionID, ids []rag.ChunkID) (map[rag.ChunkID]string, error) {
	encoded, err := json.Marshal(ids)
	if err != nil {
		return nil, err
	}
	out := make(map[rag.ChunkID]string, len(ids))
	err = each(ctx, s.read, func(rows *sql.Rows) error {
		var id rag.ChunkID
		var language string
		err := rows.Scan(&id, &language)
		out[id] = language
		return err
	}, `SELECT k.chunk_id, d.language FROM json_each(?) j CROSS JOIN chunks k ON k.chunk_id = j.value CROSS JOIN documents d ON d.id = k.document_id WHERE d.collection_id = ?`,
		string(encoded), collection)
	return out, err
}

// Embeddings returns the vectors of those of the chunks that are stored.
func (s *Store) Embeddings(ctx context.Context, ids []rag.ChunkID) (map[rag.ChunkID]rag.Embedding, error) {
	encoded, err := json.Marshal(ids)
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
	}, `SELECT k.chunk_id, k.embedding FROM json_each(?) j CROSS JOIN chunks k ON k.chunk_id = j.value`, string(encoded))
	return out, err
}

// EmbeddingsByText returns the vectors of those of the texts that a chunk of some document in some collection embeds, by the model of that fingerprint. A chunk's vector is of the
// model that its collection's row names, and a swap changes both in one transaction, so one statement cannot mix them up; vectors of a re-embedding's other model are not looked at.
func (s *Store) EmbeddingsByText(ctx context.Context, fingerprint string, texts []rag.TextHash) (map[rag.TextHash]rag.Embedding, error) {
	encoded := make([]string, len(texts))
	for i, h := range texts {
		encoded[i] = hex.EncodeToString(h[:])
	}
	list, err := json.Marshal(encoded)
	if err != nil {
		return nil, err
	}
	out := make(map[rag.TextHash]rag.Embedding, len(texts))
	// One row a text, however many chunks have it. CROSS JOIN keeps the order: from the few chunks of a text to their collections.
	err = each(ctx, s.read, func(rows *sql.Rows) error {
		var at int
		var b []byte
		err := rows.Scan(&at, &b)
		if b != nil {
			out[texts[at]] = stored.ReadEmbedding(b)
		}
		return err
	}, `SELECT j.key, (SELECT k.embedding FROM chunks k CROSS JOIN documents d ON d.id = k.document_id CROSS JOIN collections c ON c.id = d.collection_id
	    WHERE k.text_hash = unhex(j.value) AND c.fingerprint = ? LIMIT 1) FROM json_each(?) j`, fingerprint, string(list))
	return out, err
}

// EachChunk calls f with every chunk of the collection's active versions: what an index is rebuilt from.
func (s *Store) EachChunk(ctx context.Context, collection rag.CollectionID, f func(rag.StoredChunk) error) error {
	return each(ctx, s.read, storedChunks(f), `SELECT `+chunkColumns+`, d.active_version, d.title, d.metadata, k.embedding FROM documents d JOIN chunks k ON k.document_id = d.id
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
// still being taken in will not be published. NotFound when the collection has no such document.
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
		removed, err = deleteDocument(ctx, tx, collection, id)
		return err
	})
	return removed, err
}

func deleteDocument(ctx context.Context, tx *sql.Tx, collection rag.CollectionID, id rag.DocumentID) ([]rag.ChunkID, error) {
	removed, err := chunkIDs(ctx, tx, id)
	if err != nil {
		return nil, err
	}
	if err := queueRemovals(ctx, tx, collection, id, removed); err != nil {
		return nil, err
	}
	if err := noteChange(ctx, tx, collection, id); err != nil {
		return nil, err
	}
	_, err = tx.ExecContext(ctx, `DELETE FROM documents WHERE id = ?`, id)
	return removed, err
}

// ArchiveFiles lists the external ids of the documents that came in an archive, those included that no job has published yet.
func (s *Store) ArchiveFiles(ctx context.Context, collection rag.CollectionID, archive string) ([]string, error) {
	return list(ctx, s.read, func(row stored.Row) (id string, err error) {
		err = row.Scan(&id)
		return id, err
	}, `SELECT external_id FROM documents WHERE collection_id = ? AND archive = ? AND archive <> '' ORDER BY external_id`, collection, archive)
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
	return list(ctx, s.read, func(row stored.Row) (r rag.Removal, err error) {
		err = row.Scan(&r.Collection, &r.Document, &r.Chunk)
		return r, err
	}, `SELECT collection_id, document_id, chunk_id FROM removals ORDER BY collection_id, document_id LIMIT ?`, limit)
}

// AckRemovals forgets removals that the index has carried out. That is a change too: files that the index wrote before still have the chunks.
func (s *Store) AckRemovals(ctx context.Context, done []rag.Removal) error {
	return s.tx(ctx, func(tx *sql.Tx) error {
		noted := map[rag.DocumentID]bool{}
		for _, r := range done {
			var document rag.DocumentID
			err := tx.QueryRowContext(ctx, `DELETE FROM removals WHERE collection_id = ? AND chunk_id = ? RETURNING document_id`, r.Collection, r.Chunk).Scan(&document)
			if errors.Is(err, sql.ErrNoRows) || err == nil && noted[document] {
				continue
			}
			if err != nil {
				return err
			}
			noted[document] = true
			if err := noteChange(ctx, tx, r.Collection, document); err != nil {
				return err
			}
		}
		return nil
	})
}
