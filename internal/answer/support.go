package answer

import (
	"context"
	_ "embed" // the weights
	"encoding/json"
	"fmt"
	"math"
	"strings"

	"footnote/internal/answer/compare"
	"footnote/internal/rag"
	"footnote/internal/text"
)

// Support at and above which a claim is supported, or weak.
const (
	supportedFrom = 0.5
	weakFrom      = 0.3
)

// The centred cosine of a claim and the sentence that bears it out runs from about unrelatedCosine to sameCosine. Of use across languages, where nothing else is to be had.
const (
	unrelatedCosine = 0.15
	sameCosine      = 0.75
)

// Bearing is what is known of a claim and the span that bears it out best.
type Bearing struct {
	Claim, Source string
	Cosine        float64 // of their vectors
	Covered       float64 // share of the claim's terms, by their rarity, that the span has
	Passage       float64 // share of the claim's terms, by their rarity, that the whole passage has
	Near          float64 // cosine of the claim with the mean of the passage's sentences
	Comparison    compare.Comparison
	claim, source int // tokens
	chinese       bool
}

// Supporter scores how far spans bear claims out, from 0 to 1, in order. Differences of fact are seen to by its caller: whatever it says, a contradicted claim is not supported.
type Supporter interface {
	Support(ctx context.Context, bearings []Bearing) ([]float64, error)
}

// features of a logistic regression, by name.
func (e Bearing) features() []float64 {
	c := e.Comparison
	share := func(n, of int) float64 { return float64(n) / float64(max(of, 1)) }
	one := func(b bool) float64 {
		if b {
			return 1
		}
		return 0
	}
	chinese := one(e.chinese)
	f := []float64{
		1,
		e.Cosine,
		e.Covered,
		c.Coverage,
		c.Longest,
		share(c.Numbers.Missing(), c.Numbers.Asked),
		one(c.Has(rag.MismatchNumber) || c.Has(rag.MismatchUnit) || c.Has(rag.MismatchDate)),
		one(c.Has(rag.MismatchName) || c.Has(rag.MismatchRole)),
		one(c.Has(rag.MismatchNegation)),
		one(c.Has(rag.MismatchDirection) || c.Has(rag.MismatchQuantifier)),
		math.Log(float64(e.claim+1) / float64(e.source+1)),
		chinese,
		chinese * e.Cosine,
		chinese * e.Covered,
		chinese * c.Coverage,
		e.Passage,
		e.Near,
		e.Cosine * e.Cosine,
		e.Passage * e.Near,
	}
	return f
}

// featureNames are in the order of features.
var featureNames = []string{
	"bias", "cosine", "covered", "coverage", "longest", "numbers missing", "number differs", "name differs", "negation differs", "direction differs",
	"length ratio", "chinese", "chinese cosine", "chinese covered", "chinese coverage", "passage covered", "passage cosine", "cosine squared", "passage covered cosine",
}

// supportWeights were fitted by cmd/supportfit, which says on what.
//
//go:embed support.json
var supportWeights []byte

// supporting are the weights of features, in their order.
var supporting = func() []float64 {
	named := map[string]float64{}
	if err := json.Unmarshal(supportWeights, &named); err != nil {
		panic(fmt.Sprintf("support.json: %v", err)) // it is in the program
	}
	w := make([]float64, len(featureNames))
	for i, name := range featureNames {
		w[i] = named[name]
	}
	return w
}()

// regression is the logistic regression whose weights are built in.
type regression struct{}

// Support never fails.
func (regression) Support(_ context.Context, bearings []Bearing) ([]float64, error) {
	out := make([]float64, len(bearings))
	for i, e := range bearings {
		if e.Comparison.Foreign {
			out[i] = min(max((e.Cosine-unrelatedCosine)/(sameCosine-unrelatedCosine), 0), 1)
			continue
		}
		z := 0.0
		for j, x := range e.features() {
			z += supporting[j] * x
		}
		out[i] = 1 / (1 + math.Exp(-z))
	}
	return out, nil
}

// clip shortens a sentence that the model cannot take whole.
func (s *Service) clip(sentence string) string {
	if strings.TrimSpace(sentence) == "" {
		return "-"
	}
	for s.o.Embedder.CountTokens(sentence) > s.o.Embedder.MaxTokens() {
		sentence = text.Slice(sentence, 0, text.Len(sentence)*3/4)
	}
	return sentence
}
