package local

import (
	"context"
	"flag"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"

	"footnote/internal/rag"
	"footnote/internal/simd"
)

var update = flag.Bool("update", false, "estimate the means anew and write model/means.bin")

var plain = sync.OnceValue(func() *Embedder {
	e, err := New(Options{DisableCentring: true})
	if err != nil {
		panic(err)
	}
	return e
})

func cosine(a rag.Embedding, b []float64) float64 {
	var dot, x, y float64
	for i, v := range a {
		dot += float64(v) * b[i]
		x += float64(v) * float64(v)
		y += b[i] * b[i]
	}
	return dot / math.Sqrt(x*y)
}

var exact = sync.OnceValue(func() *Embedder {
	e, err := New(Options{DisableCentring: true, Precision: Float32})
	if err != nil {
		panic(err)
	}
	return e
})

// TestEmbedder_VectorsEqualTheReferenceOnEveryPath holds both precisions to the reference, and every path to every other: a collection
// embedded on one machine is searched on another.
func TestEmbedder_VectorsEqualTheReferenceOnEveryPath(t *testing.T) {
	texts := reference(t)
	defer func() { _ = simd.Select("") }()
	for _, c := range []struct {
		name        string
		embedder    *Embedder
		least, mean float64
	}{
		{"float32", exact(), 0.999999, 0.9999999},
		{"int8", plain(), 0.999, 0.9996},
	} {
		vectors := map[string][][]float32{}
		for _, path := range simd.Paths() {
			if err := simd.Select(path); err != nil {
				t.Fatal(err)
			}
			some := texts
			switch { // plain Go is a hundred times slower, and ten times more under the race detector, which has nothing to find in arithmetic
			case path == simd.Generic && raceEnabled:
				some = texts[:1]
			case path == simd.Generic || raceEnabled:
				some = texts[:10]
			}
			least, mean := 1.0, 0.0
			for _, r := range some {
				ids := c.embedder.tokenizer.encode(r.Prefix + r.Text)
				v := make([]float32, c.embedder.Dimensions())
				if err := c.embedder.encoder.encode(t.Context(), [][]int32{ids}, [][]float32{v}, 1, nil); err != nil {
					t.Fatal(err)
				}
				vectors[path] = append(vectors[path], v)
				got := cosine(v, r.Vector)
				least, mean = min(least, got), mean+got/float64(len(some))
				if got < c.least {
					t.Errorf("%s, %s: %q: cosine %.6f", c.name, path, r.Text, got)
				}
			}
			if mean < c.mean && len(some) > 1 {
				t.Errorf("%s, %s: mean cosine %.7f, want %.7f", c.name, path, mean, c.mean)
			}
			t.Logf("%s, %s: cosine to the reference at least %.7f, mean %.7f, over %d texts", c.name, path, least, mean, len(some))
		}
		apart := 1.0
		for a, as := range vectors {
			for b, bs := range vectors {
				for i := range min(len(as), len(bs)) {
					got := float64(simd.Dot(as[i], bs[i]))
					apart = min(apart, got)
					if got < 0.9999 {
						t.Errorf("%s: %q: %s and %s: cosine %.7f", c.name, texts[i].Text, a, b, got)
					}
				}
			}
		}
		t.Logf("%s: cosine between paths at least %.7f", c.name, apart)
	}
}

// TestEncoder_AllocatesNothing holds the steady state to no allocation, alone and with queries' work shared.
func TestEncoder_AllocatesNothing(t *testing.T) {
	e := plain()
	sequences := [][]int32{e.tokenizer.encode("passage: Sixteen weeks at full pay."), e.tokenizer.encode("passage: 育儿假为十六周，全薪。")}
	out := [][]float32{make([]float32, 384), make([]float32, 384)}
	run := func() {
		if err := e.encoder.encode(t.Context(), sequences, out, 1, func(ctx context.Context) error { return e.gate.pass(ctx, 0, 1) }); err != nil {
			t.Fatal(err)
		}
	}
	run()
	if n := testing.AllocsPerRun(20, run); n >= 1 && !raceEnabled { // pools drop at random under the race detector
		t.Errorf("%g allocations a pass, want none", n)
	}
}

func TestEncoder_SharedWorkGivesTheSameVectors(t *testing.T) {
	e := plain()
	for _, r := range reference(t)[:40] {
		ids := [][]int32{e.tokenizer.encode(r.Prefix + r.Text), e.tokenizer.encode("query: another")}
		one, four := [][]float32{make([]float32, 384), make([]float32, 384)}, [][]float32{make([]float32, 384), make([]float32, 384)}
		if err := e.encoder.encode(t.Context(), ids, one, 1, nil); err != nil {
			t.Fatal(err)
		}
		if err := e.encoder.encode(t.Context(), ids, four, 4, nil); err != nil {
			t.Fatal(err)
		}
		for i := range one {
			if !slices.Equal(one[i], four[i]) {
				t.Fatalf("%q: four members give other vectors than one", r.Text)
			}
		}
	}
}

func TestEmbedder_BatchesGiveWhatSinglesGive(t *testing.T) {
	e := plain()
	texts := []string{"Sixteen weeks at full pay.", "育儿假为十六周，全薪。", "育嬰假為十六週，全薪。", "👩‍💻 ｆｕｌｌ　ｗｉｄｔｈ ①", strings.Repeat("long text ", 150), "x"}
	together, err := e.EmbedDocuments(t.Context(), texts)
	if err != nil {
		t.Fatal(err)
	}
	for i, text := range texts {
		alone, err := e.EmbedDocuments(t.Context(), []string{text})
		if err != nil {
			t.Fatal(err)
		}
		if d := simd.Dot(together[i], alone[0]); math.Abs(float64(d)-1) > 1e-6 {
			t.Errorf("%.20q: cosine %g", text, d)
		}
		if err := together[i].Validate(e.Dimensions()); err != nil {
			t.Error(err)
		}
	}
}

func TestEmbedder_RefusesWhatItWouldHaveToCut(t *testing.T) {
	e := plain()
	for _, text := range []string{"", " \n", strings.Repeat("word ", 600)} {
		if _, err := e.EmbedDocuments(t.Context(), []string{"fine", text}); rag.CodeOf(err) != rag.Invalid {
			t.Errorf("%.10q: got %v", text, err)
		}
	}
	fits := strings.TrimSpace(strings.Repeat("word ", e.MaxTokens()))
	if n := e.CountTokens(fits); n != e.MaxTokens() {
		t.Fatalf("the sample has %d tokens, want %d", n, e.MaxTokens())
	}
	if _, err := e.EmbedDocuments(t.Context(), []string{fits}); err != nil {
		t.Errorf("a text of MaxTokens was refused: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := e.EmbedDocuments(ctx, []string{fits}); rag.CodeOf(err) != rag.Cancelled {
		t.Errorf("cancelled: got %v", err)
	}
}

func TestEmbedder_FindsAcrossLanguages(t *testing.T) {
	e, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	if e.Fingerprint() == plain().Fingerprint() {
		t.Error("centring does not change the fingerprint")
	}
	english := []string{"Parental leave lasts sixteen weeks at full pay.", "The company's servers are backed up at midnight.", "The cafeteria closes at three."}
	chinese := []string{"育儿假为十六周，全薪。", "公司的服务器在午夜备份。", "食堂三点关门。"}
	for _, c := range []struct{ documents, queries []string }{
		{english, []string{"育儿假有多长？", "服务器什么时候备份？", "食堂几点关门？"}},
		{english, []string{"育嬰假有多長？", "伺服器什麼時候備份？", "食堂幾點關門？"}},
		{chinese, []string{"How long is parental leave?", "When are the servers backed up?", "When does the cafeteria close?"}},
	} {
		docs, err := e.EmbedDocuments(t.Context(), c.documents)
		if err != nil {
			t.Fatal(err)
		}
		queries, err := e.EmbedQueries(t.Context(), c.queries)
		if err != nil {
			t.Fatal(err)
		}
		for want, v := range queries {
			best := 0
			for i := range docs {
				if simd.Dot(v, docs[i]) > simd.Dot(v, docs[best]) {
					best = i
				}
			}
			if best != want {
				t.Errorf("%s: got %q", c.queries[want], c.documents[best])
			}
		}
	}
}

// In a collection of both languages a question finds what answers it in the other one before what is merely on a like matter in its own.
func TestEmbedder_FindsWhatAnswersInEitherLanguage(t *testing.T) {
	e, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	passages := []string{
		"Parental leave lasts sixteen weeks at full pay.", "The servers are backed up at midnight.", "Visitors park behind the north gate.",
		"差旅费须在一个月内报销。", "办公室的打印机在二楼。", "食堂每天供应素食。",
	}
	documents, err := e.EmbedDocuments(t.Context(), passages)
	if err != nil {
		t.Fatal(err)
	}
	questions := []string{"育儿假有多长？", "伺服器什麼時候備份？", "访客在哪里停车？", "How soon must travel expenses be claimed?", "Where is the printer?", "Does the cafeteria have vegetarian food?"}
	vectors, err := e.EmbedQueries(t.Context(), questions)
	if err != nil {
		t.Fatal(err)
	}
	for want, v := range vectors {
		q, best := e.AcrossLanguages(v), 0
		for i, d := range documents {
			if simd.Dot(q, d) > simd.Dot(q, documents[best]) {
				best = i
			}
		}
		if best != want {
			t.Errorf("%s: got %q, want %q", questions[want], passages[best], passages[want])
		}
	}
}

func BenchmarkEmbedDocuments(b *testing.B) {
	e := plain()
	text := strings.TrimSpace(strings.Repeat("word ", 250))
	texts := make([]string, 16)
	for i := range texts {
		texts[i] = text
	}
	for b.Loop() {
		if _, err := e.EmbedDocuments(b.Context(), texts); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N*len(texts)*250)/b.Elapsed().Seconds(), "tokens/s")
}

func BenchmarkEmbedQuery(b *testing.B) {
	e := plain()
	for b.Loop() {
		if _, err := e.EmbedQueries(b.Context(), []string{"How long is parental leave for new fathers in the Berlin office?"}); err != nil {
			b.Fatal(err)
		}
	}
}
