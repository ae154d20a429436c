// Package postgres is the catalog of production: the truth about collections, documents, their chunks and vectors, jobs, keys and citations,
// shared by any number of replicas.
//
// It owns SQL, durability and what replicas need of each other: leases, fencing tokens, locks, wake-up calls. It decides nothing
// about ranking, parsing or answers. It behaves as package sqlite does; both pass catalogtest.
package postgres

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"io"
	"io/fs"
	"net"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"footnote/internal/catalog/stored"
	"footnote/internal/rag"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Options configures Open.
type Options struct {
	URL string // postgres://user:password@host:5432/database, with libpq's parameters and pgxpool's, such as pool_max_conns
	// Patience is how long a statement is tried again while the server cannot be reached, as during its restart; 0: 10 s.
	Patience time.Duration
	// LockPatience is how long another may hold a lock before it is taken for stalled; 0: 5 min, more than a worker waits for an index that is away.
	LockPatience time.Duration
	Now          func() time.Time // nil: time.Now
}

// Store is the catalog. Any number of goroutines and processes may use it.
type Store struct {
	pool     *pgxpool.Pool
	locks    *pgxpool.Pool // of connections that hold locks, so that waiters for a lock cannot starve its holder of the main pool
	patience time.Duration

	lockPatience time.Duration
	now          func() time.Time
}

// Bounds of the pools unless the URL sets pool_max_conns.
const (
	maxConnections = 16
	maxLocks       = 8
)

// Open connects and brings the schema up to date; replicas that start together wait for each other there.
// Errors: rag.Invalid for a malformed URL; rag.Unavailable when the server cannot be reached.
func Open(ctx context.Context, o Options) (*Store, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Patience == 0 {
		o.Patience = 10 * time.Second
	}
	if o.LockPatience == 0 {
		o.LockPatience = 5 * time.Minute
	}
	s := &Store{patience: o.Patience, lockPatience: o.LockPatience, now: o.Now}
	var err error
	if s.pool, err = open(ctx, o.URL, maxConnections); err != nil {
		return nil, err
	}
	if s.locks, err = open(ctx, o.URL, maxLocks); err != nil {
		s.pool.Close()
		return nil, err
	}
	if err := s.migrate(ctx); err != nil {
		s.Close()
		return nil, rag.Errorf(rag.Unavailable, "The catalog in Postgres cannot be opened: %w", translate(err))
	}
	return s, nil
}

func open(ctx context.Context, url string, conns int32) (*pgxpool.Pool, error) {
	c, err := pgxpool.ParseConfig(url)
	if err != nil {
		// The error of ParseConfig quotes the URL, which may hold a password.
		return nil, rag.Errorf(rag.Invalid, "The Postgres URL cannot be read; it has the form postgres://user:password@host:5432/database?sslmode=verify-full.")
	}
	if !strings.Contains(url, "pool_max_conns") {
		c.MaxConns = conns
	}
	if c.ConnConfig.ConnectTimeout == 0 {
		c.ConnConfig.ConnectTimeout = 5 * time.Second
	}
	for name, value := range map[string]string{
		"application_name": "footnote",
		// A replica whose machine dies without a word must not hold its locks for the two hours of TCP's defaults.
		"tcp_keepalives_idle": "15", "tcp_keepalives_interval": "5", "tcp_keepalives_count": "3", "tcp_user_timeout": "30000",
		"idle_in_transaction_session_timeout": "60000",
	} {
		if _, set := c.ConnConfig.RuntimeParams[name]; !set {
			c.ConnConfig.RuntimeParams[name] = value
		}
	}
	p, err := pgxpool.NewWithConfig(ctx, c)
	if err != nil {
		return nil, rag.Errorf(rag.Unavailable, "The catalog in Postgres cannot be reached: %w", err)
	}
	return p, nil
}

func (s *Store) migrate(ctx context.Context) error {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	locker, err := lock.NewPostgresSessionLocker()
	if err != nil {
		return err
	}
	var db *sql.DB = stdlib.OpenDBFromPool(s.pool)
	defer db.Close()
	p, err := goose.NewProvider(goose.DialectPostgres, db, files, goose.WithSessionLocker(locker))
	if err != nil {
		return err
	}
	_, err = p.Up(ctx)
	return err
}

// Close ends all use of the store.
func (s *Store) Close() error {
	s.locks.Close()
	s.pool.Close()
	return nil
}

// Check reads from the store, for readiness.
func (s *Store) Check(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	return translate(s.pool.Ping(ctx))
}

// patiently runs f again while it fails with an error that a server's restart explains, for as long as the store is patient.
func (s *Store) patiently(ctx context.Context, f func() error) error {
	waits := backoff.NewExponentialBackOff()
	waits.InitialInterval, waits.MaxInterval = 20*time.Millisecond, time.Second
	_, err := backoff.Retry(ctx, func() (struct{}, error) {
		err := f()
		if err == nil || !passing(err) || ctx.Err() != nil {
			if err != nil {
				err = backoff.Permanent(err)
			}
			return struct{}{}, err
		}
		return struct{}{}, err
	}, backoff.WithBackOff(waits), backoff.WithMaxElapsedTime(s.patience))
	return translate(err)
}

// read runs a query that changes nothing, and so may be repeated.
func (s *Store) read(ctx context.Context, f func() error) error { return s.patiently(ctx, f) }

// tx runs f in one transaction. It is run again when the transaction came to nothing for a passing reason: a deadlock, a server that went away. When
// the commit's own outcome is unknown, the error is Unavailable and nothing is repeated.
func (s *Store) tx(ctx context.Context, f func(pgx.Tx) error) error {
	return s.transaction(ctx, false, f)
}

// repeat runs f in one transaction that may be carried out twice, so it is run again also when the outcome of its commit is unknown.
func (s *Store) repeat(ctx context.Context, f func(pgx.Tx) error) error {
	return s.transaction(ctx, true, f)
}

func (s *Store) transaction(ctx context.Context, repeatable bool, f func(pgx.Tx) error) error {
	return s.patiently(ctx, func() error {
		tx, err := s.pool.Begin(ctx)
		if err != nil {
			return err
		}
		defer func() {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
			defer cancel()
			_ = tx.Rollback(ctx) // after a commit this does nothing; on a dead connection nothing is left to undo
		}()
		if err := f(tx); err != nil {
			return err
		}
		err = tx.Commit(ctx)
		if err != nil && !repeatable && !aborted(err) {
			return translate(err) // translated, so that it is not taken for one that may be repeated
		}
		return err
	})
}

// aborted tells that the server rolled a transaction back, for a reason that is gone when it is run again.
func aborted(err error) bool {
	var e *pgconn.PgError
	return errors.As(err, &e) && (e.Code == "40001" || e.Code == "40P01")
}

// passing tells an untranslated error that may pass by itself.
func passing(err error) bool {
	var known *rag.Error
	if errors.As(err, &known) {
		return false
	}
	return aborted(err) || unreachable(err)
}

// unreachable tells that the server could not be reached or went away.
func unreachable(err error) bool {
	var e *pgconn.PgError
	if errors.As(err, &e) {
		switch {
		case strings.HasPrefix(e.Code, "08"), strings.HasPrefix(e.Code, "57P0"), e.Code == "53300":
			return true // connection exceptions; shutdown, crash, starting up; too many connections
		}
		return false
	}
	var connect *pgconn.ConnectError
	var network net.Error
	return errors.As(err, &connect) || errors.As(err, &network) && !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		pgconn.SafeToRetry(err) || strings.Contains(err.Error(), "conn closed") // pgx has no type for this one
}

// translate turns Postgres' errors into the domain's. Domain errors and those of a context pass.
func translate(err error) error {
	var known *rag.Error
	if err == nil || errors.As(err, &known) {
		return err
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	var e *pgconn.PgError
	if errors.As(err, &e) {
		switch {
		case e.Code == "53100":
			return rag.Errorf(rag.StorageFull, "The database's disk is full; free space and try again. %w", err)
		case e.Code == "22021":
			return rag.Errorf(rag.Invalid, "A text holds a character that cannot be stored (U+0000). %w", err)
		case strings.HasPrefix(e.Code, "28"), e.Code == "3D000", e.Code == "42501":
			return rag.Errorf(rag.Unavailable, "Postgres refuses the user, password or database of FOOTNOTE_CATALOG. %w", err)
		case strings.HasPrefix(e.Code, "53"), e.Code == "25006":
			return rag.Errorf(rag.Unavailable, "The catalog cannot take this now; try again. %w", err)
		}
	}
	if aborted(err) || unreachable(err) {
		return rag.Errorf(rag.Unavailable, "The catalog cannot be reached now; try again. %w", err)
	}
	return err
}

// querier is what a pool and a transaction have in common.
type querier interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
}

// each runs a query and calls scan for every row.
func each(ctx context.Context, q querier, scan func(pgx.Rows) error, query string, args ...any) error {
	rows, err := q.Query(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// list reads every row of a query; repeated, it begins anew.
func list[T any](ctx context.Context, s *Store, scan func(stored.Row) (T, error), query string, args ...any) (out []T, err error) {
	err = s.read(ctx, func() error {
		out = nil
		return each(ctx, s.pool, func(rows pgx.Rows) error {
			v, err := scan(rows)
			out = append(out, v)
			return err
		}, query, args...)
	})
	return out, err
}

// one reads one row of a query; missing when there is none.
func one[T any](ctx context.Context, s *Store, scan func(stored.Row) (T, error), missing error, query string, args ...any) (out T, err error) {
	err = s.read(ctx, func() error {
		out, err = scan(s.pool.QueryRow(ctx, query, args...))
		if errors.Is(err, pgx.ErrNoRows) {
			return missing
		}
		return err
	})
	return out, err
}
