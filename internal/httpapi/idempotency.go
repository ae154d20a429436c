package httpapi

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"time"

	"footnote/internal/rag"
)

func hashOf(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}

// withBody is r with a body that was read already.
func withBody(r *http.Request, body []byte) *http.Request {
	out := r.Clone(r.Context())
	out.Body = io.NopCloser(bytes.NewReader(body))
	return out
}

// idempotent runs do once for the request's Idempotency-Key and gives its answer again to whoever repeats key and body. Errors of the service itself
// are not kept, so that the request can be tried again.
func (s *server) idempotent(w http.ResponseWriter, r *http.Request, bodyHash string, do func(w http.ResponseWriter) error) error {
	key := r.Header.Get("Idempotency-Key")
	if key == "" {
		return do(w)
	}
	if len(key) > 255 {
		return rag.Errorf(rag.Invalid, "The Idempotency-Key must have at most 255 bytes.")
	}
	// Of this credential alone: another's answer is not for its eyes.
	key = string(principal(r).ID) + " " + r.Method + " " + r.URL.RequestURI() + " " + key
	kept, err := s.o.Catalog.ClaimIdempotencyKey(r.Context(), key, bodyHash)
	switch {
	case err != nil:
		return err
	case kept != nil && kept.BodyHash != bodyHash:
		return rag.Errorf(idempotencyMismatch, "This Idempotency-Key was used with another body; take a new key for a new request.")
	case kept != nil && kept.Status == 0:
		return rag.Errorf(rag.Conflict, "A request with this Idempotency-Key is still being worked on; try again when it has ended.")
	case kept != nil:
		for k, v := range kept.Header {
			w.Header().Set(k, v)
		}
		w.Header().Set("Idempotent-Replay", "true")
		w.WriteHeader(kept.Status)
		_, _ = w.Write(kept.Body) // the client is gone when this fails
		return nil
	}
	rec := &recorder{header: http.Header{}}
	if err := do(rec); err != nil {
		s.problem(rec, r, err)
	}
	answer := rag.KeptResponse{BodyHash: bodyHash, Status: rec.status, Header: map[string]string{}, Body: rec.body.Bytes()}
	for k := range rec.header {
		answer.Header[k] = rec.header.Get(k)
		w.Header().Set(k, rec.header.Get(k))
	}
	// Also when the client has gone: what was done must not be done again.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), 10*time.Second)
	defer cancel()
	if rec.status < 500 && rec.status != statuses[rag.Cancelled] && rec.status != http.StatusTooManyRequests {
		err = s.o.Catalog.SaveIdempotentResponse(ctx, key, answer)
	} else {
		err = s.o.Catalog.ReleaseIdempotencyKey(ctx, key)
	}
	if err != nil {
		return err
	}
	w.WriteHeader(rec.status)
	_, _ = w.Write(rec.body.Bytes()) // the client is gone when this fails
	return nil
}

// recorder keeps an answer.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (r *recorder) Header() http.Header { return r.header }

func (r *recorder) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
}

func (r *recorder) Write(b []byte) (int, error) {
	r.WriteHeader(http.StatusOK)
	return r.body.Write(b)
}
