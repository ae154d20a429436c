package cache

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"footnote/internal/rag"
)

// drawn is a model whose states are drawn at random from a text's bytes.
type drawn struct {
	texts int
	err   error
}

func (m *drawn) TokenStates(_ context.Context, texts []string, query bool) ([][]rag.Embedding, error) {
	m.texts += len(texts)
	out := make([][]rag.Embedding, len(texts))
	for i, text := range texts {
		var seed uint64
		for _, b := range []byte(text) {
			seed = seed*31 + uint64(b)
		}
		if query {
			seed++
		}
		rng := rand.New(rand.NewPCG(seed, 1))
		for range len(text) {
			v, squares := make(rag.Embedding, 64), 0.0
			for k := range v {
				v[k] = float32(rng.NormFloat64())
				squares += float64(v[k]) * float64(v[k])
			}
			for k := range v {
				v[k] /= float32(math.Sqrt(squares))
			}
			out[i] = append(out[i], v)
		}
	}
	return out, m.err
}

func cosine(a, b rag.Embedding) (s float64) {
	for i := range a {
		s += float64(a[i]) * float64(b[i])
	}
	return s
}

func TestStates_AreComputedOnceAndNearlyTheModels(t *testing.T) {
	t.Parallel()
	model := &drawn{}
	var hits []bool
	c := OverStates(model, StatesOptions{Fingerprint: "f", Observe: func(hit bool) { hits = append(hits, hit) }})
	texts := []string{"病假三天。", "sick leave", ""}
	first, err := c.TokenStates(t.Context(), texts, false)
	if err != nil {
		t.Fatal(err)
	}
	first[0][0][0] = 7 // the caller's own
	again, err := c.TokenStates(t.Context(), append([]string{"new"}, texts...), false)
	if err != nil {
		t.Fatal(err)
	}
	if model.texts != 4 || len(hits) != 7 || hits[3] || !hits[4] || !hits[6] {
		t.Errorf("got %d texts through the model and hits %v, want 4 and only the new one missed", model.texts, hits)
	}
	want, _ := (&drawn{}).TokenStates(t.Context(), texts, false)
	for i := range texts {
		if len(again[i+1]) != len(want[i]) {
			t.Fatalf("%q: got %d states, want %d", texts[i], len(again[i+1]), len(want[i]))
		}
		for j, s := range again[i+1] {
			for _, other := range want[i] {
				if d := cosine(s, other) - cosine(want[i][j], other); math.Abs(d) > 0.01 {
					t.Errorf("%q: a cosine moved by %g", texts[i], d)
				}
			}
		}
	}
	if _, err := c.TokenStates(t.Context(), texts[:1], true); err != nil || model.texts != 5 {
		t.Errorf("got %v and %d texts; a query has other states than a passage", err, model.texts)
	}
}

func TestStates_MakeRoomAndKeepNoError(t *testing.T) {
	t.Parallel()
	model := &drawn{}
	c := OverStates(model, StatesOptions{Bytes: 4 * (entryOverhead + 10*(64+4))})
	for _, text := range []string{"aaaaaaaaaa", "bbbbbbbbbb", "cccccccccc", "dddddddddd", "eeeeeeeeee", "ffffffffff", "gggggggggg"} {
		if _, err := c.TokenStates(t.Context(), []string{text}, false); err != nil {
			t.Fatal(err)
		}
	}
	if n := c.kept.EstimatedSize(); n > 4 {
		t.Errorf("got %d texts kept, there is room for 4", n)
	}
	model.err = errors.New("gone")
	if _, err := c.TokenStates(t.Context(), []string{"h"}, false); !errors.Is(err, model.err) {
		t.Errorf("got %v, want the model's error", err)
	}
	model.err = nil
	if got, err := c.TokenStates(t.Context(), []string{"h"}, false); err != nil || len(got[0]) != 1 {
		t.Errorf("after the error: got %v, %v", got, err)
	}
}
