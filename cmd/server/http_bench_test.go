package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"footnote/internal/catalog/sqlite"
	"footnote/internal/config"
	"footnote/internal/eval"
	"footnote/internal/evaldata"
	"footnote/internal/httpapi"
	"footnote/internal/index/sample"
	"footnote/internal/rag"
)

// BenchmarkHTTP_SearchBesideEcho sets a hybrid POST /v1/search, top_k 10, of 100,000 chunks (BENCH_CHUNKS) beside an echo: the same request to the same routes, middleware and encoder, where in the place of the
// search a hit stands ready whose text makes the answer as long. The two take turns, request by request, over kept connections. The queries are real and their vectors cached; documents are recombined from real sentences, their
// vectors grown from real ones (INDEX_VECTORS, as internal/e2e/vectors writes it). Then the searches are timed while real documents are taken in as fast as the service can. BENCH_FOLDER keeps the store for the next run.
//
//	make bench-http EVAL_DATA=…
func BenchmarkHTTP_SearchBesideEcho(b *testing.B) {
	vectors := os.Getenv("INDEX_VECTORS")
	if vectors == "" {
		b.Skip("INDEX_VECTORS is not set: make bench-http makes the file that it names")
	}
	texts, err := sample.ReadTexts(evaldata.Path(b, "retrieval"), "scifact", "cranfield", "xquad-en", "rgb-zh", "dureader-robust-dev-half", "cmrc2018", "drcd-dev")
	if err != nil {
		b.Fatal(err)
	}
	folder := os.Getenv("BENCH_FOLDER")
	if folder == "" {
		folder = b.TempDir()
	}
	chunks := 100_000
	if v := os.Getenv("BENCH_CHUNKS"); v != "" {
		if chunks, err = strconv.Atoi(v); err != nil {
			b.Fatal(err)
		}
	}
	open := func() *app {
		c, err := config.Load([]string{"FOOTNOTE_DATA=" + folder}, "", nil)
		if err != nil {
			b.Fatal(err)
		}
		a, err := openApp(b.Context(), c, slog.New(slog.NewTextHandler(io.Discard, nil)))
		if err != nil {
			b.Fatal(err)
		}
		return a
	}
	a := open()
	if _, err := a.catalog.Collection(b.Context(), "bench"); err != nil {
		fill(b, a, vectors, texts, chunks)
		a.close()
		a = open() // it finds that the index lacks them
	}
	defer a.start(b.Context())()

	quoting := func(q string) bool { return strings.ContainsAny(q, `"“”「『«`) } // a phrase that every hit must have leaves too few
	queries := slices.DeleteFunc(slices.Clone(texts.Queries), quoting)[:100]
	search := post(b, a.handler)
	echo := &readyHits{hits: map[string]rag.Hits{}}
	reply := post(b, httpapi.New(httpapi.Options{Catalog: a.catalog, Search: echo, Logger: slog.New(slog.NewTextHandler(io.Discard, nil)), Registry: prometheus.NewRegistry()}))
	for _, q := range queries {
		echo.calibrate(b, q, search, reply)
	}
	var ours, theirs []time.Duration
	var oursComputed, theirsComputed time.Duration
	stages := map[string][]time.Duration{}
	timed := func(f func(string) []byte, q string, computed *time.Duration) time.Duration {
		before, started := processorTime(), time.Now()
		body := f(q)
		took := time.Since(started)
		*computed += processorTime() - before
		var got rankedJSON
		if err := json.Unmarshal(body, &got); err != nil {
			b.Fatal(err)
		}
		for stage, ms := range got.Timings {
			stages[stage] = append(stages[stage], time.Duration(ms*1e6))
		}
		return took
	}
	turn := 0
	for b.Loop() {
		q := queries[turn/2%len(queries)]
		if turn%2 == 0 {
			ours, theirs = append(ours, timed(search, q, &oursComputed)), append(theirs, timed(reply, q, &theirsComputed))
		} else {
			theirs, ours = append(theirs, timed(reply, q, &theirsComputed)), append(ours, timed(search, q, &oursComputed))
		}
		turn++
	}
	ms := func(d []time.Duration, q float64) float64 {
		s := slices.Sorted(slices.Values(d))
		return float64(s[min(int(q*float64(len(s))), len(s)-1)].Nanoseconds()) / 1e6
	}
	b.ReportMetric(ms(ours, 0.5), "ms-p50")
	b.ReportMetric(ms(ours, 0.99), "ms-p99")
	b.ReportMetric(ms(theirs, 0.5), "ms-echo-p50")
	b.ReportMetric(ms(ours, 0.5)/ms(theirs, 0.5), "times-echo")
	b.ReportMetric(oursComputed.Seconds()/theirsComputed.Seconds(), "times-echo's-processor-time")
	for _, stage := range []string{"dense", "lexical", "fuse", "hydrate", "total"} {
		b.ReportMetric(ms(stages[stage], 0.5), "ms-"+stage+"-p50")
	}
	b.ReportMetric(0, "ns/op")

	if os.Getenv("BENCH_INGEST") == "0" {
		return
	}
	ingesting, stop := context.WithCancel(b.Context())
	done := make(chan int)
	go func() { done <- takeIn(ingesting, b, a, texts) }()
	started := time.Now()
	var busy []time.Duration
	for i := 0; time.Since(started) < 20*time.Second; i++ {
		var ignored time.Duration
		busy = append(busy, timed(search, queries[i%len(queries)], &ignored))
		time.Sleep(2 * time.Millisecond) // so that the queries meet every stage of the ingest
	}
	stop()
	b.ReportMetric(float64(<-done)/time.Since(started).Seconds(), "documents/s")
	b.ReportMetric(ms(busy, 0.5), "ms-ingest-p50")
	b.ReportMetric(ms(busy, 0.99), "ms-ingest-p99")
	b.ReportMetric(ms(busy, 0.99)/ms(busy, 0.5), "ingest-p99/p50")
}

// fill makes the collection of documents of 20 chunks, past the pipeline: embedding them would take an hour.
func fill(b *testing.B, a *app, vectors string, texts *sample.Texts, chunks int) {
	b.Helper()
	const perDocument = 20
	real, err := sample.ReadVectors(vectors)
	if err != nil {
		b.Fatal(err)
	}
	if real.Dims != a.embedder.Dimensions() {
		b.Fatalf("%s has vectors of %d dimensions, and the model has %d", vectors, real.Dims, a.embedder.Dimensions())
	}
	flat := real.Grow(chunks, 1)
	c, err := a.ingest.CreateCollection(b.Context(), rag.Collection{Name: "bench"})
	if err != nil {
		b.Fatal(err)
	}
	for d := range chunks / perDocument {
		v := rag.Version{Document: rag.Document{
			ID: rag.NewDocumentID(), Collection: c.ID, ExternalID: fmt.Sprintf("reports/%05d.md", d), Title: fmt.Sprint("Report ", d), Version: 1, MediaType: "text/markdown", Language: "en",
			Metadata: rag.Metadata{"team": []string{"hr", "it", "law"}[d%3], "year": float64(2000 + d%25)},
		}}
		var text strings.Builder
		runes := 0
		for i := range perDocument {
			n := d*perDocument + i
			passage := strings.ToValidUTF8(texts.Passage(n), "")
			length := len([]rune(passage))
			v.Chunks = append(v.Chunks, rag.Chunk{
				ID: rag.NewChunkID(v.Document.ID, passage, 0), Document: v.Document.ID, Version: 1, Ordinal: i, Span: rag.Span{Start: runes, End: runes + length}, HeadingPath: []string{"Findings"}, Text: passage,
			})
			v.Embeddings = append(v.Embeddings, flat[n*real.Dims:][:real.Dims])
			text.WriteString(passage)
			runes += length
		}
		v.Text = text.String()
		if err := a.catalog.(*sqlite.Store).ImportDocument(b.Context(), v); err != nil {
			b.Fatal(err)
		}
	}
}

// post serves a handler and returns a function that searches there and returns the answer's body.
func post(b *testing.B, h http.Handler) func(query string) []byte {
	b.Helper()
	srv := httptest.NewServer(h)
	b.Cleanup(srv.Close)
	return func(query string) []byte {
		in, err := json.Marshal(map[string]any{"query": query, "collections": []string{"bench"}, "top_k": 10})
		if err != nil {
			b.Fatal(err)
		}
		resp, err := srv.Client().Post(srv.URL+"/v1/search", "application/json", bytes.NewReader(in))
		if err != nil {
			b.Fatal(err)
		}
		defer resp.Body.Close()
		out, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode != 200 {
			b.Fatalf("got %d, %v: %s", resp.StatusCode, err, out)
		}
		return out
	}
}

// processorTime is what the process has computed. Other work may share the machine, so it says more than the clock.
func processorTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// readyHits answers each query with what stands ready for it.
type readyHits struct{ hits map[string]rag.Hits }

func (r *readyHits) Search(_ context.Context, q rag.Query) (rag.Hits, error) {
	return r.hits[q.Text], nil
}

// calibrate makes the echo's answer as long as the search's, of the same text.
func (r *readyHits) calibrate(b *testing.B, query string, search, reply func(string) []byte) {
	b.Helper()
	search(query) // embeds the query
	want := search(query)
	var found struct {
		Hits []struct{ Chunk struct{ Text string } }
	}
	if err := json.Unmarshal(want, &found); err != nil || len(found.Hits) != 10 {
		b.Fatalf("%s: %d hits, %v", query, len(found.Hits), err)
	}
	var text strings.Builder
	for _, h := range found.Hits {
		text.WriteString(h.Chunk.Text)
	}
	set := func(text string) int {
		r.hits[query] = rag.Hits{Hits: []rag.Hit{{Rank: 1, Chunk: rag.Chunk{Text: text}}}, Timings: rag.Timings{}}
		return len(reply(query))
	}
	short := len(want) - set(text.String())
	if short < 0 {
		b.Fatalf("%s: the texts alone make a longer answer", query)
	}
	if got := set(text.String() + strings.Repeat(" ", short)); got != len(want) {
		b.Fatalf("the echo has %d bytes, want %d", got, len(want))
	}
}

// takeIn takes documents in through the whole pipeline until ctx ends; it returns how many became active.
func takeIn(ctx context.Context, b *testing.B, a *app, texts *sample.Texts) (documents int) {
	if _, err := a.ingest.CreateCollection(ctx, rag.Collection{Name: "taken-in"}); err != nil && rag.CodeOf(err) != rag.Conflict {
		b.Error(err)
		return 0
	}
	// Other texts in every run: what a store that was kept has embedded already would cost nothing.
	for at := 10_000_000 + int(time.Now().Unix()%1e6)*1000; ctx.Err() == nil; at += 64 {
		batch := make([]eval.Document, 64)
		for i := range batch {
			batch[i] = eval.Document{ID: fmt.Sprint(time.Now().UnixNano(), i), Text: texts.Passage(at + i)}
		}
		if err := (&evaluated{app: a, collection: "taken-in"}).Add(ctx, batch); err == nil {
			documents += len(batch)
		} else if ctx.Err() == nil {
			b.Error(err)
			return documents
		}
	}
	return documents
}
