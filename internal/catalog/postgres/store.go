// Package postgres is the catalog of production: the truth about collections, documents, their chunks and vectors, jobs, keys and citations,
// shared by any number of replicas.
//
// It owns SQL, durability and what replicas need of each other: leases, fencing tokens, locks, wake-up calls. It decides nothing
// about ranking, parsing or answers. It behaves as package sqlite does; both pass catalogtest.
//
// Any method may return rag.StorageFull when the server's disk is full, rag.Invalid for a text with U+0000, and rag.Unavailable when the server could not be reached for as long as
// Options.Patience, refuses the user, or took a commit whose outcome is not known; a method's comment names what else its caller has to tell apart.
package postgres

import (
	"context"
	"database/sql"
	"embed"
	"io/fs"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

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
