package search

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"footnote/internal/rag"
)

// rerankFunc scores texts.
type rerankFunc func(ctx context.Context, query string, texts []string) ([]float64, error)

func (f rerankFunc) Rerank(ctx context.Context, query string, texts []string) ([]float64, error) {
	return f(ctx, query, texts)
}

// shortest prefers short texts.
func shortest(_ context.Context, _ string, texts []string) ([]float64, error) {
	var out []float64
	for _, t := range texts {
		out = append(out, -float64(len(t)))
	}
	return out, nil
}

func (w *world) withEndpoint(f rerankFunc, o Options) *Service {
	o.Catalog, o.Documents, o.Index, o.Embedder, o.Endpoint = w, w, w, w, f
	return New(o)
}

func TestRerank_OrdersTheBestAnewAndLeavesTheRestBelow(t *testing.T) {
	t.Parallel()
	w, _ := newWorld()
	for _, more := range []string{" on Monday", " on request, and only then, for those who have asked", " soon"} {
		w.texts["en"] = append(w.texts["en"], "parental leave parental leave"+more)
	}
	s := w.withEndpoint(shortest, Options{Rerank: rag.RerankEndpoint})
	plain, err := s.Search(t.Context(), rag.Query{Text: `"leave" parental`, Collections: []string{"en"}, Rerank: rag.RerankNone})
	if err != nil {
		t.Fatal(err)
	}
	for _, depth := range []int{1, 3, 50} {
		got, err := s.Search(t.Context(), rag.Query{Text: `"leave" parental`, Collections: []string{"en"}, RerankDepth: depth})
		if err != nil {
			t.Fatal(err)
		}
		if len(got.Hits) != len(plain.Hits) || len(got.Degraded) != 0 || got.Timings["rerank"] < 0 {
			t.Fatalf("got %d hits, degraded %v", len(got.Hits), got.Degraded)
		}
		for i, h := range got.Hits {
			reranked := i < depth
			if (h.Rerank != nil) != reranked || reranked && h.Rerank.Rank != i+1 || h.Fused == nil {
				t.Errorf("depth %d, hit %d: got stages %+v", depth, i, h)
			}
			if i > 0 && h.Score > got.Hits[i-1].Score {
				t.Errorf("depth %d: the scores rise at hit %d", depth, i+1)
			}
			if i > 0 && i < depth && len(h.Chunk.Text) < len(got.Hits[i-1].Chunk.Text) {
				t.Errorf("depth %d: hit %d is shorter than the one before", depth, i+1)
			}
			if !reranked && h.Chunk.ID != plain.Hits[i].Chunk.ID {
				t.Errorf("depth %d: hit %d is not the fused one", depth, i+1)
			}
		}
	}
}

func TestRerank_FailureLeavesTheFusedOrder(t *testing.T) {
	t.Parallel()
	w, plain := newWorld()
	want, err := plain.Search(t.Context(), rag.Query{Text: "parental leave", Collections: []string{"en"}})
	if err != nil {
		t.Fatal(err)
	}
	for name, f := range map[string]rerankFunc{
		"failing": func(context.Context, string, []string) ([]float64, error) { return nil, errors.New("down") },
		"too few": func(context.Context, string, []string) ([]float64, error) { return []float64{1}, nil },
		"nonsense": func(_ context.Context, _ string, t []string) ([]float64, error) {
			return slices.Repeat([]float64{math.NaN()}, len(t)), nil
		},
		"slow": func(ctx context.Context, _ string, _ []string) ([]float64, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		},
	} {
		failed := 0
		s := w.withEndpoint(f, Options{RerankTimeout: 20 * time.Millisecond, Degraded: func(stage string) {
			if stage == "rerank" {
				failed++
			}
		}})
		got, err := s.Search(t.Context(), rag.Query{Text: "parental leave", Collections: []string{"en"}, Rerank: rag.RerankEndpoint})
		if err != nil || !slices.Equal(got.Degraded, []string{"rerank"}) || failed != 1 {
			t.Errorf("%s: got degraded %v, %d times, %v", name, got.Degraded, failed, err)
			continue
		}
		for i, h := range got.Hits {
			if h.Chunk.ID != want.Hits[i].Chunk.ID || h.Score != want.Hits[i].Score || h.Rerank != nil {
				t.Errorf("%s: hit %d is not the fused one", name, i+1)
			}
		}
	}
	// A caller who has gone gets no degraded answer.
	ctx, cancel := context.WithCancel(t.Context())
	s := w.withEndpoint(func(context.Context, string, []string) ([]float64, error) { cancel(); return nil, errors.New("cut") }, Options{})
	if _, err := s.Search(ctx, rag.Query{Text: "leave", Collections: []string{"en"}, Rerank: rag.RerankEndpoint}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestRerank_EndpointThatHangsIsLeftAloneForAWhile(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, _ := newWorld()
		asked, hangs := 0, true
		s := w.withEndpoint(func(ctx context.Context, _ string, texts []string) ([]float64, error) {
			asked++
			if hangs {
				<-ctx.Done()
				return nil, ctx.Err()
			}
			return make([]float64, len(texts)), nil
		}, Options{})
		search := func(ctx context.Context, wantAsked int, wantTime time.Duration, degraded bool) {
			t.Helper()
			started, before := time.Now(), asked
			got, err := s.Search(ctx, rag.Query{Text: "parental leave", Collections: []string{"en"}, Rerank: rag.RerankEndpoint})
			if took := time.Since(started); asked-before != wantAsked || took != wantTime {
				t.Errorf("asked %d times within %v, want %d within %v", asked-before, took, wantAsked, wantTime)
			}
			if ctx.Err() == nil && (err != nil || len(got.Hits) == 0 || degraded != slices.Equal(got.Degraded, []string{"rerank"})) {
				t.Errorf("got %d hits, degraded %v, %v", len(got.Hits), got.Degraded, err)
			}
		}
		ctx := t.Context()
		for range 3 {
			search(ctx, 1, 3*time.Second, true)
		}
		for range 5 { // nobody waits any more
			search(ctx, 0, 0, true)
		}
		time.Sleep(31 * time.Second)
		var both sync.WaitGroup
		both.Go(func() { search(ctx, 1, 3*time.Second, true) }) // one tries,
		synctest.Wait()
		search(ctx, 0, 0, true) // and the others do not wait for it
		both.Wait()
		search(ctx, 0, 0, true)

		time.Sleep(31 * time.Second)
		gone, cancel := context.WithTimeout(ctx, time.Second)
		search(gone, 1, time.Second, true) // the one that tries goes away: that says nothing, so the next tries
		cancel()
		hangs = false
		search(ctx, 1, 0, false)
		search(ctx, 1, 0, false)

		hangs = true // it takes as many failures as at first
		search(ctx, 1, 3*time.Second, true)
		search(ctx, 1, 3*time.Second, true)
		hangs = false
		search(ctx, 1, 0, false)
		hangs = true
		search(ctx, 1, 3*time.Second, true)
	})
}

func TestRerank_WhatIsNotThereIsRefused(t *testing.T) {
	t.Parallel()
	_, s := newWorld()
	for _, how := range []rag.Rerank{rag.RerankLate, rag.RerankEndpoint} {
		_, err := s.Search(t.Context(), rag.Query{Text: "leave", Collections: []string{"en"}, Rerank: how})
		var e *rag.Error
		if !errors.As(err, &e) || e.Code != rag.Invalid || e.Field != "/rerank" {
			t.Errorf("%s: got %v", how, err)
		}
	}
}

// words gives each word a state of its own.
type words struct{}

func (words) TokenStates(_ context.Context, texts []string, _ bool) (out [][]rag.Embedding, err error) {
	for _, text := range texts {
		var states []rag.Embedding
		for _, w := range strings.Fields(strings.ToLower(strings.Trim(text, "."))) {
			v := make(rag.Embedding, 64)
			for i, r := range w {
				v[(int(r)+i)%64]++
			}
			var squares float32
			for _, x := range v {
				squares += x * x
			}
			for i := range v {
				v[i] /= float32(math.Sqrt(float64(squares)))
			}
			states = append(states, v)
		}
		out = append(out, states)
	}
	return out, nil
}

func TestLate_IsTheMeanOfTheBestCosines(t *testing.T) {
	t.Parallel()
	got, err := late{words{}}.Rerank(t.Context(), "leave weeks", []string{"sixteen weeks of leave", "weeks", "nothing like it"})
	if err != nil {
		t.Fatal(err)
	}
	if math.Abs(got[0]-1) > 1e-3 && got[0] < got[1] || got[1] < got[2] {
		t.Errorf("got %v, want them to fall", got)
	}
	w, _ := newWorld()
	s := New(Options{Catalog: w, Index: w, Embedder: w, Tokens: words{}})
	found, err := s.Search(t.Context(), rag.Query{Text: "leave requests", Collections: []string{"en"}, Rerank: rag.RerankLate})
	if err != nil || found.Hits[0].Chunk.Text != "Leave requests go to the manager." || found.Hits[0].Rerank == nil {
		t.Errorf("got %+v, %v", found.Hits, err)
	}
}

func TestExpand_FindsWhatIsLikeTheBest(t *testing.T) {
	t.Parallel()
	w, s := newWorld()
	w.texts["en"] = []string{"parental leave maternity", "parental leave maternity benefit", "maternity benefit", "parental pride"}
	q := rag.Query{Text: "parental leave", Collections: []string{"en"}, Mode: rag.Dense}
	plain, err := s.Search(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	q.Effort = rag.HighEffort
	got, err := s.Search(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	has := func(h rag.Hits) bool {
		return slices.ContainsFunc(h.Hits, func(h rag.Hit) bool { return h.Chunk.Text == "maternity benefit" })
	}
	if has(plain) || !has(got) {
		t.Errorf("got %d hits and %d with feedback", len(plain.Hits), len(got.Hits))
	}
	if v := rocchio(rag.Embedding{1, 0}, []rag.ChunkID{"a"}, map[rag.ChunkID]rag.Embedding{"a": {0, 1, 0}}); v != nil {
		t.Errorf("got %v of vectors of another length", v)
	}
}
