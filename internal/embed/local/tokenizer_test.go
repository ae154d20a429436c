package local

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"footnote/internal/evaldata"
)

type referenceText struct {
	Prefix, Text string
	IDs          []int32
	Vector       []float64
}

// reference reads the 150 texts whose ids and vectors were computed independently, in float64, from the same weights.
func reference(tb testing.TB) []referenceText {
	tb.Helper()
	out := evaldata.Lines[referenceText](tb, "testdata/reference.jsonl")
	if len(out) != 150 {
		tb.Fatalf("got %d reference texts, want 150", len(out))
	}
	return out
}

var opened = sync.OnceValues(func() (*weights, error) { return openWeights(modelBytes()) })

var tokenizing = sync.OnceValue(func() *tokenizer {
	w, err := opened()
	if err != nil {
		panic(err)
	}
	t, err := newTokenizer(w)
	if err != nil {
		panic(err)
	}
	return t
})

func TestTokenizer_IDsEqualTheReference(t *testing.T) {
	start := time.Now()
	tok := tokenizing()
	t.Logf("opened in %v", time.Since(start))
	for _, r := range reference(t) {
		if got := tok.encode(r.Prefix + r.Text); !slices.Equal(got, r.IDs) {
			t.Errorf("%q:\ngot  %v\nwant %v", r.Prefix+r.Text, got, r.IDs)
		}
		if got := tok.count(r.Prefix + r.Text); got != len(r.IDs)-2 {
			t.Errorf("%q: counted %d, want %d", r.Text, got, len(r.IDs)-2)
		}
	}
}

func TestTokenizer_TakesAnyBytes(t *testing.T) {
	tok := tokenizing()
	for _, s := range []string{"", " ", "\xff\xfe", "a\x00b", "\xf0\x9f\x98", strings.Repeat("長", 5000), strings.Repeat("x", 100_000), "🏳️‍🌈👩‍👩‍👧", "ｆｕｌｌ　ｗｉｄｔｈ", "<s></s><mask>"} {
		ids := tok.encode(s)
		if ids[0] != tok.bos || ids[len(ids)-1] != tok.eos {
			t.Errorf("%.20q: got %v", s, ids[:min(len(ids), 9)])
		}
		for _, id := range ids[1 : len(ids)-1] {
			if id == tok.bos || id == tok.eos || int(id) >= len(tok.scores) {
				t.Errorf("%.20q: a special id %d inside", s, id)
			}
		}
	}
}

func FuzzOpenWeights(f *testing.F) {
	f.Add(uint32(4), uint32(7), uint32(100))
	f.Add(uint32(4_632_326), uint32(0xffffffff), uint32(5_000_000))
	f.Fuzz(func(t *testing.T, at, value, cut uint32) {
		// A changed word somewhere in the first bytes, and a cut: an error or a file that opens, never a panic.
		data := append([]byte(nil), modelBytes()[:min(int(cut), len(model))]...)
		if int(at)+4 <= len(data) {
			data[at], data[at+1], data[at+2], data[at+3] = byte(value), byte(value>>8), byte(value>>16), byte(value>>24)
		}
		if _, err := openWeights(data); err == nil && len(data) < len(model) {
			t.Fatal("a cut file was opened")
		}
	})
}

// TestTokenizer_AllocatesNothing but what encode returns, on the fast way and on that of texts with marks. Composing what is decomposed
// takes an allocation of x/text's.
func TestTokenizer_AllocatesNothing(t *testing.T) {
	tok := tokenizing()
	texts := []string{"Sixteen weeks at full pay.", "育儿假为十六周，全薪。", "ผู้ใช้ ﷺ 🏳️‍🌈"}
	run := func() {
		for _, text := range texts {
			tok.count(text)
		}
	}
	run()
	if n := testing.AllocsPerRun(20, run); n >= 1 && !raceEnabled { // pools drop at random under the race detector
		t.Errorf("%g allocations, want none", n)
	}
}

// BenchmarkTokenizer is on one thread. TOKENIZER_TEXTS names a file of more texts, a line of JSON {"text"} each.
func BenchmarkTokenizer(b *testing.B) {
	var texts []string
	if path := os.Getenv("TOKENIZER_TEXTS"); path != "" {
		f, err := os.Open(path)
		if err != nil {
			b.Fatal(err)
		}
		defer f.Close()
		for lines := json.NewDecoder(f); lines.More(); {
			var line struct{ Text string }
			if err := lines.Decode(&line); err != nil {
				b.Fatal(err)
			}
			texts = append(texts, line.Text)
		}
	} else {
		for _, r := range reference(b) {
			texts = append(texts, r.Text)
		}
	}
	tok, n := tokenizing(), 0
	b.ReportAllocs()
	for b.Loop() {
		for _, text := range texts {
			n += tok.count(text)
		}
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "tokens/s")
}
