package main

import (
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"footnote/internal/catalog/sqlite"
	"footnote/internal/config"
	"footnote/internal/rag"
)

// BenchmarkRestart_FirstRightAnswer opens the service and asks it something, in turns on a store of 20,000 chunks, on the same store without the index's files, as every start was before there were any, and on an
// empty one. BENCH_CHUNKS sets another number.
//
//	go test ./cmd/server -run xxx -bench FirstRightAnswer -benchtime 5x
func BenchmarkRestart_FirstRightAnswer(b *testing.B) {
	const dims, perDocument = 384, 20
	chunks := 20_000
	if v := os.Getenv("BENCH_CHUNKS"); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil {
			b.Fatal(err)
		}
		chunks = n
	}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { letters(w, r, dims) }))
	defer srv.Close()
	open := func(folder string) *app {
		c, err := config.Load([]string{"FOOTNOTE_DATA=" + folder, "FOOTNOTE_EMBED_BASE_URL=" + srv.URL + "/v1", "FOOTNOTE_EMBED_MODEL=letters"}, "", nil)
		if err != nil {
			b.Fatal(err)
		}
		a, err := openApp(b.Context(), c, slog.New(slog.DiscardHandler))
		if err != nil {
			b.Fatal(err)
		}
		return a
	}
	full, bare, empty := b.TempDir(), b.TempDir(), b.TempDir()
	a := open(full)
	c, err := a.ingest.CreateCollection(b.Context(), rag.Collection{Name: "c"})
	if err != nil {
		b.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 2))
	for d := range chunks / perDocument {
		v := rag.Version{Document: rag.Document{ID: rag.NewDocumentID(), Collection: c.ID, ExternalID: fmt.Sprint("d", d), Version: 1, Metadata: rag.Metadata{"n": float64(d)}}}
		for i := range perDocument {
			text := fmt.Sprintf("chunk%dchunk ", d*perDocument+i)
			for range 60 {
				text += fmt.Sprintf("w%d ", int(math.Exp(r.Float64()*11)))
			}
			e, norm := make(rag.Embedding, dims), 0.0
			for j := range e {
				x := r.NormFloat64()
				e[j], norm = float32(x), norm+x*x
			}
			for j := range e {
				e[j] /= float32(math.Sqrt(norm))
			}
			v.Chunks = append(v.Chunks, rag.Chunk{ID: rag.NewChunkID(v.Document.ID, text, 0), Document: v.Document.ID, Version: 1, Ordinal: i, Span: rag.Span{Start: len(v.Text), End: len(v.Text) + len(text)}, Text: text})
			v.Text += text
			v.Embeddings = append(v.Embeddings, e)
		}
		if err := a.catalog.(*sqlite.Store).ImportDocument(b.Context(), v); err != nil {
			b.Fatal(err)
		}
	}
	a.close()
	a = open(full) // it finds that the index lacks them
	a.close()
	if err := os.CopyFS(bare, os.DirFS(full)); err != nil {
		b.Fatal(err)
	}
	answer := func(folder string, question string) time.Duration {
		started := time.Now()
		a := open(folder)
		defer a.close()
		var found struct {
			Hits []struct{ Chunk struct{ Text string } }
		}
		if question != "" {
			// The model here only counts letters, so it is BM25 that knows the right answer; the other list is found all the same.
			for _, mode := range []string{"hybrid", "lexical"} {
				err := inProcess(a.handler, "").do(b.Context(), http.MethodPost, "/v1/search", map[string]any{"query": question, "collections": []string{"c"}, "mode": mode}, "", &found)
				if err != nil || len(found.Hits) == 0 {
					b.Fatalf("got %+v, %v", found, err)
				}
			}
			if !strings.Contains(found.Hits[0].Chunk.Text, question+" ") {
				b.Fatalf("asked for %s, got %+v", question, found.Hits[0])
			}
		}
		return time.Since(started)
	}
	open(empty).close()
	var none, mapped, filled time.Duration
	rounds := 0
	for b.Loop() {
		question := fmt.Sprintf("chunk%dchunk", r.IntN(chunks))
		none += answer(empty, "")
		mapped += answer(full, question)
		if err := os.RemoveAll(filepath.Join(bare, "index")); err != nil {
			b.Fatal(err)
		}
		filled += answer(bare, question)
		rounds++
	}
	ms := func(d time.Duration) float64 { return d.Seconds() * 1e3 / float64(rounds) }
	b.ReportMetric(ms(none), "empty-ms")
	b.ReportMetric(ms(mapped), "files-ms")
	b.ReportMetric(ms(filled), "from-catalog-ms")
	b.ReportMetric(ms(mapped-none), "files-less-empty-ms")
	b.ReportMetric(0, "ns/op")
}
