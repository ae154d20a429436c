package local

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"footnote/internal/rag"
)

func TestGate_ClosesTheCoresThatAreAskedFor(t *testing.T) {
	t.Parallel()
	e := &Embedder{}
	open := func(of int) (cores []int) {
		for core := range of {
			if !e.gate.closed(core, of) {
				cores = append(cores, core)
			}
		}
		return cores
	}
	check := func(what string, of int, want ...int) {
		t.Helper()
		if got := open(of); !slices.Equal(got, want) {
			t.Errorf("%s: of %d cores %v are open, want %v", what, of, got, want)
		}
	}
	check("nobody asks", 4, 0, 1, 2, 3)
	first := e.Spare(2)
	check("one asks", 4, 0, 1)
	check("one asks", 2)
	check("one asks", 1)
	second := e.Spare(1)
	check("two ask", 4, 0)
	e.gate.raise()
	check("a query is embedded", 4)
	e.gate.lower()
	second()
	check("one is done", 4, 0, 1)
	first()
	check("both are done", 4, 0, 1, 2, 3)
}

// TestSpare_DocumentsWaitAndGoOn has all cores spared until documents have come to the gate: they give up when their context ends, and else get the vectors that they always get.
func TestSpare_DocumentsWaitAndGoOn(t *testing.T) {
	t.Parallel()
	e, err := New(Options{Threads: 2})
	if err != nil {
		t.Fatal(err)
	}
	texts := []string{"Parental leave lasts sixteen weeks.", "育嬰假為期十六週。"}
	want, err := e.EmbedDocuments(t.Context(), texts)
	if err != nil {
		t.Fatal(err)
	}
	release := e.Spare(2)
	ctx, stop := context.WithTimeout(t.Context(), 2*patience) // a layer has nine steps
	defer stop()
	if _, err := e.EmbedDocuments(ctx, texts); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("with no core left for them, documents were embedded, %v", err)
	}
	type embedded struct {
		vectors []rag.Embedding
		err     error
	}
	done := make(chan embedded)
	go func() {
		v, err := e.EmbedDocuments(t.Context(), texts)
		done <- embedded{v, err}
	}()
	time.Sleep(patience) // until they are at the gate, most likely; the answer is the same if not
	release()
	got := <-done
	if got.err != nil {
		t.Fatal(got.err)
	}
	for i := range want {
		if !slices.Equal(got.vectors[i], want[i]) {
			t.Errorf("text %d has another vector", i)
		}
	}
}
