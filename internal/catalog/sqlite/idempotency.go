package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// idempotencyAge is how long an answer can be replayed.
const idempotencyAge = 24 * time.Hour

// IdempotentResponse finds the answer that was given under key, and the hash of the request's body.
func (s *Store) IdempotentResponse(ctx context.Context, key string) (bodyHash string, status int, header map[string]string, body []byte, found bool, err error) {
	var encoded string
	err = s.read.QueryRowContext(ctx, `SELECT body_hash, status, header, body FROM idempotency WHERE key = ? AND created_at > ?`, key,
		micros(s.now().Add(-idempotencyAge))).Scan(&bodyHash, &status, &encoded, &body)
	if errors.Is(err, sql.ErrNoRows) {
		return "", 0, nil, nil, false, nil
	}
	if err != nil {
		return "", 0, nil, nil, false, translate(err)
	}
	if err := json.Unmarshal([]byte(encoded), &header); err != nil {
		return "", 0, nil, nil, false, fmt.Errorf("a stored answer's header: %w", err)
	}
	return bodyHash, status, header, body, true, nil
}

// SaveIdempotentResponse stores the answer given under key and drops those that are too old to be replayed.
func (s *Store) SaveIdempotentResponse(ctx context.Context, key, bodyHash string, status int, header map[string]string, body []byte) error {
	encoded, err := json.Marshal(header)
	if err != nil {
		return fmt.Errorf("encode an answer's header: %w", err)
	}
	return s.tx(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM idempotency WHERE created_at <= ?`, micros(s.now().Add(-idempotencyAge))); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO idempotency (key, body_hash, status, header, body, created_at) VALUES (?, ?, ?, ?, ?, ?)
		  ON CONFLICT (key) DO UPDATE SET body_hash = excluded.body_hash, status = excluded.status, header = excluded.header, body = excluded.body, created_at = excluded.created_at`,
			key, bodyHash, status, string(encoded), body, micros(s.now()))
		return err
	})
}
