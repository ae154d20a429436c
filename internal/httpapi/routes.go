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
			ExposedHeaders: []string{"Location", "Retry-After", "ETag", "Content-Disposition", "Footnote-Span", "RateLimit", "RateLimit-Policy", "X-Request-ID"},
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

	metrics := promhttp.HandlerFor(s.o.Registry, promhttp.HandlerOpts{})
	type route struct {
		method, pattern string
		scope           rag.Scope
		h               handler
		params          []string // of the query string
	}
	add := func(form errorForm, routes []route) {
		for _, route := range routes {
			s.forms[route.pattern] = form
			r.Method(route.method, route.pattern, s.handle(s.allow(route.scope, strict(route.params, route.h))))
		}
	}
	add(asProblem, []route{
		{"GET", "/metrics", rag.ScopeAdmin, func(w http.ResponseWriter, r *http.Request) error { metrics.ServeHTTP(w, r); return nil }, nil},

		{"POST", "/v1/collections", rag.ScopeWrite, s.createCollection, nil},
		{"GET", "/v1/collections", rag.ScopeRead, s.listCollections, []string{"limit", "after"}},
		{"GET", "/v1/collections/{collection}", rag.ScopeRead, s.getCollection, nil},
		{"PATCH", "/v1/collections/{collection}", rag.ScopeWrite, s.updateCollection, nil},
		{"DELETE", "/v1/collections/{collection}", rag.ScopeWrite, s.deleteCollection, nil},

		{"POST", "/v1/collections/{collection}/documents", rag.ScopeWrite, s.addDocuments, []string{"wait", "dry_run"}},
		{"GET", "/v1/collections/{collection}/documents", rag.ScopeRead, s.listDocuments, []string{"limit", "after", "filter"}},
		{"DELETE", "/v1/collections/{collection}/documents", rag.ScopeWrite, s.deleteDocuments, []string{"filter"}},
		{"PUT", "/v1/collections/{collection}/documents/{external_id}", rag.ScopeWrite, s.putDocument, []string{"wait", "dry_run"}},
		{"GET", "/v1/collections/{collection}/documents/{external_id}", rag.ScopeRead, s.getDocument, nil},
		{"DELETE", "/v1/collections/{collection}/documents/{external_id}", rag.ScopeWrite, s.deleteDocument, nil},
		{"GET", "/v1/collections/{collection}/documents/{external_id}/content", rag.ScopeRead, s.getContent, []string{"highlight", "page"}},
		{"GET", "/v1/collections/{collection}/documents/{external_id}/original", rag.ScopeRead, s.getOriginal, nil},
		{"GET", "/v1/documents/{document}/content", rag.ScopeRead, s.getContent, []string{"highlight", "page"}},
		{"GET", "/v1/documents/{document}/original", rag.ScopeRead, s.getOriginal, nil},
		{"GET", "/v1/collections/{collection}/documents/{external_id}/chunks", rag.ScopeRead, s.listChunks, []string{"limit", "after"}},

		{"GET", "/v1/collections/{collection}/export", rag.ScopeAdmin, s.exportCollection, []string{"originals"}},
		{"POST", "/v1/collections/{collection}/import", rag.ScopeAdmin, s.importCollection, []string{"re_embed"}},

		{"POST", "/v1/collections/{collection}/reembedding", rag.ScopeAdmin, s.reembed, nil},
		{"GET", "/v1/collections/{collection}/reembedding", rag.ScopeAdmin, s.getReembedding, nil},
		{"DELETE", "/v1/collections/{collection}/reembedding", rag.ScopeAdmin, s.endReembedding, nil},
		{"POST", "/v1/collections/{collection}/reembedding/swap", rag.ScopeAdmin, s.swapReembedding, nil},

		{"POST", "/v1/parse", rag.ScopeRead, s.parse, nil},

		{"GET", "/v1/jobs", rag.ScopeRead, s.listJobs, []string{"limit", "after", "status", "collection"}},
		{"GET", "/v1/jobs/{job}", rag.ScopeRead, s.getJob, []string{"wait"}},
		{"GET", "/v1/jobs/{job}/events", rag.ScopeRead, s.watchJob, nil},
		{"POST", "/v1/jobs/{job}/cancel", rag.ScopeWrite, s.cancelJob, nil},
		{"POST", "/v1/jobs/{job}/retry", rag.ScopeWrite, s.retryJob, nil},

		{"POST", "/v1/search", rag.ScopeRead, s.search, nil},
		{"POST", "/v1/query", rag.ScopeRead, s.query, nil},
		{"POST", "/v1/prompts/render", rag.ScopeRead, s.renderPrompt, nil},
		{"POST", "/v1/ground", rag.ScopeRead, s.ground, nil},
		{"GET", "/v1/query/{answer}/events", rag.ScopeRead, s.watchAnswer, nil},
		{"GET", "/v1/citations/{citation}", rag.ScopeRead, s.getCitation, nil},

		{"POST", "/v1/keys", rag.ScopeAdmin, s.createKey, nil},
		{"GET", "/v1/keys", rag.ScopeAdmin, s.listKeys, []string{"limit", "after"}},
		{"DELETE", "/v1/keys/{key}", rag.ScopeAdmin, s.revokeKey, nil},
	})
	// What clients of OpenAI's API call. Their errors have its form, also those of what stands in front of the handler.
	add(asOpenAI, []route{
		{"POST", "/v1/embeddings", rag.ScopeRead, s.createEmbedding, nil},
		{"GET", "/v1/models", rag.ScopeRead, s.listModels, nil},
		{"GET", "/v1/models/{model}", rag.ScopeRead, s.getModel, nil},
	})
	r.NotFound(s.handle(func(_ http.ResponseWriter, r *http.Request) error {
		return rag.Errorf(rag.NotFound, "There is nothing at %s; /docs lists what there is.", rag.Clip(r.URL.Path, 200))
	}))
	r.MethodNotAllowed(func(w http.ResponseWriter, req *http.Request) {
		for _, m := range []string{"GET", "POST", "PUT", "PATCH", "DELETE"} {
			if pattern := r.Find(chi.NewRouteContext(), m, routePath(req)); pattern != "" {
				w.Header().Add("Allow", m)
				chi.RouteContext(req.Context()).RoutePatterns = []string{pattern} // the log, the metrics and the form of the error go by it
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

// strict refuses query strings with other parameters than those allowed.
func strict(allowed []string, h handler) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		if err := checkParams(r, allowed); err != nil {
			return err
		}
		return h(w, r)
	}
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
