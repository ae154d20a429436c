package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"footnote/internal/catalog/stored"
	"footnote/internal/rag"
)

// StartReembedding stores a re-embedding in state building. Conflict when the collection has one.
func (s *Store) StartReembedding(ctx context.Context, r rag.Reembedding) error {
	plan, err := json.Marshal(r.Plan)
	if err != nil {
		return fmt.Errorf("encode a plan: %w", err)
	}
	return s.tx(ctx, func(tx *sql.Tx) error {
		now := stored.Micros(s.now())
		result, err := tx.ExecContext(ctx, `INSERT INTO reembeddings (collection_id, model, fingerprint, dimensions, index_id, state, plan, gate, error, started_at, updated_at)
		  VALUES (?, ?, ?, ?, ?, ?, ?, 'null', '', ?, ?) ON CONFLICT DO NOTHING`, r.Collection, r.Other.Model, r.Other.Fingerprint, r.Other.Dimensions, r.IndexID, rag.ReembedBuilding, string(plan), now, now)
		if err != nil {
			return err
		}
		if n, err := result.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, rag.Errorf(rag.Conflict, "The collection is being re-embedded already; see GET …/reembedding, or end that one with DELETE."))
		}
		return nil
	})
}

// Reembedding finds a collection's re-embedding; NotFound when there is none.
func (s *Store) Reembedding(ctx context.Context, id rag.CollectionID) (rag.Reembedding, error) {
	return one(ctx, s.read, stored.Reembedding, rag.ReembeddingMissing(), `SELECT `+stored.ReembeddingColumns+` FROM reembeddings r WHERE r.collection_id = ?`, id)
}

// Reembeddings lists all. They come by their collections' ids.
func (s *Store) Reembeddings(ctx context.Context) ([]rag.Reembedding, error) {
	return list(ctx, s.read, stored.Reembedding, `SELECT `+stored.ReembeddingColumns+` FROM reembeddings r ORDER BY r.collection_id`)
}

// MoveReembedding records a re-embedding's state, gate and error.
func (s *Store) MoveReembedding(ctx context.Context, r rag.Reembedding) error {
	gate, err := json.Marshal(r.Gate)
	if err != nil {
		return fmt.Errorf("encode a gate: %w", err)
	}
	return s.tx(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE reembeddings SET state = ?, gate = ?, error = ?, updated_at = ? WHERE collection_id = ?`, r.State, string(gate), r.Error, stored.Micros(s.now()), r.Collection)
		return err
	})
}

// ChunksWithoutOther lists up to limit chunks of the collection that have no vector of the other model yet; their Embedding is nil.
func (s *Store) ChunksWithoutOther(ctx context.Context, id rag.CollectionID, limit int) ([]rag.StoredChunk, error) {
	return list(ctx, s.read, stored.StoredChunk, `SELECT `+chunkColumns+`, d.active_version, d.title, d.metadata, NULL FROM documents d JOIN chunks k ON k.document_id = d.id
	  WHERE d.collection_id = ? AND NOT EXISTS (SELECT 1 FROM other_vectors o WHERE o.collection_id = d.collection_id AND o.chunk_id = k.chunk_id) LIMIT ?`, id, limit)
}

// EachOther calls f with every chunk of the collection that has a vector of the other model, with that vector.
func (s *Store) EachOther(ctx context.Context, id rag.CollectionID, f func(rag.StoredChunk) error) error {
	const page = 500
	after := ""
	for {
		chunks, err := list(ctx, s.read, stored.StoredChunk, `SELECT `+chunkColumns+`, d.active_version, d.title, d.metadata, o.embedding FROM other_vectors o JOIN chunks k ON k.chunk_id = o.chunk_id
		  JOIN documents d ON d.id = k.document_id WHERE o.collection_id = ? AND d.collection_id = o.collection_id AND o.chunk_id > ? ORDER BY o.chunk_id LIMIT ?`, id, after, page)
		if err != nil {
			return err
		}
		for _, c := range chunks {
			after = string(c.Chunk.ID)
			if err := f(c); err != nil {
				return err
			}
		}
		if len(chunks) < page {
			return nil
		}
	}
}

// SaveOther stores vectors of r's other model; ids and vectors are as many. Conflict when the collection's other model is another by now: r was swapped, or
// ended and begun anew.
func (s *Store) SaveOther(ctx context.Context, r rag.Reembedding, ids []rag.ChunkID, vectors []rag.Embedding) error {
	return s.tx(ctx, func(tx *sql.Tx) error {
		var index rag.CollectionID
		err := tx.QueryRowContext(ctx, `SELECT index_id FROM reembeddings WHERE collection_id = ?`, r.Collection).Scan(&index)
		if errors.Is(err, sql.ErrNoRows) {
			return rag.ReembeddingMissing()
		}
		if err != nil {
			return err
		}
		if index != r.IndexID {
			return rag.Errorf(rag.Conflict, "The collection is on its way to another model by now.")
		}
		changed := map[rag.DocumentID]bool{}
		for i, chunk := range ids {
			var document rag.DocumentID
			err := tx.QueryRowContext(ctx, `SELECT document_id FROM chunks WHERE chunk_id = ?`, chunk).Scan(&document)
			if err != nil && !errors.Is(err, sql.ErrNoRows) {
				return err
			}
			if err == nil && !changed[document] {
				changed[document] = true
				if err := noteChange(ctx, tx, r.Collection, document); err != nil {
					return err
				}
			}
			if _, err := tx.ExecContext(ctx, `INSERT INTO other_vectors (collection_id, chunk_id, embedding) VALUES (?, ?, ?)
			  ON CONFLICT DO UPDATE SET embedding = excluded.embedding`, r.Collection, chunk, stored.Embedding(vectors[i])); err != nil {
				return err
			}
		}
		return nil
	})
}

// SwapEmbedding exchanges the vectors in use for the other model's, in one transaction: before it every reader sees the one model, after it the other.
// When some chunks have no vector of the other model it changes nothing and tells how many. The former model's vectors are kept as the other's. NotFound when the collection is not being re-embedded.
func (s *Store) SwapEmbedding(ctx context.Context, id rag.CollectionID) (missing int, err error) {
	err = s.tx(ctx, func(tx *sql.Tx) error {
		c, err := stored.Collection(tx.QueryRowContext(ctx, `SELECT `+stored.CollectionColumns+` FROM collections c WHERE c.id = ?`, id))
		if errors.Is(err, sql.ErrNoRows) {
			return rag.CollectionGone()
		}
		if err != nil {
			return err
		}
		r, err := stored.Reembedding(tx.QueryRowContext(ctx, `SELECT `+stored.ReembeddingColumns+` FROM reembeddings r WHERE r.collection_id = ?`, id))
		if errors.Is(err, sql.ErrNoRows) {
			return rag.ReembeddingMissing()
		}
		if err != nil {
			return err
		}
		if missing = r.Total - r.Done; missing > 0 {
			return nil
		}
		state := rag.ReembedSwapped
		if r.State == rag.ReembedSwapped {
			state = rag.ReembedReady
		}
		now := stored.Micros(s.now())
		for _, step := range []struct {
			query string
			args  []any
		}{
			{`CREATE TEMP TABLE IF NOT EXISTS former (chunk_id TEXT PRIMARY KEY, embedding BLOB)`, nil},
			{`DELETE FROM former`, nil},
			{`INSERT INTO former SELECT k.chunk_id, k.embedding FROM documents d JOIN chunks k ON k.document_id = d.id WHERE d.collection_id = ?`, []any{id}},
			{`UPDATE chunks SET embedding = (SELECT o.embedding FROM other_vectors o WHERE o.collection_id = ? AND o.chunk_id = chunks.chunk_id) WHERE chunk_id IN (SELECT chunk_id FROM former)`, []any{id}},
			{`DELETE FROM other_vectors WHERE collection_id = ?`, []any{id}},
			{`INSERT INTO other_vectors SELECT ?, chunk_id, embedding FROM former`, []any{id}},
			{`DELETE FROM former`, nil},
			{`UPDATE collections SET model = ?, fingerprint = ?, dimensions = ?, index_id = ?, updated_at = ? WHERE id = ?`, []any{r.Other.Model, r.Other.Fingerprint, r.Other.Dimensions, r.IndexID, now, id}},
			{`UPDATE reembeddings SET model = ?, fingerprint = ?, dimensions = ?, index_id = ?, state = ?, updated_at = ? WHERE collection_id = ?`,
				[]any{c.Embedding.Model, c.Embedding.Fingerprint, c.Embedding.Dimensions, c.IndexID, state, now, id}},
		} {
			if _, err := tx.ExecContext(ctx, step.query, step.args...); err != nil {
				return err
			}
		}
		return nil
	})
	return missing, err
}

// EndReembedding forgets the model that is not in use, with its vectors. NotFound when there is none.
func (s *Store) EndReembedding(ctx context.Context, id rag.CollectionID) error {
	return s.tx(ctx, func(tx *sql.Tx) error {
		r, err := tx.ExecContext(ctx, `DELETE FROM reembeddings WHERE collection_id = ?`, id)
		if err != nil {
			return err
		}
		if n, err := r.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, rag.ReembeddingMissing())
		}
		_, err = tx.ExecContext(ctx, `DELETE FROM other_vectors WHERE collection_id = ?`, id)
		return err
	})
}
