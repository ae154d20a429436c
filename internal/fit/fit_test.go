package fit

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestLogistic_FindsTheWeightsThatMadeTheLabels(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	want := []float64{-0.5, 2, -1}
	var examples []Example
	for range 20000 {
		f := []float64{1, r.NormFloat64(), r.NormFloat64()}
		examples = append(examples, Example{f, r.Float64() < Sigmoid(Dot(want, f)), 1})
	}
	near(t, Logistic(examples, 1, 1e-3), want)
	strong := Logistic(examples, 1, 1e6)
	if math.Abs(strong[1]) > 0.1 || math.Abs(strong[0]) < 0.1 {
		t.Errorf("a strong ridge gives %v: it holds all but the bias near 0", strong)
	}
}

func TestChoices_FindsTheWeightsThatChose(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 4))
	want := []float64{1.5, -1}
	var choices []Choice
	for range 8000 {
		c := Choice{Weight: 1, Right: make([]bool, 6)}
		for range c.Right {
			c.Features = append(c.Features, []float64{r.NormFloat64(), r.NormFloat64()})
		}
		at, left := 0, r.Float64()
		for k, chance := range Softmax(want, c.Features) {
			if left -= chance; left < 0 {
				at = k
				break
			}
		}
		c.Right[at] = true
		choices = append(choices, c)
	}
	near(t, Choices(choices, 1e-3), want)
}

func near(t *testing.T, got, want []float64) {
	t.Helper()
	for i := range want {
		if math.Abs(got[i]-want[i]) > 0.1 {
			t.Fatalf("got %v, want about %v", got, want)
		}
	}
}
