package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	"footnote/internal/catalog/stored"
	"footnote/internal/rag"
)

// ClaimIdempotencyKey claims key for a request with that body, unless another request has it: then its kept answer comes back, with status 0
// while that request is still being worked on. Answers are kept for rag.IdempotencyAge; a claim that led to no answer for rag.IdempotencyClaim
// is void.
func (s *Store) ClaimIdempotencyKey(ctx context.Context, key, bodyHash string) (kept *rag.KeptResponse, err error) {
	err = s.tx(ctx, func(tx *sql.Tx) error {
		now := s.now()
		old := stored.Micros(now.Add(-rag.IdempotencyAge))
		if _, err := tx.ExecContext(ctx, `DELETE FROM idempotency WHERE created_at <= ?`, old); err != nil {
			return err
		}
		r, err := tx.ExecContext(ctx, `INSERT INTO idempotency (key, body_hash, status, header, body, created_at) VALUES (?, ?, 0, '{}', x'', ?)
		  ON CONFLICT (key) DO UPDATE SET body_hash = excluded.body_hash, created_at = excluded.created_at WHERE status = 0 AND created_at <= ?`,
			key, bodyHash, stored.Micros(now), stored.Micros(now.Add(-rag.IdempotencyClaim)))
		if err != nil {
			return err
		}
		if n, err := r.RowsAffected(); err != nil || n == 1 {
			return err
		}
		var k rag.KeptResponse
		var header string
		if err := tx.QueryRowContext(ctx, `SELECT body_hash, status, header, body FROM idempotency WHERE key = ?`, key).Scan(&k.BodyHash, &k.Status, &header, &k.Body); err != nil {
			return err
		}
		if err := json.Unmarshal([]byte(header), &k.Header); err != nil {
			return fmt.Errorf("a stored answer's header: %w", err)
		}
		kept = &k
		return nil
	})
	return kept, err
}

// SaveIdempotentResponse keeps the answer given under a claimed key.
func (s *Store) SaveIdempotentResponse(ctx context.Context, key string, r rag.KeptResponse) error {
	header, err := json.Marshal(r.Header)
	if err != nil {
		return fmt.Errorf("encode an answer's header: %w", err)
	}
	return s.tx(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE idempotency SET body_hash = ?, status = ?, header = ?, body = ? WHERE key = ?`, r.BodyHash, r.Status, string(header), r.Body, key)
		return err
	})
}

// ReleaseIdempotencyKey gives a claim up, so that the request can be tried again.
func (s *Store) ReleaseIdempotencyKey(ctx context.Context, key string) error {
	return s.tx(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM idempotency WHERE key = ? AND status = 0`, key)
		return err
	})
}
