package local

import (
	"context"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// BenchmarkQuery_DuringIngest tells how long a query takes while nothing else runs and while documents are embedded on all cores by the same embedder: 16 tokens, one query at a time, with small
// pauses. Both are measured in turns of 50, so that they meet the same machine. "late" is how long after its pause the query's goroutine got a core, which the other figures leave out.
//
//	go test ./internal/embed/local -run xxx -bench DuringIngest -benchtime 10x
func BenchmarkQuery_DuringIngest(b *testing.B) {
	e := plain()
	// As the service has it: one processor of the scheduler more than the model computes on.
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(runtime.GOMAXPROCS(0) + 1))
	const query = "How long is parental leave for new fathers in the Berlin office"
	if n := e.CountTokens(query + " this y"); n < 14 || n > 18 {
		b.Fatalf("the query has %d tokens, want about 16", n)
	}
	passage := strings.Repeat("Parental leave lasts sixteen weeks at full pay, and may be taken within two years of the birth. ", 10)
	texts := make([]string, 32)
	for i := range texts {
		texts[i] = passage[:min(200+22*i, len(passage))] // of many lengths, as documents are
	}
	r := rand.New(rand.NewPCG(1, 2))
	turn := func(took, late *[]time.Duration) {
		for range 50 {
			due := time.Now().Add(time.Duration(r.Int64N(int64(8 * time.Millisecond))))
			time.Sleep(time.Until(due))
			called := time.Now()
			if _, err := e.EmbedQueries(b.Context(), []string{query + " this y"}); err != nil {
				b.Fatal(err)
			}
			*took = append(*took, time.Since(called))
			*late = append(*late, called.Sub(due))
		}
	}
	var idle, idleLate, busy, busyLate []time.Duration
	embedded := 0
	for b.Loop() {
		turn(&idle, &idleLate)
		ctx, stop := context.WithCancel(b.Context())
		var ingest sync.WaitGroup
		ingest.Go(func() {
			for ctx.Err() == nil {
				if _, err := e.EmbedDocuments(ctx, texts); err == nil {
					embedded += len(texts)
				}
			}
		})
		time.Sleep(50 * time.Millisecond) // until it is under way
		turn(&busy, &busyLate)
		stop()
		ingest.Wait()
	}
	at := func(d []time.Duration, p float64) float64 {
		slices.Sort(d)
		return float64(d[min(int(p*float64(len(d))), len(d)-1)].Microseconds())
	}
	b.ReportMetric(at(idle, 0.5), "p50-idle-us")
	b.ReportMetric(at(idle, 0.99), "p99-idle-us")
	b.ReportMetric(at(busy, 0.5), "p50-busy-us")
	b.ReportMetric(at(busy, 0.99), "p99-busy-us")
	b.ReportMetric(at(busy, 0.5)/at(idle, 0.5), "p50-ratio")
	b.ReportMetric(at(busy, 0.99)/at(idle, 0.99), "p99-ratio")
	b.ReportMetric(at(idleLate, 0.99), "p99-late-idle-us")
	b.ReportMetric(at(busyLate, 0.99), "p99-late-busy-us")
	b.ReportMetric(float64(embedded)/float64(b.N), "documents/turn")
}
