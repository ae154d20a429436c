package httpapi

import (
	"net/http"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/cors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"footnote/api"
	"footnote/internal/rag"
)

// routes is the whole surface.
func (s *server) routes() http.Handler {
	r := chi.NewRouter()
	r.Use(s.identify, s.observe, s.recover)
	if len(s.o.CORSOrigins) > 0 {
		r.Use(cors.Handler(cors.Options{
			AllowedOrigins: s.o.CORSOrigins,
			AllowedMethods: []string{"GET", "POST", "PUT", "PATCH", "DELETE"},
			AllowedHeaders: []string{"Authorization", "Content-Type", "Idempotency-Key", "Last-Event-ID", "X-Request-ID", "Traceparent"},
			ExposedHeaders: []string{"Location", "Retry-After", "RateLimit", "X-Request-ID"},
			MaxAge:         600,
		}))
	}
	r.Get("/healthz", s.health)
	r.Get("/readyz", s.ready)
	r.Get("/openapi.yaml", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/yaml")
		_, _ = w.Write(api.OpenAPI) // the client is gone when this fails
	})
	r.Get("/docs", s.docsHandler)

	r.Group(func(r chi.Router) {
		r.Use(s.authenticate)
		r.Method(http.MethodGet, "/metrics", promhttp.HandlerFor(s.o.Registry, promhttp.HandlerOpts{}))
		for _, route := range []struct {
			method, pattern string
			h               handler
		}{
			{"POST", "/v1/collections", s.createCollection},
			{"GET", "/v1/collections", s.listCollections},
			{"GET", "/v1/collections/{collection}", s.getCollection},
			{"PATCH", "/v1/collections/{collection}", s.updateCollection},
			{"DELETE", "/v1/collections/{collection}", s.deleteCollection},

			{"POST", "/v1/collections/{collection}/documents", s.addDocuments},
			{"GET", "/v1/collections/{collection}/documents", s.listDocuments},
			{"DELETE", "/v1/collections/{collection}/documents", s.deleteDocuments},
			{"PUT", "/v1/collections/{collection}/documents/{external_id}", s.putDocument},
			{"GET", "/v1/collections/{collection}/documents/{external_id}", s.getDocument},
			{"DELETE", "/v1/collections/{collection}/documents/{external_id}", s.deleteDocument},
			{"GET", "/v1/collections/{collection}/documents/{external_id}/content", s.getContent},
			{"GET", "/v1/collections/{collection}/documents/{external_id}/chunks", s.listChunks},

			{"GET", "/v1/jobs", s.listJobs},
			{"GET", "/v1/jobs/{job}", s.getJob},
			{"GET", "/v1/jobs/{job}/events", s.watchJob},
			{"POST", "/v1/jobs/{job}/cancel", s.cancelJob},
			{"POST", "/v1/jobs/{job}/retry", s.retryJob},

			{"POST", "/v1/search", s.search},
			{"POST", "/v1/query", s.query},
			{"GET", "/v1/citations/{citation}", s.getCitation},
		} {
			r.Method(route.method, route.pattern, s.handle(route.h))
		}
	})
	r.NotFound(s.handle(func(_ http.ResponseWriter, r *http.Request) error {
		return rag.Errorf(rag.NotFound, "There is nothing at %s; /docs lists what there is.", rag.Clip(r.URL.Path, 200))
	}))
	r.MethodNotAllowed(func(w http.ResponseWriter, req *http.Request) {
		for _, m := range []string{"GET", "POST", "PUT", "PATCH", "DELETE"} {
			if r.Match(chi.NewRouteContext(), m, routePath(req)) {
				w.Header().Add("Allow", m)
			}
		}
		s.problem(w, req, rag.Errorf(methodNotAllowed, "%s is not possible at %s; the Allow header lists what is.", req.Method, rag.Clip(req.URL.Path, 200)))
	})
	return r
}

// routePath is the path that chi matches.
func routePath(r *http.Request) string {
	if r.URL.RawPath != "" {
		return r.URL.RawPath
	}
	return r.URL.Path
}

// handler is a handler that returns its error.
type handler func(w http.ResponseWriter, r *http.Request) error

func (s *server) handle(h handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if err := h(w, r); err != nil {
			s.problem(w, r, err)
		}
	}
}
