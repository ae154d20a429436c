package answer

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"math"
	"strings"
	"testing"

	"footnote/internal/rag"
)

// characters is a model whose states are of characters: two are alike when they are the same one, and a text is the mean of its characters.
type characters struct {
	name    string
	queries int
	texts   int
	err     error
}

func (m *characters) state(r rune) rag.Embedding {
	v := make(rag.Embedding, 64)
	x := uint64(r) * 0x9e3779b97f4a7c15
	for i := range v {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
		v[i] = float32(int64(x)) / math.MaxInt64
	}
	scaleToUnit(v)
	return v
}

func (m *characters) TokenStates(_ context.Context, texts []string, _ bool) ([][]rag.Embedding, error) {
	out := make([][]rag.Embedding, len(texts))
	for i, s := range texts {
		m.texts++
		for _, r := range s {
			out[i] = append(out[i], m.state(r))
		}
	}
	return out, m.err
}

func (m *characters) EmbedQueries(_ context.Context, texts []string) ([]rag.Embedding, error) {
	m.queries++
	return m.EmbedDocuments(context.Background(), texts)
}

func (m *characters) EmbedDocuments(_ context.Context, texts []string) (out []rag.Embedding, err error) {
	for _, s := range texts {
		var rows []rag.Embedding
		for _, r := range s {
			rows = append(rows, m.state(r))
		}
		out = append(out, meanState(rows))
	}
	return out, nil
}

func (m *characters) Model() string            { return m.name }
func (m *characters) MaxTokens() int           { return 500 }
func (m *characters) CountTokens(s string) int { return len([]rune(s)) }

func reader(m *characters) *Service {
	return New(Options{Embedder: m, Tokens: m, Logger: slog.New(slog.DiscardHandler)})
}

func TestRead_SetsEachSentenceBesideItsOwnStates(t *testing.T) {
	t.Parallel()
	m := &characters{name: "characters"}
	passages := []rag.Passage{passageOf(1, "标题", "甲乙丙丁。戊己庚辛！\n\n子丑寅卯。"), passageOf(2, "", "完全无关的话。")}
	r, err := reader(m).read(t.Context(), "戊己庚辛", passages)
	if err != nil {
		t.Fatal(err)
	}
	if !r.states || len(r.sentence) != 4 || m.texts != 3 || m.queries != 1 {
		t.Fatalf("got %d sentences, %d texts and %d queries through the model, want 4, 3 and 1", len(r.sentence), m.texts, m.queries)
	}
	for i, c := range r.sentence {
		if !c.known || len(c.tokens) != 4 {
			t.Fatalf("%s: got known %t and %d tokens", c.text, c.known, len(c.tokens))
		}
		if i != 1 && (c.late > r.sentence[1].late-0.3 || c.cosine > r.sentence[1].cosine-0.2) {
			t.Errorf("%s: late %.2f, cosine %.2f; the sentence asked for has %.2f, %.2f", c.text, c.late, c.cosine, r.sentence[1].late, r.sentence[1].cosine)
		}
	}
	if got := r.sentence[1].late; got < 0.7 {
		t.Errorf("the very words have the interaction %.2f, want more than half of it", got)
	}
	r.weigh()
	if got := said(r, r.choose()[:1]); got != "戊己庚辛！" {
		t.Errorf("got %s", got)
	}
	var sum float64
	for _, c := range r.sentence {
		sum += c.chance
	}
	if math.Abs(sum-1) > 1e-9 {
		t.Errorf("the chances add up to %g", sum)
	}
}

func TestRead_GivesTheModelsError(t *testing.T) {
	t.Parallel()
	gone := errors.New("gone")
	if _, err := reader(&characters{err: gone}).read(t.Context(), "甲", []rag.Passage{passageOf(1, "", "甲。")}); !errors.Is(err, gone) {
		t.Errorf("got %v", err)
	}
}

func TestRead_WithoutStatesEmbedsSentencesAlone(t *testing.T) {
	t.Parallel()
	m := &characters{}
	s := New(Options{Embedder: m, Logger: slog.New(slog.DiscardHandler)})
	body := strings.Repeat("无关的话。", 40) + "戊己庚辛。"
	r, err := s.read(t.Context(), "戊己庚辛", []rag.Passage{passageOf(1, "", body)})
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, c := range r.sentence {
		if c.known {
			n++
		}
	}
	r.weigh()
	if got := said(r, r.choose()[:1]); r.states || n != aloneSentence || got != "戊己庚辛。" {
		t.Errorf("got %d sentences embedded and %q first", n, got)
	}
}

// The evidence of passages with the question's very words is greater than that of others, and of those in the question's language the bias is another than across.
func TestEvidence_RisesWithTheInteraction(t *testing.T) {
	t.Parallel()
	m := &characters{name: "multilingual-e5-small"}
	s := reader(m)
	with := []rag.Passage{passageOf(1, "", "甲乙丙丁。戊己庚辛！子丑寅卯。"), passageOf(2, "", "完全无关的话。")}
	yes, err := s.Evidence(t.Context(), "戊己庚辛", with)
	if err != nil {
		t.Fatal(err)
	}
	no, err := s.Evidence(t.Context(), "戊己庚辛", with[1:])
	if err != nil {
		t.Fatal(err)
	}
	if yes < 0 || no >= 0 {
		t.Errorf("got evidence %.2f with the words and %.2f without, want one on each side of 0", yes, no)
	}
	if got, err := s.Evidence(t.Context(), "戊己庚辛", nil); err != nil || got > 0 {
		t.Errorf("without a passage: got %.2f, %v", got, err)
	}
	neighbour := with[0]
	neighbour.Number, neighbour.NeighbourOf = 2, 1
	alone := with[1]
	alone.Number = 1
	if got, err := s.Evidence(t.Context(), "戊己庚辛", []rag.Passage{alone, neighbour}); err != nil || got >= 0 {
		t.Errorf("what stands beside a passage was not near: got %.2f, %v", got, err)
	}
}

func TestWeights_AreForEveryTraitAndSign(t *testing.T) {
	t.Parallel()
	var raw struct {
		States, StatesAcross, Alone, AloneAcross []float64
		Evidence                                 map[string]struct {
			Same, Across []float64
			Bias         map[string]float64
		}
	}
	if err := json.Unmarshal(weightsFile, &raw); err != nil {
		t.Fatal(err)
	}
	for i, w := range [][]float64{raw.States, raw.StatesAcross, raw.Alone, raw.AloneAcross} {
		if len(w) != int(traits) {
			t.Errorf("set %d has %d weights, there are %d traits", i, len(w), traits)
		}
	}
	for model, e := range raw.Evidence {
		if len(e.Same) != int(signs) || len(e.Across) != int(signs) || len(e.Bias) != 4 {
			t.Errorf("%s: got %+v", model, e)
		}
	}
	if weights.Alone[traitLate] != 0 || weights.StatesAcross[traitCoverage] != 0 {
		t.Error("what is not there has a weight: interaction without states, vocabulary across languages")
	}
}
