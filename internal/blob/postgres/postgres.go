// Package postgres keeps uploaded originals in Postgres, each under the SHA-256 of its content, in parts of a megabyte: what is stored twice is kept once, and
// every replica reaches it.
package postgres

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/database"
	"github.com/pressly/goose/v3/lock"

	"footnote/internal/rag"
)

//go:embed migrations/*.sql
var migrations embed.FS

const (
	partBytes      = 1 << 20
	maxConnections = 4
)

// Store is the table of blobs. Any number of goroutines and processes may use it.
type Store struct{ pool *pgxpool.Pool }

// Open connects and brings the tables up to date. Errors: rag.Invalid for a malformed URL; rag.Unavailable when the server cannot be reached.
func Open(ctx context.Context, url string) (*Store, error) {
	c, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, rag.Errorf(rag.Invalid, "The Postgres URL of the blob store cannot be read.") // the cause quotes the URL
	}
	c.MaxConns = maxConnections
	pool, err := pgxpool.NewWithConfig(ctx, c)
	if err != nil {
		return nil, translate(err)
	}
	s := &Store{pool}
	if err := s.migrate(ctx); err != nil {
		pool.Close()
		return nil, rag.Errorf(rag.Unavailable, "The blob store in Postgres cannot be opened: %w", err)
	}
	return s, nil
}

func (s *Store) migrate(ctx context.Context) error {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockID(0x626c6f6273)) // another than the catalog's
	if err != nil {
		return err
	}
	// A table of versions of its own: the catalog counts its migrations in the same database.
	versions, err := database.NewStore(database.DialectPostgres, "goose_blob_version")
	if err != nil {
		return err
	}
	db := stdlib.OpenDBFromPool(s.pool)
	defer db.Close()
	p, err := goose.NewProvider("", db, files, goose.WithStore(versions), goose.WithSessionLocker(locker))
	if err != nil {
		return err
	}
	_, err = p.Up(ctx)
	return err
}

// Close ends all use of the store.
func (s *Store) Close() error {
	s.pool.Close()
	return nil
}

// Put stores what r gives, at most maxBytes, and returns its SHA-256 in hex and its length. It is stored whole or not at all. TooLarge when r
// gives more.
func (s *Store) Put(ctx context.Context, r io.Reader, maxBytes int64) (sha string, n int64, err error) {
	part := make([]byte, partBytes)
	r = io.LimitReader(r, maxBytes+1)
	got, err := readPart(r, part)
	if err != nil {
		return "", 0, err
	}
	if got < partBytes && int64(got) <= maxBytes { // most are so small: their name is known before anything is written
		sum := sha256.Sum256(part[:got])
		sha = hex.EncodeToString(sum[:])
		_, err := s.pool.Exec(ctx, `WITH new AS (INSERT INTO blobs (sha256, bytes) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING sha256)
		  INSERT INTO blob_parts (sha256, n, data) SELECT sha256, 0, $3 FROM new`, sha, got, part[:got])
		return sha, int64(got), translate(err)
	}
	tx, err := s.pool.Begin(ctx)
	if err != nil {
		return "", 0, translate(err)
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }() // after a commit this does nothing
	// The name is known only at the end: until then the parts have another, which the transaction keeps from everybody's eyes.
	upload := "upload-" + string(rag.NewJobID())
	h := sha256.New()
	for i := 0; ; i++ {
		n += int64(got)
		if n > maxBytes {
			return "", 0, rag.Errorf(rag.TooLarge, "The document has more than %d bytes, the most that is taken; split it.", maxBytes)
		}
		h.Write(part[:got])
		if got > 0 {
			if _, err := tx.Exec(ctx, `INSERT INTO blob_parts (sha256, n, data) VALUES ($1, $2, $3)`, upload, i, part[:got]); err != nil {
				return "", 0, translate(err)
			}
		}
		if got < partBytes {
			break
		}
		if got, err = readPart(r, part); err != nil {
			return "", 0, err
		}
	}
	sha = hex.EncodeToString(h.Sum(nil))
	tag, err := tx.Exec(ctx, `INSERT INTO blobs (sha256, bytes) VALUES ($1, $2) ON CONFLICT DO NOTHING`, sha, n)
	if err != nil {
		return "", 0, translate(err)
	}
	if tag.RowsAffected() == 0 {
		return sha, n, nil // it is there already; the parts are rolled back
	}
	if _, err := tx.Exec(ctx, `UPDATE blob_parts SET sha256 = $1 WHERE sha256 = $2`, sha, upload); err != nil {
		return "", 0, translate(err)
	}
	return sha, n, translate(tx.Commit(ctx))
}

// readPart fills part as far as r goes.
func readPart(r io.Reader, part []byte) (int, error) {
	n, err := io.ReadFull(r, part)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = nil
	}
	return n, err
}

// Get opens a blob; NotFound when there is none. The reader fetches part by part under ctx.
func (s *Store) Get(ctx context.Context, sha string) (io.ReadCloser, error) {
	var bytes int64
	err := s.pool.QueryRow(ctx, `SELECT bytes FROM blobs WHERE sha256 = $1`, sha).Scan(&bytes)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, rag.Errorf(rag.NotFound, "The uploaded original is gone; upload it again.")
	}
	if err != nil {
		return nil, translate(err)
	}
	return &reader{ctx: ctx, s: s, sha: sha, left: bytes}, nil
}

// Delete removes a blob; removing one that is not there is no error.
func (s *Store) Delete(ctx context.Context, sha string) error {
	return translate(pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `DELETE FROM blobs WHERE sha256 = $1`, sha); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `DELETE FROM blob_parts WHERE sha256 = $1`, sha)
		return err
	}))
}

// reader reads a blob part by part.
type reader struct {
	ctx  context.Context // of the Get that made it, as its comment says
	s    *Store
	sha  string
	next int
	left int64 // bytes not fetched yet
	part []byte
}

func (r *reader) Read(p []byte) (int, error) {
	if len(r.part) == 0 {
		if r.left == 0 {
			return 0, io.EOF
		}
		err := r.s.pool.QueryRow(r.ctx, `SELECT data FROM blob_parts WHERE sha256 = $1 AND n = $2`, r.sha, r.next).Scan(&r.part)
		if errors.Is(err, pgx.ErrNoRows) {
			return 0, fmt.Errorf("blob %s lacks part %d: %w", r.sha, r.next, io.ErrUnexpectedEOF)
		}
		if err != nil {
			return 0, translate(err)
		}
		r.next++
		r.left -= int64(len(r.part))
	}
	n := copy(p, r.part)
	r.part = r.part[n:]
	return n, nil
}

func (r *reader) Close() error { return nil }

func translate(err error) error {
	var known *rag.Error
	if err == nil || errors.As(err, &known) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	var e *pgconn.PgError
	if errors.As(err, &e) && e.Code == "53100" {
		return rag.Errorf(rag.StorageFull, "The database's disk is full; free space and try again. %w", err)
	}
	return rag.Errorf(rag.Unavailable, "The blob store cannot be reached now; try again. %w", err)
}
