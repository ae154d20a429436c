package httpapi

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net/http"
	"regexp"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/go-chi/chi/v5"
)

type requestIDKey struct{}

func requestID(r *http.Request) string {
	id, _ := r.Context().Value(requestIDKey{}).(string)
	return id
}

var (
	goodRequestID = regexp.MustCompile(`^[A-Za-z0-9._:/+=-]{1,128}$`)
	traceparent   = regexp.MustCompile(`^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$`)
)

// identify gives every request an id: the caller's X-Request-ID, the trace of its traceparent, or a new one. A traceparent is handed back.
func (s *server) identify(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id, trace := r.Header.Get("X-Request-ID"), r.Header.Get("Traceparent")
		if traceparent.MatchString(trace) {
			w.Header().Set("Traceparent", trace)
		} else {
			trace = ""
		}
		switch {
		case goodRequestID.MatchString(id):
		case trace != "":
			id = trace[3:35]
		default:
			var b [16]byte
			_, _ = rand.Read(b[:]) // never fails
			id = hex.EncodeToString(b[:])
		}
		w.Header().Set("X-Request-ID", id)
		w.Header().Set("X-Content-Type-Options", "nosniff")
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), requestIDKey{}, id)))
	})
}

// tracked remembers the status of an answer.
type tracked struct {
	http.ResponseWriter
	status int
}

func (t *tracked) WriteHeader(status int) {
	if t.status == 0 {
		t.status = status
	}
	t.ResponseWriter.WriteHeader(status)
}

func (t *tracked) Write(b []byte) (int, error) {
	if t.status == 0 {
		t.status = http.StatusOK
	}
	return t.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach what is below.
func (t *tracked) Unwrap() http.ResponseWriter { return t.ResponseWriter }

// observe times and logs requests by route, never by path: paths hold names.
func (s *server) observe(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		started := time.Now()
		t := &tracked{ResponseWriter: w}
		next.ServeHTTP(t, r)
		route := chi.RouteContext(r.Context()).RoutePattern()
		if route == "" {
			route = "none"
		}
		d := time.Since(started)
		s.requests.WithLabelValues(r.Method, route, strconv.Itoa(max(t.status, 200))).Observe(d.Seconds())
		s.o.Logger.Info("request", "method", r.Method, "route", route, "status", t.status, "duration", d.Round(time.Microsecond), "request_id", requestID(r))
	})
}

// recover turns a panic into a 500 and lets the process live on.
func (s *server) recover(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			v := recover()
			if v == nil {
				return
			}
			if v == http.ErrAbortHandler {
				panic(v)
			}
			s.o.Logger.Error("panic", "request_id", requestID(r), "stack", string(debug.Stack()))
			s.problem(w, r, fmt.Errorf("panic: %v", v))
		}()
		next.ServeHTTP(w, r)
	})
}
