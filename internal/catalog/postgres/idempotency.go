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

// ClaimIdempotencyKey claims key for a request with that body, unless another request has it: then its kept answer comes back, with status 0
// while that request is still being worked on, on whichever replica. Answers are kept for rag.IdempotencyAge; a claim that led to no answer for
// rag.IdempotencyClaim is void.
func (s *Store) ClaimIdempotencyKey(ctx context.Context, key, bodyHash string) (kept *rag.KeptResponse, err error) {
	// While a key is claimed, the header's place holds who claimed it: so a claim whose commit was lost on the way can be repeated.
	claim, err := json.Marshal(map[string]string{"claim": string(rag.NewJobID())})
	if err != nil {
		return nil, err
	}
	err = s.repeat(ctx, func(tx pgx.Tx) error {
		kept = nil
		now := s.now()
		old := stored.Micros(now.Add(-rag.IdempotencyAge))
		if _, err := tx.Exec(ctx, `DELETE FROM idempotency WHERE created_at <= $1 AND key <> $2`, old, key); err != nil {
			return err
		}
		tag, err := tx.Exec(ctx, `INSERT INTO idempotency AS i (key, body_hash, status, header, body, created_at) VALUES ($1, $2, 0, $6, '', $3)
		  ON CONFLICT (key) DO UPDATE SET body_hash = excluded.body_hash, status = 0, header = excluded.header, body = '', created_at = excluded.created_at
		  WHERE i.created_at <= $4 OR (i.status = 0 AND (i.created_at <= $5 OR i.header = $6))`, key, bodyHash, stored.Micros(now), old, stored.Micros(now.Add(-rag.IdempotencyClaim)), string(claim))
		if err != nil || tag.RowsAffected() == 1 {
			return err
		}
		var r rag.KeptResponse
		var header string
		err = tx.QueryRow(ctx, `SELECT body_hash, status, header, body FROM idempotency WHERE key = $1`, key).Scan(&r.BodyHash, &r.Status, &header, &r.Body)
		if errors.Is(err, pgx.ErrNoRows) {
			return rag.Errorf(rag.Conflict, "Another request with this Idempotency-Key has just ended; try again.")
		}
		if err != nil {
			return err
		}
		if err := json.Unmarshal([]byte(header), &r.Header); err != nil {
			return fmt.Errorf("a stored answer's header: %w", err)
		}
		kept = &r
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
	return s.repeat(ctx, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE idempotency SET body_hash = $1, status = $2, header = $3, body = $4 WHERE key = $5`, r.BodyHash, r.Status, string(header), r.Body, key)
		return err
	})
}

// ReleaseIdempotencyKey gives a claim up, so that the request can be tried again.
func (s *Store) ReleaseIdempotencyKey(ctx context.Context, key string) error {
	return s.repeat(ctx, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `DELETE FROM idempotency WHERE key = $1 AND status = 0`, key)
		return err
	})
}
