package cache

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"footnote/internal/rag"
)

// spelled is a model whose vectors are the bytes of the text behind the model's own name.
type spelled struct {
	name    string
	queries atomic.Int64 // calls
	texts   atomic.Int64 // in them
	before  func(ctx context.Context, call int64) error
}

func (m *spelled) vector(text string) rag.Embedding {
	v := rag.Embedding{float32(len(m.name))}
	for _, b := range []byte(text) {
		v = append(v, float32(b))
	}
	return v
}

func (m *spelled) EmbedQueries(ctx context.Context, texts []string) (out []rag.Embedding, err error) {
	call := m.queries.Add(1)
	m.texts.Add(int64(len(texts)))
	if m.before != nil {
		if err := m.before(ctx, call); err != nil {
			return nil, err
		}
	}
	for _, text := range texts {
		out = append(out, m.vector(text))
	}
	return out, ctx.Err()
}

func (m *spelled) EmbedDocuments(_ context.Context, texts []string) (out []rag.Embedding, err error) {
	for _, text := range texts {
		out = append(out, m.vector("document "+text))
	}
	return out, nil
}

func (m *spelled) Model() string            { return m.name }
func (m *spelled) Fingerprint() string      { return "print of " + m.name }
func (m *spelled) Dimensions() int          { return 0 }
func (m *spelled) MaxTokens() int           { return 1000 }
func (m *spelled) CountTokens(s string) int { return len(s) }

// counter counts outcomes.
type counter struct{ hits, misses atomic.Int64 }

func (c *counter) observe(hit bool) {
	if hit {
		c.hits.Add(1)
	} else {
		c.misses.Add(1)
	}
}

func (c *counter) want(t *testing.T, hits, misses int64) {
	t.Helper()
	if c.hits.Load() != hits || c.misses.Load() != misses {
		t.Errorf("got %d hits and %d misses, want %d and %d", c.hits.Load(), c.misses.Load(), hits, misses)
	}
}

func ask(t *testing.T, e *Cached, text string) rag.Embedding {
	t.Helper()
	got, err := e.EmbedQueries(t.Context(), []string{text})
	if err != nil {
		t.Fatal(err)
	}
	return got[0]
}

func TestEmbedQueries_AsksTheModelOnceAndKeepsModelsApart(t *testing.T) {
	t.Parallel()
	var n counter
	c := New(Options{Entries: 10, Observe: n.observe})
	m, other := &spelled{name: "m"}, &spelled{name: "other"}
	e, o := c.Over(m), c.Over(other)
	for range 3 {
		got := ask(t, e, "要問的事")
		if !slices.Equal(got, m.vector("要問的事")) {
			t.Fatalf("got %v", got)
		}
		clear(got) // what a caller does to its vector is not the others' business
	}
	if got := ask(t, o, "要問的事"); !slices.Equal(got, other.vector("要問的事")) {
		t.Errorf("the other model: got %v", got)
	}
	n.want(t, 2, 2)
	if m.queries.Load() != 1 || other.queries.Load() != 1 {
		t.Errorf("the models were asked %d and %d times", m.queries.Load(), other.queries.Load())
	}
}

func TestEmbedQueries_BatchesAndDocumentsPassBy(t *testing.T) {
	t.Parallel()
	var n counter
	c := New(Options{Entries: 10, Observe: n.observe})
	m := &spelled{name: "m"}
	e := c.Over(m)
	for range 2 {
		if got, err := e.EmbedQueries(t.Context(), []string{"a", "b"}); err != nil || len(got) != 2 || !slices.Equal(got[1], m.vector("b")) {
			t.Fatalf("got %v, %v", got, err)
		}
		if got, err := e.EmbedDocuments(t.Context(), []string{"a"}); err != nil || !slices.Equal(got[0], m.vector("document a")) {
			t.Fatalf("got %v, %v", got, err)
		}
	}
	if got, err := e.EmbedQueries(t.Context(), nil); err != nil || len(got) != 0 {
		t.Fatalf("got %v, %v", got, err)
	}
	n.want(t, 0, 0)
	if n := c.vectors.EstimatedSize(); n != 0 || m.queries.Load() != 3 {
		t.Errorf("%d entries, %d calls", n, m.queries.Load())
	}
}

func TestCache_WhatIsAskedOftenOutlivesWhatIsAskedOnce(t *testing.T) {
	t.Parallel()
	const entries = 100
	m := &spelled{name: "m"}
	c := New(Options{Entries: entries})
	e := c.Over(m)
	for i := range entries { // how often a text is asked for is counted from when half the room is taken
		ask(t, e, fmt.Sprint("first ", i))
	}
	for range 10 {
		for i := range 20 {
			ask(t, e, fmt.Sprint("often ", i))
		}
	}
	for i := range 20 * entries {
		ask(t, e, fmt.Sprint("once ", i))
		if n := c.vectors.EstimatedSize(); n > entries {
			t.Fatalf("%d entries, want at most %d", n, entries)
		}
	}
	before := m.queries.Load()
	for i := range 20 {
		ask(t, e, fmt.Sprint("often ", i))
	}
	if again := m.queries.Load() - before; again > 2 {
		t.Errorf("%d of 20 were embedded again", again)
	}
	if n := c.vectors.EstimatedSize(); n < entries*9/10 {
		t.Errorf("only %d entries are used", n)
	}
}

func TestCache_IsBoundedInBytes(t *testing.T) {
	t.Parallel()
	const limit = 64 << 10
	m := &spelled{name: "m"}
	c := New(Options{Entries: 1000, Bytes: limit})
	e := c.Over(m)
	r := rand.New(rand.NewPCG(1, 2))
	kept := func() (bytes int) {
		for _, v := range c.vectors.All() {
			bytes += 4*len(v) + entryOverhead
		}
		return bytes
	}
	for i := range 2000 {
		ask(t, e, fmt.Sprint(i, strings.Repeat("x", r.IntN(500))))
		if i%50 == 0 && kept() > limit {
			t.Fatalf("%d bytes, want at most %d", kept(), limit)
		}
	}
	if kept() < limit*3/4 {
		t.Errorf("only %d bytes are used", kept())
	}
	long := strings.Repeat("x", limit) // more than there is room for: given, not kept
	if got := ask(t, e, long); len(got) != limit+1 || kept() > limit {
		t.Errorf("got %d numbers; %d bytes are kept", len(got), kept())
	}
}

// asking starts n callers for one text and returns when all of them wait.
func asking(e *Cached, n int, text string) (results chan error, cancel []context.CancelFunc) {
	results = make(chan error, n) // all may end before the test looks
	for range n {
		ctx, stop := context.WithCancel(context.Background())
		cancel = append(cancel, stop)
		go func() {
			got, err := e.EmbedQueries(ctx, []string{text})
			if err == nil && !slices.Equal(got[0], e.Embedder.(*spelled).vector(text)) {
				err = fmt.Errorf("got %v", got)
			}
			results <- err
		}()
		synctest.Wait() // so that the first is the one who embeds
	}
	return results, cancel
}

func TestEmbedQueries_ConcurrentMissesAreEmbeddedOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var n counter
		release := make(chan struct{})
		m := &spelled{name: "m", before: func(context.Context, int64) error { <-release; return nil }}
		results, cancel := asking(New(Options{Entries: 10, Observe: n.observe}).Over(m), 8, "q")
		close(release)
		for range 8 {
			if err := <-results; err != nil {
				t.Error(err)
			}
		}
		n.want(t, 7, 1)
		if m.queries.Load() != 1 {
			t.Errorf("the model was asked %d times", m.queries.Load())
		}
		for _, c := range cancel {
			c()
		}
	})
}

// Neither one that waits nor the one that embeds takes the others with it.
func TestEmbedQueries_WhoLeavesLeavesAlone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		m := &spelled{name: "m", before: func(ctx context.Context, _ int64) error {
			select {
			case <-release:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		}}
		c := New(Options{Entries: 10})
		results, cancel := asking(c.Over(m), 5, "q")
		cancel[2]() // one that waits
		if err := <-results; !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		cancel[0]() // the one that embeds
		if err := <-results; !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		synctest.Wait()
		if m.queries.Load() != 2 {
			t.Errorf("the model was asked %d times, want a second time by one of those who waited", m.queries.Load())
		}
		close(release)
		for range 3 {
			if err := <-results; err != nil {
				t.Errorf("got %v of one who stayed", err)
			}
		}
		if n := c.vectors.EstimatedSize(); m.queries.Load() != 2 || n != 1 {
			t.Errorf("%d calls, %d entries", m.queries.Load(), n)
		}
		for _, c := range cancel {
			c()
		}
	})
}

func TestEmbedQueries_AnErrorIsSharedAndNotKept(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		broken := rag.Errorf(rag.Unavailable, "The model is down.")
		m := &spelled{name: "m", before: func(_ context.Context, call int64) error {
			<-release
			if call == 1 {
				return broken
			}
			return nil
		}}
		e := New(Options{Entries: 10}).Over(m)
		results, cancel := asking(e, 4, "q")
		close(release)
		for range 4 {
			if err := <-results; !errors.Is(err, broken) {
				t.Errorf("got %v", err)
			}
		}
		ask(t, e, "q")
		if m.queries.Load() != 2 {
			t.Errorf("the model was asked %d times", m.queries.Load())
		}
		for _, c := range cancel {
			c()
		}
	})
}

// A panic is its caller's to deal with; those who wait are told, and nothing of it is kept.
func TestEmbedQueries_APanicLeavesNobodyWaiting(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		m := &spelled{name: "m", before: func(_ context.Context, call int64) error {
			<-release
			if call == 1 {
				panic("broken")
			}
			return nil
		}}
		e := New(Options{Entries: 10}).Over(m)
		panicked := make(chan any, 1) // it ends before the test looks
		go func() {
			defer func() { panicked <- recover() }()
			_, _ = e.EmbedQueries(context.Background(), []string{"q"})
		}()
		synctest.Wait()
		results, cancel := asking(e, 2, "q")
		close(release)
		if v := <-panicked; v == nil {
			t.Error("the caller did not see the panic")
		}
		for range 2 {
			if err := <-results; err == nil || !strings.Contains(err.Error(), "broken") {
				t.Errorf("got %v", err)
			}
		}
		ask(t, e, "q")
		for _, c := range cancel {
			c()
		}
	})
}

// Under load, with callers that come and go, everybody gets the right vector or its own cancellation.
func TestCache_UnderLoad(t *testing.T) {
	t.Parallel()
	m := &spelled{name: "m"}
	c := New(Options{Entries: 20})
	e := c.Over(m)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(uint64(i), 7))
			for range 2000 {
				ctx, cancel := context.WithCancel(t.Context())
				gone := r.IntN(10) == 0
				if gone {
					cancel()
				}
				text := fmt.Sprint("q", r.IntN(40))
				got, err := e.EmbedQueries(ctx, []string{text})
				switch {
				case err != nil && (!gone || !errors.Is(err, context.Canceled)):
					t.Errorf("got %v", err)
				case err == nil && !slices.Equal(got[0], m.vector(text)):
					t.Errorf("%s: got %v", text, got)
				}
				cancel()
			}
		})
	}
	wg.Wait()
	if n := c.vectors.EstimatedSize(); n == 0 || n > 20 {
		t.Errorf("%d entries", n)
	}
}

// fixed is a model that costs nothing.
type fixed struct{ *spelled }

func (fixed) EmbedQueries(context.Context, []string) ([]rag.Embedding, error) {
	return []rag.Embedding{make(rag.Embedding, 384)}, nil
}

func BenchmarkHit(b *testing.B) {
	e := New(Options{Entries: 8192}).Over(fixed{&spelled{name: "m"}})
	texts := make([][]string, 4096)
	for i := range texts {
		texts[i] = []string{fmt.Sprintf("How long is parental leave for employee %d?", i)}
	}
	for name, run := range map[string]func(i int){
		"one question": func(int) { _, _ = e.EmbedQueries(b.Context(), texts[0]) },
		"4096 of them": func(i int) { _, _ = e.EmbedQueries(b.Context(), texts[i%len(texts)]) },
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				run(i)
			}
		})
	}
	b.Run("from all cores", func(b *testing.B) {
		b.RunParallel(func(pb *testing.PB) {
			for i := 0; pb.Next(); i++ {
				_, _ = e.EmbedQueries(context.Background(), texts[i%len(texts)])
			}
		})
	})
}
