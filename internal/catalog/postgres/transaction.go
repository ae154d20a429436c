package postgres

import (
	"context"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/jackc/pgx/v5"
)

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
