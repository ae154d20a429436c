package main

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"time"

	"footnote/internal/lexical"
	"footnote/internal/rag"
	"footnote/internal/simd"
)

// filtered has filters that leave a ten-thousandth, a hundredth, half and all.
func (b *bench) filtered(ctx context.Context) error {
	for _, below := range []float64{1, 100, 5000, 10000} {
		f := &rag.Filter{Op: rag.OpLt, Key: "bucket", Value: below}
		want := make([][]int, min(b.rounds, 50)) // beforehand: sorting a million leaves garbage, which is collected beside the searches
		for i := range want {
			want[i] = b.exactWithin(b.vectors.Query(i), 10, below)
		}
		runtime.GC()
		var dense, sparse []time.Duration
		hits, possible := 0, 0
		for i, want := range want {
			t := time.Now()
			got, err := b.index.SearchDense(ctx, collection, b.vectors.Query(i), f, 10)
			if err != nil {
				return err
			}
			dense = append(dense, time.Since(t))
			t = time.Now()
			if _, err := b.index.SearchLexical(ctx, collection, lexical.QueryVector(b.texts.Queries[i]), f, 10); err != nil {
				return err
			}
			sparse = append(sparse, time.Since(t))
			hits, possible = hits+b.found(got, want), possible+len(want)
		}
		fmt.Printf("filter that leaves %.2f %%: dense %s, recall@10 %.4f; lexical %s\n", below/100, times(dense), float64(hits)/float64(max(possible, 1)), times(sparse))
	}
	return nil
}

func (b *bench) exactWithin(q []float32, k int, below float64) []int {
	type scored struct {
		score float32
		at    int
	}
	var all []scored
	for i := range b.n {
		if float64(i/10*7919%10000) < below {
			all = append(all, scored{simd.Dot(q, b.vector(i)), i})
		}
	}
	slices.SortFunc(all, func(a, c scored) int {
		if a.score > c.score {
			return -1
		}
		return 1
	})
	var out []int
	for _, s := range all[:min(k, len(all))] {
		out = append(out, s.at)
	}
	return out
}

// busy searches while points are replaced, as fast as the index takes them, on another core.
func (b *bench) busy(ctx context.Context) error {
	stop, done := make(chan struct{}), make(chan error, 1)
	written := 0
	points := make([]rag.Point, 4096)
	for i := range points {
		points[i] = b.point(i * (b.n / len(points)))
	}
	go func() {
		for at := 0; ; at = (at + 64) % len(points) {
			select {
			case <-stop:
				done <- nil
				return
			default:
			}
			if err := b.index.Upsert(ctx, collection, points[at:at+64]); err != nil {
				done <- err
				return
			}
			written += 64
		}
	}()
	var dense, sparse []time.Duration
	started := time.Now()
	for i := range b.rounds {
		t := time.Now()
		if _, err := b.index.SearchDense(ctx, collection, b.vectors.Query(i), nil, 10); err != nil {
			return err
		}
		dense = append(dense, time.Since(t))
		t = time.Now()
		if _, err := b.index.SearchLexical(ctx, collection, lexical.QueryVector(b.texts.Queries[i]), nil, 10); err != nil {
			return err
		}
		sparse = append(sparse, time.Since(t))
		time.Sleep(2 * time.Millisecond) // so that the queries meet seals and compactions
	}
	close(stop)
	err := <-done
	fmt.Printf("while %.0f chunks a second are replaced: dense %s; lexical %s\n", float64(written)/time.Since(started).Seconds(), times(dense), times(sparse))
	return err
}

func (b *bench) restart(ctx context.Context) error {
	b.index.Wait()
	if err := b.index.Checkpoint(ctx, collection, 2); err != nil {
		return err
	}
	if err := b.index.Close(); err != nil {
		return err
	}
	t := time.Now()
	if err := b.open(0); err != nil {
		return err
	}
	opened := time.Since(t)
	got, err := b.index.SearchDense(ctx, collection, b.vectors.Query(0), nil, 10)
	if err != nil || len(got) != 10 {
		return fmt.Errorf("after the restart: %d candidates, %w", len(got), err)
	}
	fmt.Printf("restart: open %.3f s, with the first search %.3f s\n", opened.Seconds(), time.Since(t).Seconds())
	return nil
}
