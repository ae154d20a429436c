package rag

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Code says what kind of failure an Error is. Codes are stable: clients branch on them.
type Code string

// The codes.
const (
	Invalid       Code = "invalid_request"   // the caller's input is wrong; retrying does not help
	NotFound      Code = "not_found"         // the named thing does not exist, or is not the caller's to see
	Conflict      Code = "conflict"          // the state of the thing forbids the action
	Unsupported   Code = "unsupported_media" // a file of a kind that cannot be read
	TooLarge      Code = "too_large"         // input over a documented limit
	Unauthorized  Code = "unauthorized"      // no or a wrong credential
	Forbidden     Code = "forbidden"         // a credential without the right
	RateLimited   Code = "rate_limited"      // try again after RetryAfter
	Unavailable   Code = "unavailable"       // a dependency cannot be reached now
	Timeout       Code = "timeout"           // a dependency did not answer in time
	BadUpstream   Code = "bad_upstream"      // a dependency answered nonsense or broke off
	ModelMismatch Code = "model_mismatch"    // a collection was embedded by another model
	StorageFull   Code = "storage_full"      // the disk or quota is full
	Cancelled     Code = "cancelled"         // the caller went away or cancelled
	Internal      Code = "internal"          // a bug or broken invariant
)

// Error is the error that crosses rooms. Message is shown to the user and says what to do; Err is the cause, for the log only.
type Error struct {
	Code       Code
	Message    string
	Field      string        // JSON pointer of the offending input, such as /top_k; empty when none
	RetryAfter time.Duration // for RateLimited and Unavailable, when known
	Err        error
}

// Error is the message and its cause: for the log, since a cause may hold what is not the user's to see.
func (e *Error) Error() string {
	if e.Err != nil {
		return e.Message + ": " + e.Err.Error()
	}
	return e.Message
}

// Unwrap is the cause.
func (e *Error) Unwrap() error { return e.Err }

// Errorf makes an Error whose message is formatted; a %w operand becomes its cause.
func Errorf(code Code, format string, args ...any) *Error {
	err := fmt.Errorf(format, args...)
	e := &Error{Code: code, Message: err.Error()}
	if cause := errors.Unwrap(err); cause != nil {
		e.Err = cause
		// The cause is printed by Error already; the message keeps what stands before it.
		if n := len(e.Message) - len(cause.Error()); n > 0 && e.Message[n:] == cause.Error() {
			msg := e.Message[:n]
			for len(msg) > 0 && (msg[len(msg)-1] == ' ' || msg[len(msg)-1] == ':') {
				msg = msg[:len(msg)-1]
			}
			e.Message = msg
		}
	}
	return e
}

// FieldErrorf is an Invalid error about one input field, named by a JSON pointer.
func FieldErrorf(pointer, format string, args ...any) *Error {
	e := Errorf(Invalid, format, args...)
	e.Field = pointer
	return e
}

// CodeOf is the code of the first Error in err's chain; context errors are Cancelled and Timeout; anything else is Internal.
// CodeOf(nil) is "".
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	switch {
	case errors.Is(err, context.Canceled):
		return Cancelled
	case errors.Is(err, context.DeadlineExceeded):
		return Timeout
	}
	return Internal
}
