package local

import (
	"bufio"
	"compress/gzip"
	"context"
	"encoding/binary"
	"encoding/json"
	"flag"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
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

func TestEmbedder_VectorsEqualTheReferenceOnEveryPath(t *testing.T) {
	e, texts := plain(), reference(t)
	defer func() { _ = simd.Select("") }()
	for _, path := range simd.Paths() {
		if err := simd.Select(path); err != nil {
			t.Fatal(err)
		}
		some := texts
		if path == simd.Generic {
			some = texts[:3] // plain Go is thirty times slower
		}
		least := 1.0
		for _, r := range some {
			ids := e.tokenizer.encode(r.Prefix + r.Text)
			v := make([]float32, e.Dimensions())
			if err := e.encoder.encode(t.Context(), [][]int32{ids}, [][]float32{v}); err != nil {
				t.Fatal(err)
			}
			c := cosine(v, r.Vector)
			least = min(least, c)
			if c < 0.9995 {
				t.Errorf("%s: %q: cosine %.6f", path, r.Text, c)
			}
		}
		t.Logf("%s: least cosine %.7f over %d texts", path, least, len(some))
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
		if d := simd.Dot(together[i], alone[0]); math.Abs(float64(d)-1) > 1e-5 {
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

func TestOps_StayWithinTheirBounds(t *testing.T) {
	for x := -87.0; x <= 20; x += 0.003 {
		want := math.Exp(float64(float32(x)))
		if got := float64(exp32(float32(x))); math.Abs(got-want) > 4e-7*want {
			t.Fatalf("exp(%g): got %g, want %g", x, got, want)
		}
	}
	for x := -12.0; x <= 12; x += 0.001 {
		v := []float32{float32(x)}
		f := float64(v[0])
		want := f * 0.5 * (1 + math.Erf(f/math.Sqrt2))
		gelu(v)
		if math.Abs(float64(v[0])-want) > 5e-7*max(1, math.Abs(f)) {
			t.Fatalf("gelu(%g): got %g, want %g", f, v[0], want)
		}
	}
}

// TestCentre_Update estimates the means: with -update it writes them, else it checks that they are what the texts give.
// The texts: 1,000 English and 1,000 Chinese premises and claims of fever, snli, csnli and pawsx.
func TestCentre_Update(t *testing.T) {
	dir := os.Getenv("EVAL_DATA")
	if dir == "" {
		t.Skip("EVAL_DATA is not set: the texts that the means were estimated on are not here")
	}
	f, err := os.Open(filepath.Join(dir, "entailment", "train.jsonl.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	sources := map[string]bool{"fever": true, "snli": true, "csnli": true, "pawsx": true}
	var premises, claims = map[string][]string{}, map[string][]string{}
	s := bufio.NewScanner(z)
	s.Buffer(nil, 1<<22)
	for s.Scan() {
		var p struct{ Premise, Claim, Language, Source string }
		if err := json.Unmarshal(s.Bytes(), &p); err != nil {
			t.Fatal(err)
		}
		if sources[p.Source] && strings.TrimSpace(p.Premise) != "" && strings.TrimSpace(p.Claim) != "" {
			premises[p.Language] = append(premises[p.Language], p.Premise)
			claims[p.Language] = append(claims[p.Language], p.Claim)
		}
	}
	per := 1000
	if !*update {
		per = 100 // a check, not an estimate
	}
	r := rand.New(rand.NewPCG(20, 26))
	mean := func(texts map[string][]string, embed func(context.Context, []string) ([]rag.Embedding, error)) []float32 {
		sum := make([]float32, plain().Dimensions())
		n := 0
		for _, lang := range []string{"en", "zh"} {
			var some []string
			for _, i := range r.Perm(len(texts[lang])) {
				if text := texts[lang][i]; len(some) < per && plain().CountTokens(text) <= 400 {
					some = append(some, text)
				}
			}
			vectors, err := embed(t.Context(), some)
			if err != nil {
				t.Fatal(err)
			}
			for _, v := range vectors {
				add(sum, v)
				n++
			}
		}
		for i := range sum {
			sum[i] /= float32(n)
		}
		return sum
	}
	query, document := mean(claims, plain().EmbedQueries), mean(premises, plain().EmbedDocuments)
	if *update {
		b := make([]byte, 0, 8*len(query))
		for _, v := range append(query, document...) {
			b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
		}
		if err := os.WriteFile("model/means.bin", b, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	c, err := openCentre(len(query))
	if err != nil {
		t.Fatal(err)
	}
	for name, pair := range map[string][2][]float32{"queries": {query, c.query}, "passages": {document, c.document}} {
		unit(pair[0])
		shipped := append([]float32(nil), pair[1]...)
		unit(shipped)
		if got := simd.Dot(pair[0], shipped); got < 0.995 {
			t.Errorf("%s: the shipped mean has cosine %.4f to one estimated on other texts of the same kind", name, got)
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
