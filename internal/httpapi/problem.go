package httpapi

import (
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"strconv"
	"strings"

	"footnote/internal/rag"
)

// Codes that only HTTP knows.
const (
	methodNotAllowed    rag.Code = "method_not_allowed"
	idempotencyMismatch rag.Code = "idempotency_mismatch"
)

// statuses gives each code its status.
var statuses = map[rag.Code]int{
	rag.Invalid: 400, rag.NotFound: 404, rag.Conflict: 409, rag.Unsupported: 415, rag.TooLarge: 413, rag.Unauthorized: 401, rag.Forbidden: 403,
	rag.RateLimited: 429, rag.Unavailable: 503, rag.Timeout: 504, rag.BadUpstream: 502, rag.ModelMismatch: 409, rag.StorageFull: 507,
	rag.Cancelled: 499, rag.Internal: 500, methodNotAllowed: 405, idempotencyMismatch: 422,
}

var titles = map[rag.Code]string{
	rag.Invalid: "Invalid request", rag.NotFound: "Not found", rag.Conflict: "Conflict", rag.Unsupported: "Unsupported kind of file", rag.TooLarge: "Too large",
	rag.Unauthorized: "A key is needed", rag.Forbidden: "Forbidden", rag.RateLimited: "Too many requests", rag.Unavailable: "Unavailable", rag.Timeout: "Timed out",
	rag.BadUpstream: "A provider failed", rag.ModelMismatch: "Another embedding model", rag.StorageFull: "Storage is full", rag.Cancelled: "Cancelled",
	rag.Internal: "Internal error", methodNotAllowed: "Method not allowed", idempotencyMismatch: "Idempotency key reused",
}

type problem struct {
	Type      string         `json:"type"`
	Title     string         `json:"title"`
	Status    int            `json:"status"`
	Code      rag.Code       `json:"code"`
	Detail    string         `json:"detail"`
	RequestID string         `json:"request_id"`
	Errors    []problemField `json:"errors,omitempty"`
}

type problemField struct {
	Pointer string `json:"pointer"`
	Detail  string `json:"detail"`
}

// describe turns an error into a problem. Messages of domain errors are meant to be shown; the cause of others stays in the log.
func describe(err error, requestID string) problem {
	code := rag.CodeOf(err)
	p := problem{Type: "urn:footnote:problem:" + strings.ReplaceAll(string(code), "_", "-"), Title: titles[code], Status: statuses[code], Code: code, RequestID: requestID,
		Detail: "Something went wrong inside the service; its log says more under this request_id."}
	var e *rag.Error
	if errors.As(err, &e) {
		p.Detail = e.Message
		if e.Field != "" {
			p.Errors = []problemField{{e.Field, e.Message}}
		}
	} else if code == rag.Timeout {
		p.Detail = "The request took too long."
	}
	return p
}

// problem answers with an error, once; it logs those that are the service's own.
func (s *server) problem(w http.ResponseWriter, r *http.Request, err error) {
	p := describe(err, requestID(r))
	log := s.o.Logger.With("request_id", p.RequestID, "code", p.Code, "error", err)
	switch {
	case p.Status >= 500:
		log.Error("request failed")
	default:
		log.Debug("request refused")
	}
	if t, ok := w.(*tracked); ok && t.status != 0 {
		return // the answer has begun: cutting it short is all that is left
	}
	var e *rag.Error
	if errors.As(err, &e) && e.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(e.RetryAfter.Seconds()))))
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p) // the client is gone when this fails
}

// reply answers with JSON.
func reply(w http.ResponseWriter, status int, body any) error {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	_ = e.Encode(body) // the client is gone when this fails
	return nil
}
