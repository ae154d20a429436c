package httpapi

import (
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"strconv"
	"strings"

	"github.com/go-chi/chi/v5"

	"footnote/internal/rag"
)

// Codes that only HTTP knows.
const (
	methodNotAllowed    rag.Code = "method_not_allowed"
	idempotencyMismatch rag.Code = "idempotency_mismatch"
	modelNotFound       rag.Code = "model_not_found"
	otherBody           rag.Code = "other_body"
)

// statuses gives each code its status.
var statuses = map[rag.Code]int{
	rag.Invalid: 400, rag.NotFound: 404, rag.Conflict: 409, rag.Unsupported: 415, rag.TooLarge: 413, rag.Unauthorized: 401, rag.Forbidden: 403,
	rag.RateLimited: 429, rag.Unavailable: 503, rag.Timeout: 504, rag.BadUpstream: 502, rag.ModelMismatch: 409, rag.StorageFull: 507,
	rag.Cancelled: 499, rag.Internal: 500, methodNotAllowed: 405, idempotencyMismatch: 422, modelNotFound: 404,
	otherBody: 422,
}

var titles = map[rag.Code]string{
	rag.Invalid: "Invalid request", rag.NotFound: "Not found", rag.Conflict: "Conflict", rag.Unsupported: "Unsupported kind of file", rag.TooLarge: "Too large",
	rag.Unauthorized: "A key is needed", rag.Forbidden: "Forbidden", rag.RateLimited: "Too many requests", rag.Unavailable: "Unavailable", rag.Timeout: "Timed out",
	rag.BadUpstream: "A provider failed", rag.ModelMismatch: "Another embedding model", rag.StorageFull: "Storage is full", rag.Cancelled: "Cancelled",
	rag.Internal: "Internal error", methodNotAllowed: "Method not allowed", idempotencyMismatch: "Idempotency key reused", modelNotFound: "No such model",
	otherBody: "Another body",
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
	if e, ok := errors.AsType[*rag.Error](err); ok {
		p.Detail = e.Message
		if e.Field != "" {
			p.Errors = []problemField{{e.Field, e.Message}}
		}
	} else if code == rag.Timeout {
		p.Detail = "The request took too long."
	}
	return p
}

// errorForm is how a route's errors look on the wire.
type errorForm func(p problem) (contentType string, body any)

// asProblem is RFC 9457's form, that of every route but those that others' clients call.
func asProblem(p problem) (string, any) { return "application/problem+json", p }

// openAIError is an error as clients of OpenAI's API read it.
type openAIError struct {
	Error struct {
		Message string  `json:"message"`
		Type    string  `json:"type"`
		Param   *string `json:"param"`
		Code    string  `json:"code"`
	} `json:"error"`
}

// openAICodes are the codes that have another name there.
var openAICodes = map[rag.Code]string{rag.Unauthorized: "invalid_api_key", rag.RateLimited: "rate_limit_exceeded"}

func asOpenAI(p problem) (string, any) {
	var out openAIError
	e := &out.Error
	e.Message, e.Type, e.Code = p.Detail, "invalid_request_error", string(p.Code)
	if name := openAICodes[p.Code]; name != "" {
		e.Code = name
	}
	switch {
	case p.Status == http.StatusTooManyRequests:
		e.Type = "rate_limit_error"
	case p.Status >= 500:
		e.Type = "server_error"
	}
	if len(p.Errors) > 0 {
		param := openAIParam(p.Errors[0].Pointer)
		e.Param = &param
	}
	return "application/json", out
}

// openAIParam spells a JSON pointer as that API does: /input/3 is input[3].
func openAIParam(pointer string) string {
	var b strings.Builder
	for i, token := range strings.Split(strings.TrimPrefix(pointer, "/"), "/") {
		token = strings.ReplaceAll(strings.ReplaceAll(token, "~1", "/"), "~0", "~")
		if _, err := strconv.ParseUint(token, 10, 31); err == nil && i > 0 {
			b.WriteString("[" + token + "]")
			continue
		}
		if i > 0 {
			b.WriteByte('.')
		}
		b.WriteString(token)
	}
	return b.String()
}

// form is that of the route that a request matched.
func (s *server) form(r *http.Request) errorForm {
	if c := chi.RouteContext(r.Context()); c != nil {
		if f := s.forms[c.RoutePattern()]; f != nil {
			return f
		}
	}
	return asProblem
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
	contentType, body := s.form(r)(p)
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(body) // the client is gone when this fails
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
