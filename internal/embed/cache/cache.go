// Package cache keeps the vectors of recent queries, so that what is asked again, by the same answer or by somebody else, is not embedded again.
//
// It owns what is kept, for how long, and that one text is embedded once however many ask for it at a time. It knows no model: it stands in front of any.
// Only queries that come alone are kept: documents are embedded once anyhow, and a batch would push out what people ask.
//
// The list is ours rather than a library's: the lock that makes one caller embed what several miss has to be held while the list changes, and beside it a library
// would replace thirty lines of container/list. The lock is no bottleneck: a hit takes some 2 µs in all, copying and hashing included, from one core or from two.
package cache

import (
	"container/list"
	"context"
	"crypto/sha256"
	"slices"
	"sync"

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

// Outcome is how a query got its vector.
type Outcome string

// The outcomes.
const (
	Hit    Outcome = "hit"    // it was kept
	Miss   Outcome = "miss"   // the model was asked
	Shared Outcome = "shared" // another request was asking the model already
)

// Options configures a Cache. Entries is needed.
type Options struct {
	Entries int                   // most vectors that are kept
	Bytes   int                   // most memory that they take; 0: 256 MiB
	Observe func(outcome Outcome) // nil: nobody looks
}

// entryOverhead is about what an entry takes beside its vector: key, list element and map slots.
const entryOverhead = 256

// Cache keeps vectors of any number of models; the least recently asked for goes first. Any number of goroutines may use it.
type Cache struct {
	o Options

	mu      sync.Mutex
	entries map[key]*list.Element // of *entry
	recent  *list.List            // most recent first
	bytes   int
	flights map[key]*flight
}

// key is of a cryptographic hash, so that nobody can make two texts share a vector.
type key struct {
	fingerprint string
	text        [sha256.Size]byte
}

type entry struct {
	key
	vector rag.Embedding
}

func (e *entry) size() int { return 4*len(e.vector) + entryOverhead }

// flight is a text on its way through the model. Whoever found it missing embeds it, in its own goroutine and under its own context; the others wait.
type flight struct {
	done      chan struct{} // closed when what is below is final
	vector    rag.Embedding
	err       error
	abandoned bool // whoever embedded it left or broke down: that says nothing about the text
}

// New makes a Cache.
func New(o Options) *Cache {
	if o.Bytes == 0 {
		o.Bytes = 256 << 20
	}
	if o.Observe == nil {
		o.Observe = func(Outcome) {}
	}
	return &Cache{o: o, entries: map[key]*list.Element{}, recent: list.New(), flights: map[key]*flight{}}
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
// A caller whose context ends leaves at once, and those who ask for the same text get it all the same; an error of the model is given to all who waited and is not kept.
func (e *Cached) EmbedQueries(ctx context.Context, texts []string) ([]rag.Embedding, error) {
	if len(texts) != 1 {
		return e.Embedder.EmbedQueries(ctx, texts)
	}
	v, err := e.cache.vector(ctx, key{e.fingerprint, sha256.Sum256([]byte(texts[0]))}, func() (rag.Embedding, error) {
		vectors, err := e.Embedder.EmbedQueries(ctx, texts)
		if err != nil {
			return nil, err
		}
		return vectors[0], nil
	})
	if err != nil {
		return nil, err
	}
	return []rag.Embedding{v}, nil
}

// vector finds the vector of k, or has embed make it unless another caller is at it.
func (c *Cache) vector(ctx context.Context, k key, embed func() (rag.Embedding, error)) (rag.Embedding, error) {
	for outcome := Hit; ; {
		c.mu.Lock()
		if v := c.find(k); v != nil {
			c.mu.Unlock()
			c.o.Observe(outcome)
			return slices.Clone(v), nil
		}
		f, flying := c.flights[k]
		if !flying {
			f = &flight{done: make(chan struct{})}
			c.flights[k] = f
		}
		c.mu.Unlock()
		if !flying {
			c.o.Observe(Miss)
			return c.fly(ctx, k, f, embed)
		}
		outcome = Shared
		select {
		case <-f.done:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		switch {
		case f.abandoned: // it is somebody else's turn
		case f.err != nil:
			return nil, f.err
		default:
			c.o.Observe(Shared)
			return slices.Clone(f.vector), nil
		}
	}
}

// fly embeds for all who wait for f.
func (c *Cache) fly(ctx context.Context, k key, f *flight, embed func() (rag.Embedding, error)) (rag.Embedding, error) {
	f.abandoned = true // stays so when embed panics, which its caller then deals with
	defer func() {
		c.mu.Lock()
		delete(c.flights, k)
		if f.vector != nil {
			c.keep(&entry{k, f.vector})
		}
		c.mu.Unlock()
		close(f.done)
	}()
	v, err := embed()
	f.abandoned = err != nil && ctx.Err() != nil
	f.vector, f.err = slices.Clone(v), err
	return v, err
}

// find is the vector of k, nil when it is not kept. The caller has the lock.
func (c *Cache) find(k key) rag.Embedding {
	at := c.entries[k]
	if at == nil {
		return nil
	}
	c.recent.MoveToFront(at)
	return at.Value.(*entry).vector
}

// keep adds an entry, of a key that is not there, and lets go of the oldest that there is no room for. The caller has the lock.
func (c *Cache) keep(e *entry) {
	c.entries[e.key] = c.recent.PushFront(e)
	c.bytes += e.size()
	for c.recent.Len() > c.o.Entries || c.bytes > c.o.Bytes {
		oldest := c.recent.Remove(c.recent.Back()).(*entry)
		delete(c.entries, oldest.key)
		c.bytes -= oldest.size()
	}
}
