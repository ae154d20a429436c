package sqlite

import (
	"context"
	"database/sql"
	"time"

	"footnote/internal/catalog/stored"
	"footnote/internal/rag"
)

// CreateKey stores a key. Its hash is kept, and the secret never reaches the catalog.
func (s *Store) CreateKey(ctx context.Context, k rag.APIKey) (rag.APIKey, error) {
	k.CreatedAt = stored.Time(stored.Micros(s.now()))
	k.ExpiresAt = stored.Time(stored.Micros(k.ExpiresAt))
	return k, s.tx(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO api_keys (`+stored.KeyColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 0)`,
			k.ID, k.Name, k.Prefix, k.Hash, k.Scope, stored.Strings(k.Collections), k.PerMinute, stored.Micros(k.CreatedAt), stored.Micros(k.ExpiresAt))
		return err
	})
}

// Keys lists up to limit keys, newest first, those after the given one.
func (s *Store) Keys(ctx context.Context, after rag.KeyID, limit int) ([]rag.APIKey, error) {
	return list(ctx, s.read, stored.Key, `SELECT `+stored.KeyColumns+` FROM api_keys WHERE ? = '' OR seq < (SELECT seq FROM api_keys WHERE id = ?) ORDER BY seq DESC LIMIT ?`, after, after, limit)
}

// KeyByHash finds a key by the hash of its secret; NotFound when there is none.
func (s *Store) KeyByHash(ctx context.Context, hash string) (rag.APIKey, error) {
	return one(ctx, s.read, stored.Key, rag.KeyMissing(), `SELECT `+stored.KeyColumns+` FROM api_keys WHERE hash = ?`, hash)
}

// HasKeys tells whether any key was ever made.
func (s *Store) HasKeys(ctx context.Context) (has bool, err error) {
	err = s.read.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM api_keys)`).Scan(&has)
	return has, translate(err)
}

// RevokeKey ends a key's use for good; doing it again changes nothing. NotFound when there is none.
func (s *Store) RevokeKey(ctx context.Context, id rag.KeyID) (rag.APIKey, error) {
	err := s.tx(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE api_keys SET revoked_at = ? WHERE id = ? AND revoked_at = 0`, stored.Micros(s.now()), id)
		return err
	})
	if err != nil {
		return rag.APIKey{}, err
	}
	return one(ctx, s.read, stored.Key, rag.KeyMissing(), `SELECT `+stored.KeyColumns+` FROM api_keys WHERE id = ?`, id)
}

// TouchKey records that a key was used.
func (s *Store) TouchKey(ctx context.Context, id rag.KeyID, at time.Time) error {
	return s.tx(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE api_keys SET last_used_at = ? WHERE id = ? AND last_used_at < ?`, stored.Micros(at), id, stored.Micros(at))
		return err
	})
}
