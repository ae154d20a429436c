// Package httpapi is how the service looks from outside: routes, wire types, strict decoding, problems, server-sent events.
//
// It holds to api/openapi.yaml, which changes first. A handler decodes, calls, encodes; what is said and what is true is decided
// elsewhere.
package httpapi

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"footnote/internal/rag"
)

// Ingest takes documents in.
type Ingest interface {
	CreateCollection(ctx context.Context, c rag.Collection) (rag.Collection, error)
	DeleteCollection(ctx context.Context, name string) error
	Export(ctx context.Context, name string, w io.Writer, originals bool) error
	Import(ctx context.Context, name string, r io.Reader, reEmbed bool) (rag.Collection, error)
	Reembed(ctx context.Context, name, model string, plan rag.ReembeddingPlan) (rag.Reembedding, error)
	Reembedding(ctx context.Context, name string) (rag.Reembedding, error)
	SwapReembedding(ctx context.Context, name string) (rag.Reembedding, error)
	EndReembedding(ctx context.Context, name string) error
	Submit(ctx context.Context, collection string, sources []rag.Source) (rag.Job, error)
	Preview(ctx context.Context, collection string, source rag.Source) (rag.Preview, error)
	DryRun(ctx context.Context, collection string, source rag.Source) ([]rag.DryRun, error)
	DeleteDocument(ctx context.Context, collection, externalID string) error
	DeleteMatching(ctx context.Context, collection string, filter rag.Filter) (int, error)
	Cancel(ctx context.Context, id rag.JobID) (rag.Job, error)
	Retry(ctx context.Context, id rag.JobID) (rag.Job, error)
	Watch(ctx context.Context, id rag.JobID, emit func(rag.Job) error) error
	Wait(ctx context.Context, id rag.JobID) (rag.Job, error)
}

// Catalog is what can be looked up.
type Catalog interface {
	Collection(ctx context.Context, name string) (rag.Collection, error)
	DescribeCollection(ctx context.Context, name string) (rag.Collection, error)
	CollectionByID(ctx context.Context, id rag.CollectionID) (rag.Collection, error)
	Collections(ctx context.Context, after string, limit int) ([]rag.Collection, error)
	UpdateCollection(ctx context.Context, name string, patch rag.CollectionPatch) (rag.Collection, error)
	Document(ctx context.Context, collection rag.CollectionID, externalID string) (rag.Document, error)
	DocumentByID(ctx context.Context, id rag.DocumentID) (rag.Document, error)
	Documents(ctx context.Context, collection rag.CollectionID, filter *rag.Filter, after string, limit int) ([]rag.Document, error)
	Text(ctx context.Context, id rag.DocumentID) (string, error)
	Pages(ctx context.Context, id rag.DocumentID) ([]rag.PageSpan, error)
	Chunks(ctx context.Context, id rag.DocumentID, after, limit int) ([]rag.Chunk, error)
	Job(ctx context.Context, id rag.JobID) (rag.Job, error)
	Jobs(ctx context.Context, q rag.JobQuery) ([]rag.Job, error)
	ClaimIdempotencyKey(ctx context.Context, key, bodyHash string) (*rag.KeptResponse, error)
	SaveIdempotentResponse(ctx context.Context, key string, r rag.KeptResponse) error
	ReleaseIdempotencyKey(ctx context.Context, key string) error
	CreateKey(ctx context.Context, k rag.APIKey) (rag.APIKey, error)
	Keys(ctx context.Context, after rag.KeyID, limit int) ([]rag.APIKey, error)
	KeyByHash(ctx context.Context, hash string) (rag.APIKey, error)
	HasKeys(ctx context.Context) (bool, error)
	RevokeKey(ctx context.Context, id rag.KeyID) (rag.APIKey, error)
	TouchKey(ctx context.Context, id rag.KeyID, at time.Time) error
}

// Originals keeps files as they were uploaded, by the hash of their bytes. Get says NotFound of one that is not kept.
type Originals interface {
	Get(ctx context.Context, sha string) (io.ReadCloser, error)
}

// Search finds passages.
type Search interface {
	Search(ctx context.Context, q rag.Query) (rag.Hits, error)
}

// Answer answers questions and checks texts.
type Answer interface {
	Answer(ctx context.Context, q rag.Question, emit func(rag.Event) error) (rag.Answer, error)
	Ground(ctx context.Context, r rag.GroundRequest) (rag.Grounding, error)
	Citation(ctx context.Context, id rag.CitationID) (rag.Permalink, error)
}

// Prompts makes prompts without asking a model.
type Prompts interface {
	Render(ctx context.Context, q rag.Question, given *rag.PromptTemplate) (rag.Rendering, error)
	CheckPrompt(p rag.PromptTemplate) error
}

// Embedder is an embedding model. CountTokens counts as the model does; a text has at most MaxTokens.
type Embedder interface {
	EmbedQueries(ctx context.Context, texts []string) ([]rag.Embedding, error)
	EmbedDocuments(ctx context.Context, texts []string) ([]rag.Embedding, error)
	Model() string
	Fingerprint() string
	Dimensions() int
	MaxTokens() int
	CountTokens(text string) int
}

// Options wires the handler. All but APIKey, CORSOrigins, Streams and Observe are needed.
type Options struct {
	Ingest      Ingest
	Catalog     Catalog
	Originals   Originals
	Search      Search
	Answer      Answer
	Prompts     Prompts
	Embedders   []Embedder // that /v1/embeddings serves, the service's own first; of those with one name, the first
	Logger      *slog.Logger
	Registry    *prometheus.Registry
	APIKey      string   // the first admin key; empty: none, and no key is asked for until one is made
	CORSOrigins []string // exact origins of web apps; "*" only when written so
	Version     string
	Ready       func(ctx context.Context) error
	Streams     *Streams                            // of streamed answers; nil: one that nobody shuts down
	Observe     func(stage string, d time.Duration) // nil: nobody looks
}

type server struct {
	o        Options
	docs     []byte
	access   *access
	requests *prometheus.HistogramVec
	forms    map[string]errorForm // by the pattern of the route; those that are not here answer with problems
}

// New makes the handler of the whole API. Any number of requests may run at a time.
func New(o Options) http.Handler {
	if o.Observe == nil {
		o.Observe = func(string, time.Duration) {}
	}
	s := &server{o: o, docs: docsPage(), access: newAccess(), forms: map[string]errorForm{}}
	s.requests = prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "footnote_http_request_duration_seconds", Help: "Duration of HTTP requests.", Buckets: prometheus.ExponentialBuckets(0.001, 4, 9),
	}, []string{"method", "route", "status"})
	o.Registry.MustRegister(s.requests)
	if s.o.Streams == nil {
		s.o.Streams = NewStreams(DefaultStreamGrace)
	}
	o.Registry.MustRegister(s.o.Streams.collectors()...)
	return s.routes()
}
