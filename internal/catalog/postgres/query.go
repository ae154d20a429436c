package postgres

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"footnote/internal/catalog/stored"
)

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
