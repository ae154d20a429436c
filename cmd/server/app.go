package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"golang.org/x/sync/errgroup"

	"footnote/internal/answer"
	"footnote/internal/config"
	embedcache "footnote/internal/embed/cache"
	embedlocal "footnote/internal/embed/local"
	"footnote/internal/httpapi"
	"footnote/internal/ingest"
	"footnote/internal/llm"
	"footnote/internal/rag"
	"footnote/internal/search"
)

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
		a.embedder, err = openEmbedder(ctx, c)
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
	if tokens, ok := a.embedder.(search.TokenEmbedder); ok { // before the cache of queries stands in front of it
		a.tokens = embedcache.OverStates(tokens, embedcache.StatesOptions{Fingerprint: a.embedder.Fingerprint()})
	}
	var centre answer.Centre
	if local, ok := a.embedder.(*embedlocal.Embedder); ok {
		centre = local.StateCentring()
	}
	spare := a.spareCores()
	registry := prometheus.NewRegistry()
	a.cacheQueries(registry)
	observe := a.observeStages(registry)
	a.search = a.openSearch(registry, observe, spare)
	if err := a.openIngest(ctx, o, observe); err != nil {
		return nil, err
	}
	a.answers = a.answerOptions(centre, observe)
	a.answer = answer.New(a.answers)
	a.streams = httpapi.NewStreams(c.StreamGrace)
	a.closers = append(a.closers, func() error { // before the stores that answers are made of
		now, cancel := context.WithCancel(context.WithoutCancel(ctx))
		cancel()
		a.streams.Shutdown(now)
		return nil
	})
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

// observeStages registers what is known of the process and how long each stage takes, and returns what the rooms tell the latter.
func (a *app) observeStages(registry *prometheus.Registry) func(stage string, d time.Duration) {
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	a.stages = prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "footnote_stage_duration_seconds", Help: "Duration of a pipeline stage.",
		Buckets: prometheus.ExponentialBuckets(0.0001, 4, 10),
	}, []string{"stage"})
	registry.MustRegister(a.stages)
	return func(stage string, d time.Duration) { a.stages.WithLabelValues(stage).Observe(d.Seconds()) }
}

// openSearch wires the search; spare is what it calls when it turns to the index.
func (a *app) openSearch(registry *prometheus.Registry, observe func(stage string, d time.Duration), spare func() (end func())) *search.Service {
	c := a.config
	o := search.Options{Catalog: a.catalog, Documents: a.catalog, Index: a.index, Embedder: a.embedder, Tokens: a.tokens, Rerank: rag.Rerank(c.Rerank), RerankTimeout: c.RerankTimeout, Logger: a.log, Observe: observe, Begin: spare}
	if c.RerankBaseURL != "" {
		o.Endpoint = llm.NewReranker(llm.RerankOptions{BaseURL: c.RerankBaseURL, Model: c.RerankModel, APIKey: c.RerankAPIKey.Reveal()})
	}
	degraded := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "footnote_search_degraded_total", Help: "Searches that left a stage out because it failed."}, []string{"stage"})
	registry.MustRegister(degraded)
	o.Degraded = func(stage string) { degraded.WithLabelValues(stage).Inc() }
	for _, e := range a.others {
		o.Others = append(o.Others, e)
	}
	return search.New(o)
}

// openIngest wires what takes documents in, and brings an index in this process up to date. o has the stores.
func (a *app) openIngest(ctx context.Context, o ingest.Options, observe func(stage string, d time.Duration)) error {
	c := a.config
	o.Catalog, o.Index, o.Embedder = a.catalog, a.index, a.embedder
	for _, e := range a.others {
		o.Others = append(o.Others, e)
	}
	o.Observe = observe
	o.Evaluate = a.evaluate
	o.CheckPrompt = answer.CheckPrompt
	if c.OCRBaseURL != "" {
		o.Transcribe = llm.New(llm.Options{BaseURL: c.OCRBaseURL, Model: c.OCRModel, APIKey: c.OCRAPIKey.Reveal(), Timeout: c.OCRTimeout, Setting: "FOOTNOTE_OCR", Logger: a.log}).Transcribe
	}
	a.ingest = ingest.New(o)
	if c.Qdrant() {
		return nil
	}
	if err := a.ingest.Replay(ctx); err != nil {
		return fmt.Errorf("bring the index up to date with the catalog: %w", err)
	}
	// When the work has ended and before the stores are closed, so that the next start has nothing to replay.
	a.closers = append(a.closers, func() error {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
		defer cancel()
		return a.ingest.Checkpoint(ctx)
	})
	return nil
}

// answerOptions wires the answers, with the language models that are named, in the order in which they are asked.
func (a *app) answerOptions(centre answer.Centre, observe func(stage string, d time.Duration)) answer.Options {
	c := a.config
	o := answer.Options{Search: a.search, Embedder: a.embedder, Tokens: a.tokens, Centre: centre, Catalog: a.catalog, Fallback: c.AnswerFallback, Logger: a.log, Observe: observe,
		Collections: a.catalog, Timeout: c.LLMTimeout, Window: llm.New(llm.Options{Window: c.LLMContext}), Judge: openJudge(c, a.log)}
	o.Defaults = rag.Generation{Temperature: &c.LLMTemperature, Seed: c.LLMSeed, MaxTokens: c.LLMMaxTokens}
	settings, endpoints := c.LLMs()
	for i, e := range endpoints {
		chat := llm.New(llm.Options{BaseURL: e.BaseURL, Model: e.Model, APIKey: e.APIKey.Reveal(), Window: e.Context, Timeout: c.LLMTimeout, Setting: settings[i], Logger: a.log})
		if i == 0 {
			o.Chat = chat
		} else {
			o.Others = append(o.Others, chat)
		}
	}
	return o
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
