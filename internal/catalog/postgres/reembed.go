package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"footnote/internal/catalog/stored"
	"footnote/internal/rag"
)

// StartReembedding stores a re-embedding in state building. Conflict when the collection has one.
func (s *Store) StartReembedding(ctx context.Context, r rag.Reembedding) error {
	plan, err := json.Marshal(r.Plan)
	if err != nil {
		return fmt.Errorf("encode a plan: %w", err)
	}
	return s.tx(ctx, func(tx pgx.Tx) error {
		now := stored.Micros(s.now())
		result, err := tx.Exec(ctx, `INSERT INTO reembeddings (collection_id, model, fingerprint, dimensions, index_id, state, plan, gate, error, started_at, updated_at)
		  VALUES ($1, $2, $3, $4, $5, $6, $7, 'null', '', $8, $8) ON CONFLICT DO NOTHING`, r.Collection, r.Other.Model, r.Other.Fingerprint, r.Other.Dimensions, r.IndexID, rag.ReembedBuilding, string(plan), now)
		if err != nil {
			return err
		}
		if result.RowsAffected() == 0 {
			return rag.Errorf(rag.Conflict, "The collection is being re-embedded already; see GET …/reembedding, or end that one with DELETE.")
		}
		return nil
	})
}

// Reembedding finds a collection's re-embedding; NotFound when there is none.
func (s *Store) Reembedding(ctx context.Context, id rag.CollectionID) (rag.Reembedding, error) {
	return one(ctx, s, stored.Reembedding, rag.ReembeddingMissing(), `SELECT `+stored.ReembeddingColumns+` FROM reembeddings r WHERE r.collection_id = $1`, id)
}

// Reembeddings lists all. They come by their collections' ids.
func (s *Store) Reembeddings(ctx context.Context) ([]rag.Reembedding, error) {
	return list(ctx, s, stored.Reembedding, `SELECT `+stored.ReembeddingColumns+` FROM reembeddings r ORDER BY r.collection_id`)
}

// MoveReembedding records a re-embedding's state, gate and error.
func (s *Store) MoveReembedding(ctx context.Context, r rag.Reembedding) error {
	gate, err := json.Marshal(r.Gate)
	if err != nil {
		return fmt.Errorf("encode a gate: %w", err)
	}
	return s.tx(ctx, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE reembeddings SET state = $1, gate = $2, error = $3, updated_at = $4 WHERE collection_id = $5`, r.State, string(gate), r.Error, stored.Micros(s.now()), r.Collection)
		return err
	})
}

// ChunksWithoutOther lists up to limit chunks of the collection that have no vector of the other model yet; their Embedding is nil.
func (s *Store) ChunksWithoutOther(ctx context.Context, id rag.CollectionID, limit int) ([]rag.StoredChunk, error) {
	return list(ctx, s, stored.StoredChunk, `SELECT `+chunkColumns+`, d.active_version, d.title, d.metadata, NULL::bytea FROM documents d JOIN chunks k ON k.document_id = d.id
	  WHERE d.collection_id = $1 AND NOT EXISTS (SELECT 1 FROM other_vectors o WHERE o.collection_id = d.collection_id AND o.chunk_id = k.chunk_id) LIMIT $2`, id, limit)
}

// EachOther calls f with every chunk of the collection that has a vector of the other model, with that vector.
func (s *Store) EachOther(ctx context.Context, id rag.CollectionID, f func(rag.StoredChunk) error) error {
	const page = 500
	after := "00000000-0000-0000-0000-000000000000"
	for {
		chunks, err := list(ctx, s, stored.StoredChunk, `SELECT `+chunkColumns+`, d.active_version, d.title, d.metadata, o.embedding FROM other_vectors o JOIN chunks k ON k.chunk_id = o.chunk_id
		  JOIN documents d ON d.id = k.document_id WHERE o.collection_id = $1 AND d.collection_id = o.collection_id AND o.chunk_id > $2::uuid ORDER BY o.chunk_id LIMIT $3`, id, after, page)
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
	raw := make([][]byte, len(vectors))
	for i, v := range vectors {
		raw[i] = stored.Embedding(v)
	}
	return s.repeat(ctx, func(tx pgx.Tx) error {
		var index rag.CollectionID
		err := tx.QueryRow(ctx, `SELECT index_id FROM reembeddings WHERE collection_id = $1 FOR SHARE`, r.Collection).Scan(&index)
		if errors.Is(err, pgx.ErrNoRows) {
			return rag.ReembeddingMissing()
		}
		if err != nil {
			return err
		}
		if index != r.IndexID {
			return rag.Errorf(rag.Conflict, "The collection is on its way to another model by now.")
		}
		_, err = tx.Exec(ctx, `INSERT INTO other_vectors (collection_id, chunk_id, embedding) SELECT $1, * FROM unnest($2::uuid[], $3::bytea[])
		  ON CONFLICT (collection_id, chunk_id) DO UPDATE SET embedding = excluded.embedding`, r.Collection, uuids(ids), raw)
		return err
	})
}

// SwapEmbedding exchanges the vectors in use for the other model's, in one transaction: before it every reader sees the one model, after it the other.
// When some chunks have no vector of the other model it changes nothing and tells how many. The former model's vectors are kept as the other's. NotFound when the collection is not being re-embedded.
func (s *Store) SwapEmbedding(ctx context.Context, id rag.CollectionID) (missing int, err error) {
	err = s.tx(ctx, func(tx pgx.Tx) error {
		c, err := stored.Collection(tx.QueryRow(ctx, `SELECT `+stored.CollectionColumns+` FROM collections c WHERE c.id = $1 FOR UPDATE`, id))
		if errors.Is(err, pgx.ErrNoRows) {
			return rag.CollectionGone()
		}
		if err != nil {
			return err
		}
		r, err := stored.Reembedding(tx.QueryRow(ctx, `SELECT `+stored.ReembeddingColumns+` FROM reembeddings r WHERE r.collection_id = $1`, id))
		if errors.Is(err, pgx.ErrNoRows) {
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
			{`CREATE TEMP TABLE former (chunk_id uuid PRIMARY KEY, embedding bytea) ON COMMIT DROP`, nil},
			{`INSERT INTO former SELECT k.chunk_id, k.embedding FROM documents d JOIN chunks k ON k.document_id = d.id WHERE d.collection_id = $1`, []any{id}},
			{`UPDATE chunks k SET embedding = o.embedding FROM other_vectors o, former f WHERE o.collection_id = $1 AND o.chunk_id = k.chunk_id AND f.chunk_id = k.chunk_id`, []any{id}},
			{`DELETE FROM other_vectors WHERE collection_id = $1`, []any{id}},
			{`INSERT INTO other_vectors SELECT $1, chunk_id, embedding FROM former`, []any{id}},
			{`UPDATE collections SET model = $1, fingerprint = $2, dimensions = $3, index_id = $4, updated_at = $5 WHERE id = $6`, []any{r.Other.Model, r.Other.Fingerprint, r.Other.Dimensions, r.IndexID, now, id}},
			{`UPDATE reembeddings SET model = $1, fingerprint = $2, dimensions = $3, index_id = $4, state = $5, updated_at = $6 WHERE collection_id = $7`,
				[]any{c.Embedding.Model, c.Embedding.Fingerprint, c.Embedding.Dimensions, c.IndexID, state, now, id}},
		} {
			if _, err := tx.Exec(ctx, step.query, step.args...); err != nil {
				return err
			}
		}
		return nil
	})
	return missing, err
}

// EndReembedding forgets the model that is not in use, with its vectors. NotFound when there is none.
func (s *Store) EndReembedding(ctx context.Context, id rag.CollectionID) error {
	return s.tx(ctx, func(tx pgx.Tx) error {
		r, err := tx.Exec(ctx, `DELETE FROM reembeddings WHERE collection_id = $1`, id)
		if err != nil {
			return err
		}
		if r.RowsAffected() == 0 {
			return rag.ReembeddingMissing()
		}
		_, err = tx.Exec(ctx, `DELETE FROM other_vectors WHERE collection_id = $1`, id)
		return err
	})
}
