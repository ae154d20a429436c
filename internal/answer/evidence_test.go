package answer

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"slices"
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
	return New(Options{Embedder: m, Tokens: m, Centre: func([]rag.Embedding, bool) {}, Logger: slog.New(slog.DiscardHandler)})
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

// A model that fails to give states is one without: the passages are read, and the answer says so. A caller who has gone gets none.
func TestRead_WithoutTheStatesThatAModelOwes(t *testing.T) {
	t.Parallel()
	m := &characters{name: "multilingual-e5-small", err: errors.New("gone")}
	passages := []rag.Passage{passageOf(1, "", "甲乙丙丁。戊己庚辛！子丑寅卯。")}
	passages[0].Hit.Dense = &rag.Stage{Rank: 1, Score: 0.9}
	r, err := reader(m).read(t.Context(), "戊己庚辛", passages)
	if err != nil {
		t.Fatal(err)
	}
	r.weigh()
	if got := said(r, r.choose()[:1]); r.states || !r.degraded || got != "戊己庚辛！" {
		t.Errorf("got states %t, degraded %t and %s", r.states, r.degraded, got)
	}
	plain := New(Options{Embedder: m, Logger: slog.New(slog.DiscardHandler)})
	want, err := plain.Evidence(t.Context(), "戊己庚辛", passages)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := reader(m).Evidence(t.Context(), "戊己庚辛", passages); err != nil || got != want || got < 0 {
		t.Errorf("got the evidence %g, %v, want that of a model without states, %g", got, err, want)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := reader(m).read(ctx, "戊己庚辛", passages); err == nil {
		t.Error("a caller who has gone: got a reading")
	}
}

func TestAnswer_NamesTheEvidenceThatFailed(t *testing.T) {
	t.Parallel()
	shelf := newShelf("甲乙丙丁。戊己庚辛！子丑寅卯。")
	for _, failure := range []error{nil, errors.New("gone")} {
		m := &characters{name: "characters", err: failure}
		s := New(Options{Search: shelf, Embedder: m, Tokens: m, Catalog: shelf, Logger: slog.New(slog.DiscardHandler)})
		a, err := s.Answer(t.Context(), rag.Question{Query: rag.Query{Text: "戊己庚辛"}}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if a.Status != rag.Answered || !strings.HasPrefix(a.Text, "戊己庚辛！") || len(a.Citations) == 0 || !a.Citations[0].Verified {
			t.Errorf("%v: got %s, %q with %d citations", failure, a.Status, a.Text, len(a.Citations))
		}
		if want := failure != nil; slices.Contains(a.Degraded, "evidence") != want {
			t.Errorf("%v: got degraded %v", failure, a.Degraded)
		}
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

// Where passages of both languages were read, each side has its own signs, and across languages vocabulary and gap are none.
func TestSigns_AreOfOneLanguage(t *testing.T) {
	t.Parallel()
	passages := []rag.Passage{passageOf(1, "", "戊己庚辛。完全无关的话。"), passageOf(2, "", "子丑寅卯。"), passageOf(3, "", "A sentence about something else.")}
	for i, score := range []float64{0.9, 0.5, 0.8} {
		passages[i].Hit.Dense = &rag.Stage{Rank: i + 1, Score: score}
	}
	r, err := reader(&characters{}).read(t.Context(), "戊己庚辛", passages)
	if err != nil {
		t.Fatal(err)
	}
	same, ok := r.signsOf(false)
	if !ok || same[signBest] < 0.7 || same[signFirst] != same[signBest] || same[signLift] < 0.3 || math.Abs(same[signGap]-0.2) > 1e-9 || same[signTold] != 1 {
		t.Errorf("got %v", same)
	}
	across, ok := r.signsOf(true)
	if !ok || across[signBest] > 0.5 || across[signLift] != 0 || across[signFirst] != 0 || across[signGap] != 0 || across[signTold] != 0 {
		t.Errorf("across: got %v", across)
	}
	if plain, ok := r.plainSignsOf(true); !ok || plain[plainCosine] != 0.8 || plain[plainCovered] != 0 {
		t.Errorf("across, without states: got %v", plain)
	}
}

func TestWeights_AreForEveryTraitAndSign(t *testing.T) {
	t.Parallel()
	for i, w := range [][]float64{weights.States, weights.StatesAcross, weights.Alone, weights.AloneAcross} {
		if len(w) != int(traits) {
			t.Errorf("set %d has %d weights, there are %d traits", i, len(w), traits)
		}
	}
	for model, e := range weights.Evidence {
		for n, m := range map[sign]EvidenceModel{signs: e.States, sign(plainSigns): e.Alone} {
			for _, pair := range []string{"en", "zh", "en across", "zh across"} {
				if len(m) != 4 || len(m[pair].Signs) != int(n) {
					t.Errorf("%s, %s: got %+v, want %d weights", model, pair, m[pair], n)
				}
			}
		}
	}
	if weights.Alone[traitLate] != 0 || weights.StatesAcross[traitCoverage] != 0 {
		t.Error("what is not there has a weight: interaction without states, vocabulary across languages")
	}
}
