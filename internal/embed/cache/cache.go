// Package cache keeps the vectors of queries, so that what is asked again, by the same answer or by somebody else, is not embedded again.
//
// It owns what is kept and in how much room, and that one text is embedded once however many ask for it at a time. It knows no model: it stands in front of any.
// Only queries that come alone are kept: documents are embedded once anyhow, and a batch would push out what people ask.
package cache

import (
	"context"
	"crypto/sha256"
	"math"
	"slices"

	"github.com/maypok86/otter/v2"

	"footnote/internal/rag"
)

// Embedder is an embedding model. Its fingerprint changes whenever the same text would get another vector.
type Embedder interface {
	EmbedQueries(ctx context.Context, texts []string) ([]rag.Embedding, error)
	EmbedDocuments(ctx context.Context, texts []string) ([]rag.Embedding, error)
	Model() string
	Fingerprint() string
	Dimensions() int
	MaxTokens() int
	CountTokens(text string) int
}

// Options configures a Cache. Entries is needed.
type Options struct {
	Entries int            // most vectors that are kept
	Bytes   int            // most memory that they take; 0: 256 MiB
	Observe func(hit bool) // called for each query; one that waits for another's vector is a hit. nil: nobody looks
}

// entryOverhead is about what an entry takes beside its vector: key, node and table slots.
const entryOverhead = 256

// Cache keeps vectors of any number of models. When it is full, those go that are asked for least often and longest ago (W-TinyLFU). Any number of goroutines may use it.
type Cache struct {
	vectors *otter.Cache[key, rag.Embedding]
	observe func(hit bool)
}

// key is of a cryptographic hash, so that nobody can make two texts share a vector.
type key struct {
	fingerprint string
	text        [sha256.Size]byte
}

// New makes a Cache.
func New(o Options) *Cache {
	if o.Bytes == 0 {
		o.Bytes = 256 << 20
	}
	if o.Observe == nil {
		o.Observe = func(bool) {}
	}
	// One bound serves both limits: an entry weighs its bytes, and no less than its share of the room.
	share := max(o.Bytes/o.Entries, 1)
	return &Cache{observe: o.Observe, vectors: otter.Must(&otter.Options[key, rag.Embedding]{
		MaximumWeight: uint64(share * o.Entries),
		Weigher: func(_ key, v rag.Embedding) uint32 {
			return uint32(min(max(4*len(v)+entryOverhead, share), math.MaxUint32))
		},
		Executor: func(task func()) { task() }, // what makes room is short, and no goroutine is left behind
	})}
}

// Cached is a model with a cache in front.
type Cached struct {
	Embedder
	cache       *Cache
	fingerprint string
}

// Over puts the cache in front of a model.
func (c *Cache) Over(m Embedder) *Cached { return &Cached{m, c, m.Fingerprint()} }

// EmbedQueries is the model's, with the vector of a query that comes alone taken from the cache when it is there. The caller owns what it gets.
// A caller whose context ends leaves alone: who waits for the same text gets it all the same, embedded by one of them. An error of the model is given to all who waited and is not kept.
func (e *Cached) EmbedQueries(ctx context.Context, texts []string) ([]rag.Embedding, error) {
	if len(texts) != 1 {
		return e.Embedder.EmbedQueries(ctx, texts)
	}
	hit := true
	embed := func(ctx context.Context, _ key) (rag.Embedding, error) {
		hit = false
		vectors, err := e.Embedder.EmbedQueries(ctx, texts)
		if err != nil {
			return nil, err
		}
		return vectors[0], nil
	}
	v, err := e.cache.vectors.Get(ctx, key{e.fingerprint, sha256.Sum256([]byte(texts[0]))}, otter.LoaderFunc[key, rag.Embedding](embed))
	if err != nil {
		return nil, err
	}
	e.cache.observe(hit)
	return []rag.Embedding{slices.Clone(v)}, nil
}

// AcrossLanguages is the model's, and the vector as it is when the model has none.
func (e *Cached) AcrossLanguages(query rag.Embedding) rag.Embedding {
	if m, ok := e.Embedder.(interface {
		AcrossLanguages(rag.Embedding) rag.Embedding
	}); ok {
		return m.AcrossLanguages(query)
	}
	return query
}
