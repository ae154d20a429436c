package local

import (
	"bufio"
	"compress/gzip"
	"context"
	"encoding/binary"
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"footnote/internal/rag"
	"footnote/internal/simd"
)

// pair is one of the entailment set.
type pair struct{ Premise, Claim, Language, Source string }

// pairs reads the training pairs of the sources, or skips the test where there are none.
func pairs(t *testing.T, sources ...string) []pair {
	t.Helper()
	dir := os.Getenv("EVAL_DATA")
	if dir == "" {
		t.Skip("EVAL_DATA is not set: the texts of the estimate are not here")
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
	var out []pair
	s := bufio.NewScanner(z)
	s.Buffer(nil, 1<<22)
	for s.Scan() {
		var p pair
		if err := json.Unmarshal(s.Bytes(), &p); err != nil {
			t.Fatal(err)
		}
		if slices.Contains(sources, p.Source) && strings.TrimSpace(p.Premise) != "" && strings.TrimSpace(p.Claim) != "" {
			out = append(out, p)
		}
	}
	if err := s.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

// estimate is how many texts of each language an estimate is over: fewer when it is only checked.
func estimate() int {
	if *update {
		return 1000
	}
	return 100
}

// meanOf is the mean vector of some of the texts, chosen at random among those that are short enough.
func meanOf(t *testing.T, r *rand.Rand, texts []string, embed func(context.Context, []string) ([]rag.Embedding, error)) []float32 {
	t.Helper()
	var some []string
	for _, i := range r.Perm(len(texts)) {
		if len(some) < estimate() && plain().CountTokens(texts[i]) <= 400 {
			some = append(some, texts[i])
		}
	}
	vectors, err := embed(t.Context(), some)
	if err != nil {
		t.Fatal(err)
	}
	mean := make([]float32, plain().Dimensions())
	for _, v := range vectors {
		add(mean, v)
	}
	for i := range mean {
		mean[i] /= float32(len(vectors))
	}
	return mean
}

func writeFloats(t *testing.T, path string, values ...float32) {
	t.Helper()
	var b []byte
	for _, v := range values {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
	}
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
}

// likeShipped fails the test when two directions differ by more than estimates over other texts of the same kind do.
func likeShipped(t *testing.T, what string, estimated, shipped []float32, least float32) {
	t.Helper()
	estimated, shipped = slices.Clone(estimated), slices.Clone(shipped)
	unit(estimated)
	unit(shipped)
	if got := simd.Dot(estimated, shipped); got < least {
		t.Errorf("%s: what is shipped has cosine %.4f to an estimate on other texts of the same kind", what, got)
	}
}

// TestCentre_Update estimates the means: with -update it writes them, else it checks that they are what the texts give.
// The texts: 1,000 English and 1,000 Chinese premises and claims of fever, snli, csnli and pawsx.
func TestCentre_Update(t *testing.T) {
	premises, claims := map[string][]string{}, map[string][]string{}
	for _, p := range pairs(t, "fever", "snli", "csnli", "pawsx") {
		premises[p.Language] = append(premises[p.Language], p.Premise)
		claims[p.Language] = append(claims[p.Language], p.Claim)
	}
	r := rand.New(rand.NewPCG(20, 26))
	both := func(texts map[string][]string, embed func(context.Context, []string) ([]rag.Embedding, error)) []float32 {
		mean := meanOf(t, r, texts["en"], embed)
		add(mean, meanOf(t, r, texts["zh"], embed))
		for i := range mean {
			mean[i] /= 2
		}
		return mean
	}
	query, document := both(claims, plain().EmbedQueries), both(premises, plain().EmbedDocuments)
	if *update {
		writeFloats(t, "model/means.bin", append(query, document...)...)
		return
	}
	c, err := openCentre(len(query))
	if err != nil {
		t.Fatal(err)
	}
	likeShipped(t, "queries", query, c.query, .995)
	likeShipped(t, "passages", document, c.document, .995)
}

// TestLanguage_Update estimates the direction between the languages: with -update it writes it, else it checks that it is what the texts give.
// The texts: 1,000 English and 1,000 Chinese premises of snli and csnli, captions of the same kind of pictures.
func TestLanguage_Update(t *testing.T) {
	premises := map[string][]string{}
	seen := map[string]bool{} // each caption has several claims
	for _, p := range pairs(t, "snli", "csnli") {
		if !seen[p.Premise] {
			premises[p.Language] = append(premises[p.Language], p.Premise)
			seen[p.Premise] = true
		}
	}
	centred, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(20, 26))
	difference := meanOf(t, r, premises["zh"], centred.EmbedDocuments)
	english := meanOf(t, r, premises["en"], centred.EmbedDocuments)
	for i, x := range english {
		difference[i] -= x
	}
	t.Logf("the means of %d Chinese and %d English captions are %.3f apart", len(premises["zh"]), len(premises["en"]), math.Sqrt(float64(simd.Dot(difference, difference))))
	if *update {
		unit(difference)
		writeFloats(t, "model/language.bin", difference...)
		return
	}
	likeShipped(t, "the direction between the languages", difference, centred.language, .98)
}
