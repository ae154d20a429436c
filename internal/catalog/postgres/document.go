package postgres

import (
	"context"
	"encoding/hex"
	"errors"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"footnote/internal/catalog/stored"
	"footnote/internal/rag"
)

// Document finds a document that has an active version; NotFound when there is none.
func (s *Store) Document(ctx context.Context, collection rag.CollectionID, externalID string) (rag.Document, error) {
	if strings.ContainsRune(externalID, 0) {
		return rag.Document{}, rag.DocumentMissing(externalID) // it cannot be stored, so it cannot be there
	}
	return one(ctx, s, stored.Document, rag.DocumentMissing(externalID),
		`SELECT `+stored.DocumentColumns+` FROM documents d WHERE d.collection_id = $1 AND d.external_id = $2 AND d.active_version > 0`, collection, externalID)
}

// DocumentByID finds a document that has an active version; NotFound when there is none.
func (s *Store) DocumentByID(ctx context.Context, id rag.DocumentID) (rag.Document, error) {
	return one(ctx, s, stored.Document, rag.DocumentGone(),
		`SELECT `+stored.DocumentColumns+` FROM documents d WHERE d.id = $1 AND d.active_version > 0`, id)
}

// Documents lists up to limit documents that satisfy filter, by external id, those after the given one.
func (s *Store) Documents(ctx context.Context, collection rag.CollectionID, filter *rag.Filter, after string, limit int) ([]rag.Document, error) {
	var out []rag.Document
	page := limit
	if filter != nil {
		page = max(limit, 500) // most may be passed over
	}
	for {
		docs, err := list(ctx, s, stored.Document,
			`SELECT `+stored.DocumentColumns+` FROM documents d WHERE d.collection_id = $1 AND d.external_id > $2 AND d.active_version > 0 ORDER BY d.external_id LIMIT $3`,
			collection, after, page)
		if err != nil {
			return nil, err
		}
		for _, d := range docs {
			after = d.ExternalID
			if filter.Matches(d.Metadata) {
				if out = append(out, d); len(out) == limit {
					return out, nil
				}
			}
		}
		if len(docs) < page {
			return out, nil
		}
	}
}

// Text is the normalised text of the document's active version. NotFound when it has none.
func (s *Store) Text(ctx context.Context, id rag.DocumentID) (string, error) {
	return one(ctx, s, func(row stored.Row) (text string, err error) { err = row.Scan(&text); return text, err },
		rag.DocumentGone(), `SELECT text FROM texts WHERE document_id = $1`, id)
}

// Pages are the pages of the document's active version, in order; none when its source has none. NotFound when there is no such version.
func (s *Store) Pages(ctx context.Context, id rag.DocumentID) ([]rag.PageSpan, error) {
	return one(ctx, s, stored.ReadPages, rag.DocumentGone(), `SELECT pages FROM texts WHERE document_id = $1`, id)
}

// Twin is a document of the collection whose active version was made of the bytes with that SHA-256; NotFound when there is none.
func (s *Store) Twin(ctx context.Context, collection rag.CollectionID, sha256 string) (rag.DocumentID, error) {
	return one(ctx, s, func(row stored.Row) (id rag.DocumentID, err error) { err = row.Scan(&id); return id, err }, rag.DocumentGone(),
		`SELECT id FROM documents WHERE collection_id = $1 AND sha256 = $2 AND active_version > 0 ORDER BY updated_at DESC, id LIMIT 1`, collection, sha256)
}

// Recipe is the recipe of the document's active version; empty when it is not known. NotFound when there is no such version.
func (s *Store) Recipe(ctx context.Context, id rag.DocumentID) (string, error) {
	return one(ctx, s, func(row stored.Row) (recipe string, err error) { err = row.Scan(&recipe); return recipe, err }, rag.DocumentGone(), `SELECT recipe FROM texts WHERE document_id = $1`, id)
}

const chunkColumns = `k.chunk_id::text, k.document_id, k.ordinal, k.span_start, k.span_end, k.heading_path, k.page, k.context, k.text`

// Chunks lists up to limit chunks of the active version in text order, those whose ordinal is above after. A document that is not there has none.
func (s *Store) Chunks(ctx context.Context, id rag.DocumentID, after, limit int) ([]rag.Chunk, error) {
	return list(ctx, s, stored.Chunk, `SELECT `+chunkColumns+`, d.active_version FROM chunks k JOIN documents d ON d.id = k.document_id
	    WHERE k.document_id = $1 AND k.ordinal > $2 ORDER BY k.ordinal LIMIT $3`, id, after, limit)
}

// Hydrate returns those of the chunks that an active version of the collection lists, in any order, with their documents.
func (s *Store) Hydrate(ctx context.Context, collection rag.CollectionID, ids []rag.ChunkID) ([]rag.Hit, error) {
	return list(ctx, s, stored.Hit, `SELECT `+stored.DocumentColumns+`, `+chunkColumns+`, c.name FROM unnest($1::uuid[]) j(id) JOIN chunks k ON k.chunk_id = j.id
	    JOIN documents d ON d.id = k.document_id JOIN collections c ON c.id = d.collection_id WHERE d.collection_id = $2`, uuids(ids), collection)
}

// Languages tells in how many documents of the collection each language is, counted to stored.MostCounted, of documents without an active version too; "" is one that is not known. It looks at the index of languages alone.
func (s *Store) Languages(ctx context.Context, collection rag.CollectionID) (map[string]int, error) {
	out := map[string]int{}
	err := s.read(ctx, func() error {
		return each(ctx, s.pool, func(rows pgx.Rows) error {
			var language string
			var n int
			err := rows.Scan(&language, &n)
			out[language] = n
			return err
		}, `WITH RECURSIVE found(language) AS ((SELECT language FROM documents WHERE collection_id = $1 ORDER BY language LIMIT 1)
		    UNION ALL SELECT (SELECT d.language FROM documents d WHERE d.collection_id = $1 AND d.language > found.language ORDER BY d.language LIMIT 1) FROM found WHERE found.language IS NOT NULL)
		    SELECT language, (SELECT count(*) FROM (SELECT 1 FROM documents d WHERE d.collection_id = $1 AND d.language = found.language LIMIT $2) counted) FROM found WHERE language IS NOT NULL`,
			collection, stored.MostCounted)
	})
	return out, err
}

// ChunkLanguages are the languages of the documents of those of the chunks that an active version of the collection lists.
func (s *Store) ChunkLanguages(ctx context.Context, collection rag.CollectionID, ids []rag.ChunkID) (map[rag.ChunkID]string, error) {
	out := make(map[rag.ChunkID]string, len(ids))
	err := s.read(ctx, func() error {
		return each(ctx, s.pool, func(rows pgx.Rows) error {
			var id rag.ChunkID
			var language string
			err := rows.Scan(&id, &language)
			out[id] = language
			return err
		}, `SELECT k.chunk_id::text, d.language FROM unnest($1::uuid[]) j(id) JOIN chunks k ON k.chunk_id = j.id JOIN documents d ON d.id = k.document_id WHERE d.collection_id = $2`,
			uuids(ids), collection)
	})
	return out, err
}

// Embeddings returns the vectors of those of the chunks that are stored.
func (s *Store) Embeddings(ctx context.Context, ids []rag.ChunkID) (map[rag.ChunkID]rag.Embedding, error) {
	out := make(map[rag.ChunkID]rag.Embedding, len(ids))
	err := s.read(ctx, func() error {
		return each(ctx, s.pool, func(rows pgx.Rows) error {
			var id rag.ChunkID
			var b []byte
			err := rows.Scan(&id, &b)
			out[id] = stored.ReadEmbedding(b)
			return err
		}, `SELECT k.chunk_id::text, k.embedding FROM unnest($1::uuid[]) j(id) JOIN chunks k ON k.chunk_id = j.id`, uuids(ids))
	})
	return out, err
}

// EmbeddingsByText returns the vectors of those of the texts that a chunk of some document in some collection embeds, by the model of that fingerprint. A chunk's vector is of the
// model that its collection's row names, and a swap changes both in one transaction, so one statement cannot mix them up; vectors of a re-embedding's other model are not looked at.
func (s *Store) EmbeddingsByText(ctx context.Context, fingerprint string, texts []rag.TextHash) (map[rag.TextHash]rag.Embedding, error) {
	hashes := make([][]byte, len(texts))
	for i := range texts {
		hashes[i] = texts[i][:]
	}
	out := make(map[rag.TextHash]rag.Embedding, len(texts))
	// One row a text, however many chunks have it.
	err := s.read(ctx, func() error {
		return each(ctx, s.pool, func(rows pgx.Rows) error {
			var hash, b []byte
			if err := rows.Scan(&hash, &b); err != nil {
				return err
			}
			out[rag.TextHash(hash)] = stored.ReadEmbedding(b)
			return nil
		}, `SELECT h.hash, found.embedding FROM unnest($1::bytea[]) h(hash) CROSS JOIN LATERAL (SELECT k.embedding FROM chunks k JOIN documents d ON d.id = k.document_id
		    JOIN collections c ON c.id = d.collection_id WHERE k.text_hash = h.hash AND c.fingerprint = $2 LIMIT 1) found`, hashes, fingerprint)
	})
	return out, err
}

// EachChunk calls f with every chunk of the collection's active versions: what an index is rebuilt from.
func (s *Store) EachChunk(ctx context.Context, collection rag.CollectionID, f func(rag.StoredChunk) error) error {
	// Read by pages, so that a slow f holds no connection and a restart of the server costs a page.
	const page = 1000
	document, ordinal := rag.DocumentID(""), -1
	for {
		chunks, err := list(ctx, s, stored.StoredChunk, `SELECT `+chunkColumns+`, d.active_version, d.title, d.metadata, k.embedding FROM documents d JOIN chunks k ON k.document_id = d.id
		    WHERE d.collection_id = $1 AND (k.document_id, k.ordinal) > ($2, $3) ORDER BY k.document_id, k.ordinal LIMIT $4`, collection, document, ordinal, page)
		if err != nil {
			return err
		}
		for _, c := range chunks {
			document, ordinal = c.Chunk.Document, c.Chunk.Ordinal
			if err := f(c); err != nil {
				return err
			}
		}
		if len(chunks) < page {
			return nil
		}
	}
}

// EachChunkID calls f with the id and the document of every chunk of the collection's active versions.
func (s *Store) EachChunkID(ctx context.Context, collection rag.CollectionID, f func(rag.PointRef) error) error {
	return translate(each(ctx, s.pool, func(rows pgx.Rows) error {
		var p rag.PointRef
		if err := rows.Scan(&p.Chunk, &p.Document); err != nil {
			return err
		}
		return f(p)
	}, `SELECT k.chunk_id::text, k.document_id FROM documents d JOIN chunks k ON k.document_id = d.id WHERE d.collection_id = $1`, collection))
}

// DeleteDocument removes a document and queues the removal of its chunks from the index; it returns them. Versions of it that are
// still being taken in will not be published. NotFound when the collection has no such document.
func (s *Store) DeleteDocument(ctx context.Context, collection rag.CollectionID, externalID string) ([]rag.ChunkID, error) {
	var removed []rag.ChunkID
	if strings.ContainsRune(externalID, 0) {
		return nil, rag.DocumentMissing(externalID)
	}
	err := s.tx(ctx, func(tx pgx.Tx) error {
		var id rag.DocumentID
		err := tx.QueryRow(ctx, `SELECT id FROM documents WHERE collection_id = $1 AND external_id = $2 FOR UPDATE`, collection, externalID).Scan(&id)
		if errors.Is(err, pgx.ErrNoRows) {
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

// deleteDocument deletes a document whose row is locked.
func deleteDocument(ctx context.Context, tx pgx.Tx, collection rag.CollectionID, id rag.DocumentID) ([]rag.ChunkID, error) {
	removed, err := chunkIDs(ctx, tx, id)
	if err != nil {
		return nil, err
	}
	if err := queueRemovals(ctx, tx, collection, id, removed); err != nil {
		return nil, err
	}
	_, err = tx.Exec(ctx, `DELETE FROM documents WHERE id = $1`, id)
	return removed, err
}

// ArchiveFiles lists the external ids of the documents that came in an archive, those included that no job has published yet.
func (s *Store) ArchiveFiles(ctx context.Context, collection rag.CollectionID, archive string) ([]string, error) {
	return list(ctx, s, func(row stored.Row) (id string, err error) {
		err = row.Scan(&id)
		return id, err
	}, `SELECT external_id FROM documents WHERE collection_id = $1 AND archive = $2 AND archive <> '' ORDER BY external_id`, collection, archive)
}

func chunkIDs(ctx context.Context, q querier, id rag.DocumentID) (ids []rag.ChunkID, err error) {
	err = each(ctx, q, func(rows pgx.Rows) error {
		var id rag.ChunkID
		err := rows.Scan(&id)
		ids = append(ids, id)
		return err
	}, `SELECT chunk_id::text FROM chunks WHERE document_id = $1 ORDER BY ordinal`, id)
	return ids, err
}

func queueRemovals(ctx context.Context, q querier, collection rag.CollectionID, document rag.DocumentID, ids []rag.ChunkID) error {
	if len(ids) == 0 {
		return nil
	}
	_, err := q.Exec(ctx, `INSERT INTO removals (collection_id, document_id, chunk_id) SELECT $1, $2, unnest($3::uuid[]) ON CONFLICT DO NOTHING`, collection, document, uuids(ids))
	return err
}

// Removals lists up to limit chunks that the index may still hold and no active version lists, those of a document together.
func (s *Store) Removals(ctx context.Context, limit int) ([]rag.Removal, error) {
	return list(ctx, s, func(row stored.Row) (r rag.Removal, err error) {
		err = row.Scan(&r.Collection, &r.Document, &r.Chunk)
		return r, err
	}, `SELECT collection_id, document_id, chunk_id::text FROM removals ORDER BY collection_id, document_id LIMIT $1`, limit)
}

// AckRemovals forgets removals that the index has carried out.
func (s *Store) AckRemovals(ctx context.Context, done []rag.Removal) error {
	collections, ids := make([]string, len(done)), make([]rag.ChunkID, len(done))
	for i, r := range done {
		collections[i], ids[i] = string(r.Collection), r.Chunk
	}
	return s.repeat(ctx, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `DELETE FROM removals r USING unnest($1::text[], $2::uuid[]) AS done(collection_id, chunk_id)
		  WHERE r.collection_id = done.collection_id AND r.chunk_id = done.chunk_id`, collections, uuids(ids))
		return err
	})
}

// uuids are chunk ids as Postgres stores them. An id of another form, which cannot be stored, becomes the nil UUID, which no chunk has.
func uuids(ids []rag.ChunkID) []pgtype.UUID {
	out := make([]pgtype.UUID, len(ids))
	for i, id := range ids {
		out[i] = uuid(id)
	}
	return out
}

func uuid(id rag.ChunkID) pgtype.UUID {
	u := pgtype.UUID{Valid: true}
	if len(id) == 36 {
		if b, err := hex.DecodeString(strings.ReplaceAll(string(id), "-", "")); err == nil && len(b) == len(u.Bytes) {
			copy(u.Bytes[:], b)
		}
	}
	return u
}
