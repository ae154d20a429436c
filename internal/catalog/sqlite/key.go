package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"footnote/internal/catalog/stored"
	"footnote/internal/rag"
)

const keyColumns = `id, name, prefix, hash, scope, collections, per_minute, created_at, expires_at, last_used_at, revoked_at`

func scanKey(row scanner) (k rag.APIKey, err error) {
	var collections string
	var created, expires, used, revoked int64
	err = row.Scan(&k.ID, &k.Name, &k.Prefix, &k.Hash, &k.Scope, &collections, &k.PerMinute, &created, &expires, &used, &revoked)
	if errors.Is(err, sql.ErrNoRows) {
		return k, rag.KeyMissing()
	}
	if err != nil {
		return k, translate(err)
	}
	k.CreatedAt, k.ExpiresAt, k.LastUsedAt, k.RevokedAt = stored.Time(created), stored.Time(expires), stored.Time(used), stored.Time(revoked)
	k.Collections, err = stored.ReadStrings(collections)
	return k, err
}

// CreateKey stores a key.
func (s *Store) CreateKey(ctx context.Context, k rag.APIKey) (rag.APIKey, error) {
	k.CreatedAt = stored.Time(stored.Micros(s.now()))
	k.ExpiresAt = stored.Time(stored.Micros(k.ExpiresAt))
	return k, s.tx(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO api_keys (`+keyColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 0)`,
			k.ID, k.Name, k.Prefix, k.Hash, k.Scope, stored.Strings(k.Collections), k.PerMinute, stored.Micros(k.CreatedAt), stored.Micros(k.ExpiresAt))
		return err
	})
}

// Keys lists up to limit keys, newest first, those after the given one.
func (s *Store) Keys(ctx context.Context, after rag.KeyID, limit int) (out []rag.APIKey, err error) {
	err = each(ctx, s.read, func(rows *sql.Rows) error {
		k, err := scanKey(rows)
		out = append(out, k)
		return err
	}, `SELECT `+keyColumns+` FROM api_keys WHERE ? = '' OR seq < (SELECT seq FROM api_keys WHERE id = ?) ORDER BY seq DESC LIMIT ?`, after, after, limit)
	return out, err
}

// KeyByHash finds a key by the hash of its secret; NotFound when there is none.
func (s *Store) KeyByHash(ctx context.Context, hash string) (rag.APIKey, error) {
	return scanKey(s.read.QueryRowContext(ctx, `SELECT `+keyColumns+` FROM api_keys WHERE hash = ?`, hash))
}

// HasKeys tells whether any key was ever made.
func (s *Store) HasKeys(ctx context.Context) (any bool, err error) {
	err = s.read.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM api_keys)`).Scan(&any)
	return any, translate(err)
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
	return scanKey(s.read.QueryRowContext(ctx, `SELECT `+keyColumns+` FROM api_keys WHERE id = ?`, id))
}

// TouchKey records that a key was used.
func (s *Store) TouchKey(ctx context.Context, id rag.KeyID, at time.Time) error {
	return s.tx(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE api_keys SET last_used_at = ? WHERE id = ? AND last_used_at < ?`, stored.Micros(at), id, stored.Micros(at))
		return err
	})
}
