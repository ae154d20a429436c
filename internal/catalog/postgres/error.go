package postgres

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"footnote/internal/rag"
)

// translate turns Postgres' errors into the domain's. Domain errors and those of a context pass.
func translate(err error) error {
	var known *rag.Error
	if err == nil || errors.As(err, &known) {
		return err
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
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

// aborted tells that the server rolled a transaction back, for a reason that is gone when it is run again.
func aborted(err error) bool {
	var e *pgconn.PgError
	return errors.As(err, &e) && (e.Code == "40001" || e.Code == "40P01")
}

// passing tells an untranslated error that may pass by itself.
func passing(err error) bool {
	if _, ok := errors.AsType[*rag.Error](err); ok {
		return false
	}
	return aborted(err) || unreachable(err)
}

// unreachable tells that the server could not be reached or went away.
func unreachable(err error) bool {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
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
