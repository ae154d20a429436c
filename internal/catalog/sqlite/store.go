// Package sqlite is the embedded catalog: the truth about collections, documents, their chunks and vectors, jobs and citations.
//
// It owns SQL and durability: what a method has acknowledged survives a crash at any moment. It decides nothing about ranking,
// parsing or answers. Modernc's SQLite needs no cgo. One connection writes, a pool reads; WAL lets them go side by side.
//
// Any method may return rag.StorageFull when the disk is full and rag.Unavailable when the file cannot be read or stays locked; a method's comment names what else its caller has to tell apart.
package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"runtime"
	"time"

	"github.com/pressly/goose/v3"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"footnote/internal/catalog/stored"
	"footnote/internal/rag"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Options configures Open.
type Options struct {
	Path    string           // of the database file; its folder must exist
	Changes Changes          // whether what changes is noted
	Now     func() time.Time // nil: time.Now
}

// Changes says what becomes of the logs of changes, which an index in files is brought up to date from.
type Changes int

// The ways.
const (
	ChangesAsTheyAre Changes = iota // collections that have a log keep it: for who only looks
	KeepChanges                     // every collection has one; PruneChanges must say what to forget
	ForgetChanges                   // none has one: the index is a server
)

// Store is the catalog. Any number of goroutines may use it; one process at a time may write to a file.
type Store struct {
	write, read *sql.DB
	hydrate     *sql.Stmt // hydrateSQL
	now         func() time.Time
	changes     Changes
}

// Open opens the database file, makes it when it is absent and brings its schema up to date. Errors: rag.Unavailable when that cannot be done.
func Open(ctx context.Context, o Options) (*Store, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	s := &Store{now: o.Now, changes: o.Changes}
	var err error
	if s.write, err = open(o.Path, "&_txlock=immediate"); err != nil {
		return nil, err
	}
	s.write.SetMaxOpenConns(1)
	if s.read, err = open(o.Path, "&_pragma=query_only(1)"); err != nil {
		s.write.Close()
		return nil, err
	}
	s.read.SetMaxOpenConns(max(4, runtime.GOMAXPROCS(0)))
	err = s.migrate(ctx)
	if err == nil && s.changes == KeepChanges {
		err = s.keepChanges(ctx)
	}
	if err == nil && s.changes == ForgetChanges {
		err = s.forgetChanges(ctx)
	}
	if err == nil {
		s.hydrate, err = s.read.PrepareContext(ctx, hydrateSQL)
	}
	if err != nil {
		s.Close()
		return nil, rag.Errorf(rag.Unavailable, "The catalog %s cannot be opened: %w", o.Path, err)
	}
	return s, nil
}

func open(path, more string) (*sql.DB, error) {
	// synchronous=FULL syncs the log at each commit: power loss takes nothing that was acknowledged.
	dsn := "file:" + (&url.URL{Path: path}).EscapedPath() +
		"?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=foreign_keys(1)&_pragma=cache_size(-16000)" + more
	db, err := sql.Open("sqlite", dsn)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	return db, nil
}

func (s *Store) migrate(ctx context.Context) error {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, s.write, files)
	if err != nil {
		return err
	}
	_, err = p.Up(ctx)
	return err
}

// Close ends all use of the store; it folds the write-ahead log into the file.
func (s *Store) Close() error {
	_, err := s.write.Exec("PRAGMA wal_checkpoint(TRUNCATE)")
	return errors.Join(err, s.read.Close(), s.write.Close())
}

// Check reads from the store, for readiness.
func (s *Store) Check(ctx context.Context) error {
	var one int
	return translate(s.read.QueryRowContext(ctx, "SELECT 1 FROM sqlite_master LIMIT 1").Scan(&one))
}

// tx runs f in one write transaction.
func (s *Store) tx(ctx context.Context, f func(*sql.Tx) error) error {
	tx, err := s.write.BeginTx(ctx, nil)
	if err != nil {
		return translate(err)
	}
	defer tx.Rollback() // after a commit this does nothing
	if err := f(tx); err != nil {
		return translate(err)
	}
	return translate(tx.Commit())
}

// translate turns SQLite's errors into the domain's. Domain errors pass.
func translate(err error) error {
	var known *rag.Error
	if err == nil || errors.As(err, &known) {
		return err
	}
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		switch e.Code() & 0xff {
		case sqlite3.SQLITE_FULL:
			return rag.Errorf(rag.StorageFull, "The disk or the store's quota is full; free space and try again. %w", err)
		case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN:
			return rag.Errorf(rag.Unavailable, "The catalog cannot be reached now; try again. %w", err)
		}
	}
	return err
}

// querier is what *sql.DB and *sql.Tx have in common.
type querier interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

// each runs a query and calls scan for every row.
func each(ctx context.Context, q querier, scan func(*sql.Rows) error, query string, args ...any) error {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return translate(err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return translate(err)
		}
	}
	return translate(rows.Err())
}

// list reads every row of a query.
func list[T any](ctx context.Context, q querier, scan func(stored.Row) (T, error), query string, args ...any) (out []T, err error) {
	err = each(ctx, q, func(rows *sql.Rows) error {
		v, err := scan(rows)
		out = append(out, v)
		return err
	}, query, args...)
	return out, err
}

// one reads one row of a query; missing when there is none.
func one[T any](ctx context.Context, q querier, scan func(stored.Row) (T, error), missing error, query string, args ...any) (T, error) {
	v, err := scan(q.QueryRowContext(ctx, query, args...))
	if errors.Is(err, sql.ErrNoRows) {
		return v, missing
	}
	return v, translate(err)
}
