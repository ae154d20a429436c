package main

import (
	"io"
	"log/slog"
	"testing"
	"time"

	"footnote/internal/answer"
	"footnote/internal/config"
	"footnote/internal/eval"
	"footnote/internal/evaldata"
	"footnote/internal/rag"
	"footnote/internal/search"
	"footnote/internal/text"
)

// BenchmarkEvidence_BesideEmbeddingTheSentences sets what is added to a search before an answer is extracted or written, reading the passages' token states and weighing
// them, beside embedding the sentences of the same eight passages one by one: with nothing kept, and with the states in the cache. The three take turns, question by
// question. It needs EVAL_DATA.
//
//	EVAL_DATA=… go test ./cmd/server -run xxx -bench BesideEmbeddingTheSentences -benchtime 1x
func BenchmarkEvidence_BesideEmbeddingTheSentences(b *testing.B) {
	set, err := eval.Read(evaldata.Path(b, "retrieval", "xquad-en"))
	if err != nil {
		b.Fatal(err)
	}
	c, err := config.Load([]string{"FOOTNOTE_DATA=" + b.TempDir()}, "", nil)
	if err != nil {
		b.Fatal(err)
	}
	a, err := openApp(b.Context(), c, slog.New(slog.NewTextHandler(io.Discard, nil)))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(a.start(b.Context()))
	if _, err := a.ingest.CreateCollection(b.Context(), rag.Collection{Name: realCollection}); err != nil {
		b.Fatal(err)
	}
	if err := (&evaluated{app: a, collection: realCollection}).Add(b.Context(), set.Documents[:60]); err != nil {
		b.Fatal(err)
	}
	model, err := builtIn(config.Int8)
	if err != nil {
		b.Fatal(err)
	}
	raw := answer.New(answer.Options{Search: a.search, Embedder: a.embedder, Tokens: model.(search.TokenEmbedder), Centre: a.answers.Centre, Catalog: a.catalog, Logger: slog.New(slog.DiscardHandler)})
	var reading, kept, embedding time.Duration
	n := 0
	timed := func(into *time.Duration, f func() error) {
		started := time.Now()
		if err := f(); err != nil {
			b.Fatal(err)
		}
		*into += time.Since(started)
	}
	for b.Loop() {
		for _, q := range set.Queries[:40] {
			found, err := a.search.Search(b.Context(), rag.Query{Text: q.Text, Collections: []string{realCollection}, TopK: answer.DefaultPassages, IgnorePhrases: true})
			if err != nil {
				b.Fatal(err)
			}
			var passages []rag.Passage
			var sentences []string
			for i, h := range found.Hits {
				passages = append(passages, rag.Passage{Number: i + 1, Hit: h})
				for _, s := range text.Sentences(h.Chunk.Text) {
					sentences = append(sentences, text.Slice(h.Chunk.Text, s.Start, s.End))
				}
			}
			evidence := func(s *answer.Service) func() error {
				return func() error { _, err := s.Evidence(b.Context(), q.Text, passages); return err }
			}
			if err := evidence(a.answer)(); err != nil { // fills the cache
				b.Fatal(err)
			}
			timed(&embedding, func() error { _, err := model.EmbedDocuments(b.Context(), sentences); return err })
			timed(&reading, evidence(raw))
			timed(&kept, evidence(a.answer))
			n++
		}
	}
	b.ReportMetric(float64(reading)/float64(embedding), "of-embedding")
	b.ReportMetric(float64(kept)/float64(embedding), "kept-of-embedding")
	b.ReportMetric(float64(kept.Microseconds())/1000/float64(n), "kept-ms")
	b.ReportMetric(float64(reading.Microseconds())/1000/float64(n), "read-ms")
}
