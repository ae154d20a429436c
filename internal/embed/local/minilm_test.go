package local

import (
	"os"
	"slices"
	"strings"
	"testing"

	"footnote/internal/evaldata"
	"footnote/internal/simd"
)

// miniLM is the folder of the real model all-MiniLM-L6-v2, which .ci/run fetches.
func miniLM(tb testing.TB) string {
	tb.Helper()
	dir := os.Getenv("TEST_MINILM_DIR")
	if dir == "" {
		if os.Getenv("REQUIRE_INTEGRATION") == "1" {
			tb.Fatal("TEST_MINILM_DIR is not set: the folder of all-MiniLM-L6-v2, as .ci/run fetches it, is not here")
		}
		tb.Skip("TEST_MINILM_DIR is not set: the folder of all-MiniLM-L6-v2, as .ci/run fetches it, is not here")
	}
	return dir
}

// TestOpenFolder_RealModelEqualsONNXRuntime holds ids and vectors of all-MiniLM-L6-v2 to those of Hugging Face's tokenizers and of ONNX Runtime, in
// float32, of the published ONNX file (64 texts of many scripts). In 8 bits the rounding of the weights alone costs .002, that of activations .003,
// and subtracting channels' means before rounding does not help. Retrieval does not suffer (docs/models.md).
func TestOpenFolder_RealModelEqualsONNXRuntime(t *testing.T) {
	dir := miniLM(t)
	texts := evaldata.Lines[referenceText](t, "testdata/minilm.jsonl")
	for _, c := range []struct {
		name      string
		precision Precision
		least     float64
	}{{"float32", Float32, 0.99999}, {"int8", Int8, 0.994}} {
		e, err := OpenFolder(dir, FolderOptions{Options: Options{Precision: c.precision}})
		if err != nil {
			t.Fatal(err)
		}
		if e.query != "" || e.document != "" || e.Dimensions() != 384 || e.tokens != 256 || e.MaxTokens() != 254 {
			t.Fatalf("got prefixes %q and %q, %d dimensions, %d tokens", e.query, e.document, e.Dimensions(), e.MaxTokens())
		}
		least, mean := 1.0, 0.0
		for _, r := range texts {
			if got := e.tokenizer.encode(r.Text); !slices.Equal(got, r.IDs) {
				t.Errorf("%q:\ngot  %v\nwant %v", r.Text, got, r.IDs)
				continue
			}
			if raceEnabled && len(r.IDs) > 64 {
				continue
			}
			v, err := e.EmbedDocuments(t.Context(), []string{r.Text})
			if err != nil {
				t.Fatal(err)
			}
			got := cosine(v[0], r.Vector)
			least, mean = min(least, got), mean+got/float64(len(texts))
			if got < c.least {
				t.Errorf("%s: %q: cosine %.6f", c.name, r.Text, got)
			}
		}
		if c.precision == Int8 && mean < 0.998 && !raceEnabled {
			t.Errorf("%s: mean cosine %.6f", c.name, mean)
		}
		t.Logf("%s (%s): cosine to ONNX Runtime at least %.6f, mean %.6f, over %d texts", c.name, simd.Path(), least, mean, len(texts))
		if _, err := e.EmbedQueries(t.Context(), []string{strings.Repeat("word ", 255)}); err == nil {
			t.Error("a text over max_seq_length was taken")
		}
	}
}
