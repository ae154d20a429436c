package postgres

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// channel is what replicas call each other on when a job was queued or has ended.
const channel = "footnote_jobs"

// notify wakes every replica when the transaction commits.
func notify(ctx context.Context, q querier) error {
	_, err := q.Exec(ctx, `SELECT pg_notify($1, '')`, channel)
	return err
}

// Listen calls ring whenever some replica has queued or ended a job, and once after each reconnection, for what was missed meanwhile. It returns
// ctx's error.
func (s *Store) Listen(ctx context.Context, ring func()) error {
	for {
		_ = s.listen(ctx, ring) // the server went away; jobs are polled for until it is back
		t := time.NewTimer(time.Second)
		select {
		case <-ctx.Done():
			t.Stop()
			return ctx.Err()
		case <-t.C:
		}
	}
}

func (s *Store) listen(ctx context.Context, ring func()) error {
	conn, err := pgx.ConnectConfig(ctx, s.pool.Config().ConnConfig)
	if err != nil {
		return err
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = conn.Close(ctx) // it is of no more use either way
	}()
	if _, err := conn.Exec(ctx, "LISTEN "+channel); err != nil {
		return err
	}
	ring()
	for {
		if _, err := conn.WaitForNotification(ctx); err != nil {
			return err
		}
		ring()
	}
}

// Lock waits until no other process and no other goroutine has the lock of that name, and takes it. It is an advisory lock of a session: it ends
// with unlock or with its connection. Who has held it for longer than Options.LockPatience is taken for stalled (a process that is stopped keeps its connections), and its session is
// ended; what it may still write then, fencing tokens refuse or reconciling mends.
func (s *Store) Lock(ctx context.Context, name string) (unlock func(), err error) {
	for {
		unlock, err := s.lock(ctx, `SELECT pg_advisory_lock(hashtextextended($1, 0))`, name)
		var e *pgconn.PgError
		if !errors.As(err, &e) || e.Code != "55P03" { // lock_not_available: the patience is over
			return unlock, err
		}
		err = s.read(ctx, func() error {
			_, err := s.pool.Exec(ctx, `SELECT pg_terminate_backend(l.pid) FROM pg_locks l, (SELECT hashtextextended($1, 0) AS key) h
			  WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1 AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
			    AND l.classid = ((h.key >> 32) & 4294967295)::oid AND l.objid = (h.key & 4294967295)::oid`, name)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
}

// TryLock takes the lock of that name unless another has it; unlock is nil then.
func (s *Store) TryLock(ctx context.Context, name string) (unlock func(), err error) {
	return s.lock(ctx, `SELECT pg_try_advisory_lock(hashtextextended($1, 0))`, name)
}

func (s *Store) lock(ctx context.Context, query, name string) (unlock func(), err error) {
	var conn *pgxpool.Conn
	taken := true
	err = s.patiently(ctx, func() error {
		if conn, err = s.locks.Acquire(ctx); err != nil {
			return err
		}
		if _, err := conn.Exec(ctx, `SELECT set_config('lock_timeout', $1, false)`, strconv.FormatInt(s.lockPatience.Milliseconds(), 10)); err != nil {
			drop(conn)
			return err
		}
		var result any // pg_advisory_lock gives void, pg_try_advisory_lock a boolean
		if err := conn.QueryRow(ctx, query, name).Scan(&result); err != nil {
			drop(conn)
			return err
		}
		if b, ok := result.(bool); ok {
			taken = b
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if !taken {
		conn.Release()
		return nil, nil
	}
	return func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		var held bool
		if err := conn.QueryRow(ctx, `SELECT pg_advisory_unlock(hashtextextended($1, 0))`, name).Scan(&held); err != nil || !held {
			drop(conn) // closing the session gives the lock back
			return
		}
		conn.Release()
	}, nil
}

// drop closes a connection instead of giving it back to the pool.
func drop(conn *pgxpool.Conn) {
	c := conn.Hijack()
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = c.Close(ctx) // it is of no more use either way
}
