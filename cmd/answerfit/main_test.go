package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"footnote/internal/answer"
)

// made are lines of a set whose answerable questions have a greater first sign, and whose gold sentence has the greatest first trait.
func made(t *testing.T, folder, set, language string, across bool) {
	t.Helper()
	r := rand.New(rand.NewPCG(7, uint64(len(set))))
	var b strings.Builder
	for n := range 400 {
		kind, high := "own", 1.0
		if n%2 == 1 {
			kind, high = "without", 0
		}
		l := map[string]any{"set": set, "asked": set, "question": fmt.Sprint("q", n/2), "kind": kind, "language": language,
			"sides": []map[string]any{{"across": across, "states": []float64{high + 0.3*r.NormFloat64(), r.NormFloat64()}, "alone": []float64{high + 0.3*r.NormFloat64(), 0}}}}
		if kind == "own" {
			gold := n % 3
			var sentences []map[string]any
			answers := make([]bool, 3)
			for k := range 3 {
				traits := []float64{r.NormFloat64(), r.NormFloat64()}
				if answers[k] = k == gold; answers[k] {
					traits[0] += 3
				}
				sentences = append(sentences, map[string]any{"across": across, "states": traits, "alone": traits})
			}
			sentences = append(sentences, map[string]any{"across": across, "states": nil, "alone": nil}) // beyond what the model takes
			l["sentences"], l["answers"] = sentences, append(answers, false)
		}
		line, err := json.Marshal(l)
		if err != nil {
			t.Fatal(err)
		}
		b.Write(append(line, '\n'))
	}
	if err := os.WriteFile(filepath.Join(folder, set+language+".jsonl"), []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestRun_LearnsWhatTellsAnswersAndIsTheSameEveryTime(t *testing.T) {
	folder, out := t.TempDir(), filepath.Join(t.TempDir(), "weights.json")
	made(t, folder, "xquad-en", "en", false)
	made(t, folder, "xquad-en", "zh", true)
	if err := run(folder, out, "a model", io.Discard); err != nil {
		t.Fatal(err)
	}
	first, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	var w answer.Weights
	if err := json.Unmarshal(first, &w); err != nil {
		t.Fatalf("%v in %s", err, first)
	}
	for name, traits := range map[string][]float64{"states": w.States, "alone": w.Alone, "states across": w.StatesAcross, "alone across": w.AloneAcross} {
		if len(traits) != 2 || traits[0] < 1 || traits[1] > 0.5 || traits[1] < -0.5 {
			t.Errorf("%s: got the weights %v, want the first alone", name, traits)
		}
	}
	lines, err := read(folder)
	if err != nil {
		t.Fatal(err)
	}
	var own, without [2]float64 // answered, of how many, in the question's language
	for _, l := range lines {
		if l.Language != "en" {
			continue
		}
		kind := &own
		if l.Kind == "without" {
			kind = &without
		}
		kind[1]++
		kind[0] += oneIf(w.Evidence["a model"].States.Weigh("en", false, l.Sides[0].States) >= 0)
	}
	if share := own[0] / own[1]; share < answeredSame || share > answeredSame+0.02 || without[0] > 0.3*without[1] {
		t.Errorf("got %v of the answerable questions answered and %v of the others", own, without)
	}
	var report bytes.Buffer
	if err := run(folder, out, "a model", &report); err != nil {
		t.Fatal(err)
	}
	if again, err := os.ReadFile(out); err != nil || !bytes.Equal(again, first) {
		t.Errorf("the same files gave other weights: %v", err)
	}
	if !strings.Contains(report.String(), "| xquad-en, asked in en | own ones, gold passages taken out |") {
		t.Errorf("the report lacks the set:\n%s", report.String())
	}
}
