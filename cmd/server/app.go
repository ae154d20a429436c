package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"golang.org/x/sync/errgroup"

	"footnote/internal/answer"
	"footnote/internal/config"
	embedcache "footnote/internal/embed/cache"
	embedlocal "footnote/internal/embed/local"
	"footnote/internal/embed/openai"
	"footnote/internal/httpapi"
	"footnote/internal/ingest"
	"footnote/internal/llm"
	"footnote/internal/rag"
	"footnote/internal/search"
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

// catalog is what every room asks of the truth.
type catalog interface {
	ingest.Catalog
	search.Catalog
	answer.Catalog
	answer.Collections
	httpapi.Catalog
	Installation(ctx context.Context) (string, error)
	Check(ctx context.Context) error
	Close() error
}

// index is what every room asks of the index.
type index interface {
	ingest.Index
	search.Index
}

// app is the service, wired.
type app struct {
	config   config.Config
	log      *slog.Logger
	lock     *os.File // of the data folder; nil when another store is used
	catalog  catalog
	index    index
	closers  []func() error
	embedder embedder
	tokens   search.TokenEmbedder // the embedder's, when it gives token states
	others   []embedder           // of collections on their way to another model
	queries  *embedcache.Cache    // of all models; nil when none is wanted
	ingest   *ingest.Service
	search   *search.Service
	answer   *answer.Service
	streams  *httpapi.Streams
	answers  answer.Options
	handler  http.Handler
	stages   *prometheus.HistogramVec
}

// errInUse says that another process has the data folder; Address is where it listens, when it said so.
type errInUse struct{ Folder, Address string }

func (e errInUse) Error() string {
	return fmt.Sprintf("the data folder %s is in use by another footnote process; stop it, or name another folder with --data", e.Folder)
}

func openEmbedder(ctx context.Context, c config.Config, log *slog.Logger) (embedder, error) {
	if err := simd.Select(c.CPU); err != nil {
		return nil, exitError{exitUsage, err}
	}
	switch f := c.EmbedFolder(); {
	case f.Path != "":
		return openFolder(f)
	case c.EmbedBaseURL == "":
		return builtIn(f.Precision)
	}
	return openai.New(ctx, openai.Options{
		BaseURL: c.EmbedBaseURL, Model: c.EmbedModel, APIKey: c.EmbedAPIKey.Reveal(), Dimensions: c.EmbedDimensions,
	})
}

// cores is how many cores a model in this process computes on: all that the process has. It computes in assembly, which nobody interrupts, and while every processor of Go's
// scheduler does so nobody looks for news from the network but a timer, every 10 ms. So there is one processor more: it sleeps until a request comes, and then the system gives it a core.
var cores = sync.OnceValue(func() int {
	n := runtime.GOMAXPROCS(0)
	runtime.GOMAXPROCS(n + 1)
	return n
})

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

// openOther opens the model that collections can be re-embedded with, or were until now; nil when none is named.
func openOther(ctx context.Context, c config.Config) (embedder, error) {
	switch f := c.OtherFolder(); {
	case f.Path != "":
		return openFolder(f)
	case c.OtherModel == "":
		return nil, nil
	case c.OtherBaseURL == "":
		return builtIn(f.Precision)
	}
	return openai.New(ctx, openai.Options{BaseURL: c.OtherBaseURL, Model: c.OtherModel, APIKey: c.OtherAPIKey.Reveal(), Dimensions: c.OtherDimensions})
}

// openApp opens the store and wires every room. The caller runs app.run and closes.
func openApp(ctx context.Context, c config.Config, log *slog.Logger) (_ *app, err error) {
	a := &app{config: c, log: log}
	defer func() {
		if err != nil {
			a.close()
		}
	}()
	if c.UsesFolder() {
		if err := os.MkdirAll(c.Data, 0o700); err != nil {
			return nil, fmt.Errorf("make the data folder: %w", err)
		}
	}
	if !c.Postgres() {
		if err := a.takeLock(); err != nil {
			return nil, err
		}
	}
	o := ingest.Options{Logger: log, Build: build(), Workers: c.Workers, Lease: c.JobLease, Failpoint: failpoint(), Checkpoint: checkpointEvery()}
	opening, openCtx := errgroup.WithContext(ctx)
	opening.Go(func() (err error) {
		a.embedder, err = openEmbedder(ctx, c, log)
		return err
	})
	opening.Go(func() error {
		other, err := openOther(openCtx, c)
		if other != nil {
			a.others = append(a.others, other)
		}
		return err
	})
	opening.Go(func() error { return a.openCatalog(openCtx, &o) })
	if err := opening.Wait(); err != nil {
		return nil, err
	}
	if o.Blobs, err = a.openBlobs(ctx); err != nil {
		return nil, err
	}
	ready, err := a.openIndex(ctx, &o)
	if err != nil {
		return nil, err
	}
	registry := prometheus.NewRegistry()
	if tokens, ok := a.embedder.(search.TokenEmbedder); ok { // before the cache of queries stands in front of it
		a.tokens = embedcache.OverStates(tokens, embedcache.StatesOptions{Fingerprint: a.embedder.Fingerprint()})
	}
	var centre answer.Centre
	if local, ok := a.embedder.(*embedlocal.Embedder); ok {
		centre = local.StateCentring()
	}
	spare := a.spareCores()
	a.cacheQueries(registry)
	o.Catalog, o.Index, o.Embedder = a.catalog, a.index, a.embedder
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	a.stages = prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "footnote_stage_duration_seconds", Help: "Duration of a pipeline stage.",
		Buckets: prometheus.ExponentialBuckets(0.0001, 4, 10),
	}, []string{"stage"})
	registry.MustRegister(a.stages)
	observe := func(stage string, d time.Duration) { a.stages.WithLabelValues(stage).Observe(d.Seconds()) }

	o.Observe = observe
	searching := search.Options{Catalog: a.catalog, Documents: a.catalog, Index: a.index, Embedder: a.embedder, Tokens: a.tokens, Rerank: rag.Rerank(c.Rerank), RerankTimeout: c.RerankTimeout, Logger: log, Observe: observe, Begin: spare}
	if c.RerankBaseURL != "" {
		searching.Endpoint = llm.NewReranker(llm.RerankOptions{BaseURL: c.RerankBaseURL, Model: c.RerankModel, APIKey: c.RerankAPIKey.Reveal()})
	}
	degraded := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "footnote_search_degraded_total", Help: "Searches that left a stage out because it failed."}, []string{"stage"})
	registry.MustRegister(degraded)
	searching.Degraded = func(stage string) { degraded.WithLabelValues(stage).Inc() }
	for _, e := range a.others {
		o.Others, searching.Others = append(o.Others, e), append(searching.Others, e)
	}
	a.search = search.New(searching)
	o.Evaluate = a.evaluate
	o.CheckPrompt = answer.CheckPrompt
	if c.OCRBaseURL != "" {
		o.Transcribe = llm.New(llm.Options{BaseURL: c.OCRBaseURL, Model: c.OCRModel, APIKey: c.OCRAPIKey.Reveal(), Timeout: c.OCRTimeout, Setting: "FOOTNOTE_OCR", Logger: log}).Transcribe
	}
	a.ingest = ingest.New(o)
	if !c.Qdrant() {
		if err := a.ingest.Replay(ctx); err != nil {
			return nil, fmt.Errorf("bring the index up to date with the catalog: %w", err)
		}
		// When the work has ended and before the stores are closed, so that the next start has nothing to replay.
		a.closers = append(a.closers, func() error {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
			defer cancel()
			return a.ingest.Checkpoint(ctx)
		})
	}
	answering := answer.Options{Search: a.search, Embedder: a.embedder, Tokens: a.tokens, Centre: centre, Catalog: a.catalog, Fallback: c.AnswerFallback, Logger: log, Observe: observe,
		Collections: a.catalog, Timeout: c.LLMTimeout, Window: llm.New(llm.Options{Window: c.LLMContext})}
	answering.Defaults = rag.Generation{Temperature: &c.LLMTemperature, Seed: c.LLMSeed, MaxTokens: c.LLMMaxTokens}
	settings, endpoints := c.LLMs()
	for i, e := range endpoints {
		chat := llm.New(llm.Options{BaseURL: e.BaseURL, Model: e.Model, APIKey: e.APIKey.Reveal(), Window: e.Context, Timeout: c.LLMTimeout, Setting: settings[i], Logger: log})
		if i == 0 {
			answering.Chat = chat
		} else {
			answering.Others = append(answering.Others, chat)
		}
	}
	answering.Judge = openJudge(c, log)
	a.streams = httpapi.NewStreams(c.StreamGrace)
	a.closers = append(a.closers, func() error { // before the stores that answers are made of
		now, cancel := context.WithCancel(context.WithoutCancel(ctx))
		cancel()
		a.streams.Shutdown(now)
		return nil
	})
	a.answers = answering
	a.answer = answer.New(answering)
	serving := httpapi.Options{
		Ingest: a.ingest, Catalog: a.catalog, Originals: o.Blobs, Search: a.search, Answer: a.answer, Prompts: a.answer, Embedders: []httpapi.Embedder{a.embedder}, Logger: log, Registry: registry,
		APIKey: c.APIKey.Reveal(), CORSOrigins: c.CORSOrigins, Version: version, Ready: ready, Observe: observe, Streams: a.streams,
	}
	for _, e := range a.others {
		serving.Embedders = append(serving.Embedders, e)
	}
	a.handler = httpapi.New(serving)
	return a, nil
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

// run works on jobs until ctx ends; it returns when the work in hand is finished or queued again.
func (a *app) run(ctx context.Context) error {
	if err := a.ingest.Run(ctx); err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

func (a *app) close() {
	for _, c := range slices.Backward(a.closers) {
		if err := c(); err != nil {
			a.log.Error("close a store", "error", err)
		}
	}
	if a.lock != nil {
		a.lock.Close()
	}
}

// takeLock keeps a second process out of the data folder: the index lives in the process, so two would not see each other's writes.
func (a *app) takeLock() error {
	f, err := os.OpenFile(filepath.Join(a.config.Data, "footnote.lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("open the lock file: %w", err)
	}
	ok, err := lockFile(f)
	if err == nil && !ok {
		address, _ := os.ReadFile(f.Name())
		err = errInUse{a.config.Data, strings.TrimSpace(string(address))}
	}
	if err != nil {
		f.Close()
		return err
	}
	a.lock = f
	return f.Truncate(0)
}

// announce writes the address of the service into the lock file, for commands that find the folder in use.
func (a *app) announce(address string) error {
	if a.lock == nil {
		return nil
	}
	_, err := a.lock.WriteAt([]byte("http://"+address+"\n"), 0)
	return err
}

// connect returns a client and a function that ends it: of the service at server, when named; of the one that has the data
// folder, when it runs; else of this very process.
func (p *program) connect(ctx context.Context, server string) (*client, func(), error) {
	c, err := p.config()
	if err != nil {
		return nil, nil, err
	}
	if server != "" {
		return newClient(server, c.APIKey.Reveal()), func() {}, nil
	}
	if c.LogLevel == "info" {
		c.LogLevel = "warn" // a command's own lines are the news here
	}
	a, err := openApp(ctx, c, p.logger(c, p.stderr))
	var busy errInUse
	if errors.As(err, &busy) && busy.Address != "" {
		return newClient(busy.Address, c.APIKey.Reveal()), func() {}, nil
	}
	if err != nil {
		return nil, nil, err
	}
	return inProcess(a.handler, c.APIKey.Reveal()), a.start(ctx), nil
}

// start runs the workers in the background; the returned function stops them, waits and closes.
func (a *app) start(ctx context.Context) func() {
	ctx, stop := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := a.run(ctx); err != nil {
			a.log.Error("worker", "error", err)
		}
	}()
	return func() {
		stop()
		<-done
		a.close()
	}
}
