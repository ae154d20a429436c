package main

import (
	"context"
	"runtime"
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"footnote/internal/config"
	embedcache "footnote/internal/embed/cache"
	embedlocal "footnote/internal/embed/local"
	"footnote/internal/embed/openai"
	"footnote/internal/rag"
	"footnote/internal/simd"
)

// embedder is what the built-in model and the endpoint's client have in common.
type embedder interface {
	EmbedQueries(ctx context.Context, texts []string) ([]rag.Embedding, error)
	EmbedDocuments(ctx context.Context, texts []string) ([]rag.Embedding, error)
	Model() string
	Fingerprint() string
	Dimensions() int
	MaxTokens() int
	CountTokens(text string) int
}

// openEmbedder opens the model that new collections are embedded with.
func openEmbedder(ctx context.Context, c config.Config) (embedder, error) {
	if err := simd.Select(c.CPU); err != nil {
		return nil, exitError{exitUsage, err}
	}
	return openModel(ctx, c.EmbedFolder(), openai.Options{BaseURL: c.EmbedBaseURL, Model: c.EmbedModel, APIKey: c.EmbedAPIKey.Reveal(), Dimensions: c.EmbedDimensions})
}

// openOther opens the model that collections can be re-embedded with, or were until now; nil when none is named.
func openOther(ctx context.Context, c config.Config) (embedder, error) {
	if c.OtherModel == "" {
		return nil, nil
	}
	return openModel(ctx, c.OtherFolder(), openai.Options{BaseURL: c.OtherBaseURL, Model: c.OtherModel, APIKey: c.OtherAPIKey.Reveal(), Dimensions: c.OtherDimensions})
}

// openModel opens a model in a folder, when one is named; else the built-in one, unless there is an endpoint.
func openModel(ctx context.Context, f config.Folder, endpoint openai.Options) (embedder, error) {
	switch {
	case f.Path != "":
		return openFolder(f)
	case endpoint.BaseURL == "":
		return builtIn(f.Precision)
	}
	return openai.New(ctx, endpoint)
}

// builtIn is the built-in model. Its weights are held once for each precision.
func builtIn(precision string) (embedder, error) {
	if precision == config.Float32 {
		return builtInFloat32()
	}
	return builtInInt8()
}

var (
	builtInInt8    = sync.OnceValues(func() (embedder, error) { return embedlocal.New(embedlocal.Options{Threads: cores()}) })
	builtInFloat32 = sync.OnceValues(func() (embedder, error) {
		return embedlocal.New(embedlocal.Options{Precision: embedlocal.Float32, Threads: cores()})
	})
)

// cores is how many cores a model in this process computes on: all that the process has. It computes in assembly, which nobody interrupts, and while every processor of Go's
// scheduler does so nobody looks for news from the network but a timer, every 10 ms. So there is one processor more: it sleeps until a request comes, and then the system gives it a core.
var cores = sync.OnceValue(func() int {
	n := runtime.GOMAXPROCS(0)
	runtime.GOMAXPROCS(n + 1)
	return n
})

// openFolder opens a model from a folder.
func openFolder(f config.Folder) (embedder, error) {
	prefix := func(p string) *string {
		switch p {
		case "":
			return nil
		case config.NoPrefix:
			p = ""
		}
		return &p
	}
	// Whoever names a model wants its vectors: rounding is for those who ask. The built-in one was measured with it.
	o := embedlocal.FolderOptions{QueryPrefix: prefix(f.Query), DocumentPrefix: prefix(f.Document)}
	o.Threads = cores()
	if f.Precision != config.Int8 {
		o.Precision = embedlocal.Float32
	}
	return embedlocal.OpenFolder(f.Path, o)
}

// cacheQueries puts one cache in front of every model.
func (a *app) cacheQueries(registry *prometheus.Registry) {
	if a.config.EmbedCache == 0 {
		return
	}
	hits := prometheus.NewCounter(prometheus.CounterOpts{Name: "footnote_embed_cache_hits_total", Help: "Queries whose vector was there, or on its way for another request."})
	misses := prometheus.NewCounter(prometheus.CounterOpts{Name: "footnote_embed_cache_misses_total", Help: "Queries that went through the model."})
	registry.MustRegister(hits, misses)
	a.queries = embedcache.New(embedcache.Options{Entries: a.config.EmbedCache, Observe: func(hit bool) {
		if hit {
			hits.Inc()
		} else {
			misses.Inc()
		}
	}})
	a.embedder = a.queries.Over(a.embedder)
	for i, e := range a.others {
		a.others[i] = a.queries.Over(e)
	}
}

// searchCores is how many cores a search can use: the dense list is made on one and the lexical list on another.
const searchCores = 2

// spareCores makes what searches call when they turn to the index: models in this process then leave them cores while they embed documents, until what that returns is called. nil: there is nothing to spare.
func (a *app) spareCores() func() (end func()) {
	var models []interface{ Spare(cores int) func() }
	for _, e := range append([]embedder{a.embedder}, a.others...) {
		if m, ok := e.(interface{ Spare(cores int) func() }); ok {
			models = append(models, m)
		}
	}
	if len(models) == 0 || a.config.Qdrant() { // an index elsewhere computes elsewhere
		return nil
	}
	return func() func() {
		var ends []func()
		for _, m := range models {
			ends = append(ends, m.Spare(searchCores))
		}
		return func() {
			for _, end := range ends {
				end()
			}
		}
	}
}
