package local

import (
	"context"
	"encoding/binary"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"footnote/internal/evaldata"
	"footnote/internal/rag"
	"footnote/internal/simd"
)

// pair is one of the entailment set.
type pair struct{ Premise, Claim, Language, Source string }

// pairs reads the training pairs of the sources, or skips the test where there are none.
func pairs(t *testing.T, sources ...string) []pair {
	t.Helper()
	return slices.DeleteFunc(evaldata.Lines[pair](t, evaldata.Path(t, "entailment", "train.jsonl.gz")), func(p pair) bool {
		return !slices.Contains(sources, p.Source) || strings.TrimSpace(p.Premise) == "" || strings.TrimSpace(p.Claim) == ""
	})
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

// meanState is the mean of all token states of some of the texts.
func meanState(t *testing.T, r *rand.Rand, texts []string, query bool) []float32 {
	t.Helper()
	mean := make([]float32, plain().Dimensions())
	n := 0
	for _, i := range r.Perm(len(texts)) {
		if n == estimate() {
			break
		}
		states, err := plain().TokenStates(t.Context(), texts[i:i+1], query)
		if err != nil {
			t.Fatal(err)
		}
		n++
		for _, s := range states[0] {
			for k, x := range s {
				mean[k] += x / float32(len(states[0]))
			}
		}
	}
	for k := range mean {
		mean[k] /= float32(n)
	}
	return mean
}

// TestStates_Update estimates the constants of token states: with -update it writes them, else it checks that they are what the texts give.
// The texts: for the direction 1,000 English and 1,000 Chinese premises of snli and csnli, captions of the same kind of pictures; for the means as many premises and claims of those and of fever and pawsx.
func TestStates_Update(t *testing.T) {
	premises, claims := map[string][]string{}, map[string][]string{}
	seen := map[string]bool{}
	for _, p := range pairs(t, "snli", "csnli", "fever", "pawsx") {
		kind := p.Language
		if p.Source == "snli" || p.Source == "csnli" {
			kind += " captions"
		}
		if !seen[p.Premise] && len(p.Premise) <= 1500 {
			premises[kind], claims[kind] = append(premises[kind], p.Premise), append(claims[kind], p.Claim)
			seen[p.Premise] = true
		}
	}
	r := rand.New(rand.NewPCG(20, 26))
	mean := func(of map[string][]string, query bool) (mean, between []float32) {
		between, english := meanState(t, r, of["zh captions"], query), meanState(t, r, of["en captions"], query)
		mean = make([]float32, len(between))
		for _, part := range [][]float32{between, english, meanState(t, r, of["en"], query), meanState(t, r, of["zh"], query)} {
			for i, x := range part {
				mean[i] += x / 4
			}
		}
		for i, x := range english {
			between[i] -= x
		}
		return mean, between
	}
	document, language := mean(premises, false)
	query, _ := mean(claims, true)
	t.Logf("the mean states of Chinese and English captions are %.3f apart", math.Sqrt(float64(simd.Dot(language, language))))
	if *update {
		unit(language)
		writeFloats(t, "model/states.bin", slices.Concat(language, query, document)...)
		return
	}
	c, err := openStateCentre(len(query))
	if err != nil {
		t.Fatal(err)
	}
	likeShipped(t, "the direction between the languages", language, c.language, .98)
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
