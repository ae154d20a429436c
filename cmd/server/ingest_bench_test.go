package main

import (
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"testing"
	"time"

	"footnote/internal/config"
	"footnote/internal/eval"
	"footnote/internal/evaldata"
	"footnote/internal/rag"
)

// BenchmarkIngest_BesideEmbeddingAlone takes 5,000 real paragraphs in, a file each, with what `footnote ingest` runs, on SQLite and the local index with every sync as shipped, and sets
// the rate beside that of embedding the same texts alone. The two take turns, 1,250 files at a time, so that both meet the same machine; each turn pays for the beginning and the end of an ingest. It needs EVAL_DATA;
// BENCH_DOCUMENTS sets another number.
//
//	EVAL_DATA=… go test ./cmd/server -run xxx -bench BesideEmbeddingAlone -benchtime 1x
func BenchmarkIngest_BesideEmbeddingAlone(b *testing.B) {
	texts := paragraphs(b, 5000)
	c, err := config.Load([]string{"FOOTNOTE_DATA=" + b.TempDir()}, "", nil)
	if err != nil {
		b.Fatal(err)
	}
	a, err := openApp(b.Context(), c, slog.New(slog.NewTextHandler(io.Discard, nil)))
	if err != nil {
		b.Fatal(err)
	}
	defer a.start(b.Context())()
	// A few are long in tokens for their characters: formulas, addresses.
	texts = slices.DeleteFunc(texts, func(text string) bool { return a.embedder.CountTokens(text) > 280 })
	turns := max(1, len(texts)/1250)
	p := &program{stdout: io.Discard, stderr: io.Discard}
	api := inProcess(a.handler, "")
	var ingesting, alone time.Duration
	round := 0
	for b.Loop() {
		round++
		for turn := range turns {
			share := texts[turn*len(texts)/turns : (turn+1)*len(texts)/turns]
			dir := b.TempDir()
			fresh := make([]string, len(share))
			for i, text := range share {
				// Every round has texts of its own, so that none is known from the round before.
				fresh[i] = fmt.Sprintf("%s [%d]", text, round)
				if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%d-%d-%04d.txt", round, turn, i)), []byte(fresh[i]), 0o600); err != nil {
					b.Fatal(err)
				}
			}
			both := []func(){
				func() {
					started := time.Now()
					files, err := p.collect(dir, "")
					if err != nil {
						b.Fatal(err)
					}
					if err := p.ingest(b.Context(), api, "bench", files); err != nil {
						b.Fatal(err)
					}
					ingesting += time.Since(started)
				},
				func() {
					started := time.Now()
					// In one call, so that no core waits for another before the end: the best that the model can do.
					if _, err := a.embedder.EmbedDocuments(b.Context(), fresh); err != nil {
						b.Fatal(err)
					}
					alone += time.Since(started)
				},
			}
			both[turn%2]() // first the one, then the other: what drifts hurts both alike
			both[1-turn%2]()
		}
	}
	got, err := a.catalog.DescribeCollection(b.Context(), "bench")
	if err != nil {
		b.Fatal(err)
	}
	if want := round * len(texts); got.Documents != want || got.Chunks != want {
		b.Errorf("got %d documents of %d chunks, want %d of one chunk each", got.Documents, got.Chunks, want)
	}
	b.ReportMetric(float64(round*len(texts))/ingesting.Seconds(), "documents/s")
	b.ReportMetric(float64(round*len(texts))/alone.Seconds(), "alone/s")
	b.ReportMetric(float64(alone)/float64(ingesting), "ratio")
	answer, err := api.stream(b.Context(), http.MethodGet, "/metrics", nil, "")
	if err != nil {
		b.Fatal(err)
	}
	defer answer.Close()
	metrics, err := io.ReadAll(answer)
	if err != nil {
		b.Fatal(err)
	}
	for _, m := range stageSum.FindAllStringSubmatch(string(metrics), -1) {
		seconds, err := strconv.ParseFloat(m[2], 64)
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(seconds*1e6/float64(round*len(texts)), m[1]+"-us/document")
	}
}

var stageSum = regexp.MustCompile(`footnote_stage_duration_seconds_sum\{stage="(\w+)"\} (\S+)`)

// paragraphs are n real paragraphs in both languages, in an order that mixes them, each short enough to be one chunk. BENCH_DOCUMENTS sets another n.
func paragraphs(b *testing.B, n int) []string {
	b.Helper()
	if v := os.Getenv("BENCH_DOCUMENTS"); v != "" {
		var err error
		if n, err = strconv.Atoi(v); err != nil {
			b.Fatal(err)
		}
	}
	var out []string
	for _, set := range []struct {
		name       string
		documents  int
		characters int
	}{{"dureader-robust-dev-half", 1398, 300}, {"drcd-dev", 1000, 300}, {"scifact", 2602, 1000}} {
		d, err := eval.Read(evaldata.Path(b, "retrieval", set.name))
		if err != nil {
			b.Fatal(err)
		}
		for _, document := range d.Documents[:set.documents] {
			out = append(out, rag.Clip(document.Text, set.characters))
		}
	}
	if n > len(out) {
		b.Fatalf("BENCH_DOCUMENTS is at most %d", len(out))
	}
	rand.New(rand.NewPCG(1, 2)).Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	return out[:n]
}
