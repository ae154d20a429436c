package qdrant

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/qdrant/go-client/qdrant"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"footnote/internal/rag"
)

// read and write make one call with a deadline and try it again when it failed for a passing reason. Every call of this package may be repeated: a deadline that
// fires, or a reply that is lost, does not undo what the server has applied.
func (x *Index) read(ctx context.Context, what string, f func(context.Context) error) error {
	return x.call(ctx, what, x.o.Timeout, f)
}

func (x *Index) write(ctx context.Context, what string, f func(context.Context) error) error {
	return x.call(ctx, what, 3*x.o.Timeout, f)
}

func (x *Index) call(ctx context.Context, what string, timeout time.Duration, f func(context.Context) error) error {
	waits := backoff.NewExponentialBackOff()
	waits.InitialInterval, waits.MaxInterval = 50*time.Millisecond, time.Second
	_, err := backoff.Retry(ctx, func() (struct{}, error) {
		attempt, cancel := context.WithTimeout(ctx, timeout)
		defer cancel()
		err := translate(ctx, what, f(attempt))
		if err != nil && (ctx.Err() != nil || rag.CodeOf(err) != rag.Unavailable) {
			err = backoff.Permanent(err)
		}
		return struct{}{}, err
	}, backoff.WithBackOff(waits), backoff.WithMaxTries(uint(x.o.Attempts)))
	return err
}

// translate turns the client's errors into the domain's, by type and code.
func translate(ctx context.Context, what string, err error) error {
	var known *rag.Error
	if err == nil || errors.As(err, &known) {
		return err
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if limited, ok := errors.AsType[*qdrant.QdrantResourceExhaustedError](err); ok { // its status code reads Unknown
		e := rag.Errorf(rag.RateLimited, "Qdrant limits requests now (%s). %w", what, err)
		e.RetryAfter = time.Duration(limited.RetryAfterS) * time.Second
		return e
	}
	s, _ := status.FromError(cause(err))
	switch s.Code() {
	case codes.NotFound:
		return rag.Errorf(rag.NotFound, "The index has no such collection. %w", err)
	case codes.AlreadyExists:
		return rag.Errorf(rag.Conflict, "The index has that collection already. %w", err)
	case codes.Unauthenticated, codes.PermissionDenied:
		// Not Unavailable: trying again at once does not help.
		return rag.Errorf(rag.BadUpstream, "Qdrant refuses the API key, or what it may do (%s); correct FOOTNOTE_INDEX. %w", what, err)
	case codes.DeadlineExceeded, codes.Canceled:
		return rag.Errorf(rag.Timeout, "Qdrant did not answer in time (%s). %w", what, err)
	case codes.Unavailable, codes.Aborted:
		return rag.Errorf(rag.Unavailable, "Qdrant cannot be reached now (%s); try again. %w", what, err)
	case codes.ResourceExhausted:
		return rag.Errorf(rag.RateLimited, "Qdrant takes no batch of that size (%s). %w", what, err)
	case codes.Internal, codes.Unknown, codes.DataLoss:
		if strings.Contains(s.Message(), "No space left") { // it has no code of its own
			return rag.Errorf(rag.StorageFull, "Qdrant's disk is full; free space and try again. %w", err)
		}
		return rag.Errorf(rag.BadUpstream, "Qdrant failed (%s). %w", what, err)
	}
	return rag.Errorf(rag.Internal, "Qdrant refuses a request (%s). %w", what, err)
}

// cause is what the client's own error wraps: status.FromError looks through errors only by an interface that it lacks.
func cause(err error) error {
	if q, ok := errors.AsType[*qdrant.QdrantError](err); ok {
		return q.Unwrap()
	}
	return err
}
