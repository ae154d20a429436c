// Command supportfit fits the weights of the regression that scores how far a span bears a claim out, and writes internal/answer/support.json.
//
//	go run ./cmd/supportfit -data DIR -verify DIR -share 0.12 -out internal/answer/support.json
//
// -data holds train.jsonl.gz and dev.jsonl.gz, lines of {premise, claim, label: supports | contradicts | neutral, language, source}; -verify is a set with verify.jsonl, half of whose claims
// are fitted on as well. The same data and the same model give the same weights. What is learned is nineteen numbers; no text is kept.
package main

import (
	"cmp"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"hash/fnv"
	"log/slog"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"

	"footnote/internal/answer"
	"footnote/internal/embed/local"
	"footnote/internal/eval"
	"footnote/internal/fit"
	"footnote/internal/rag"
)

type labelled struct{ Premise, Claim, Label, Language, Source string }

// quotas are how many pairs of a source, at most, are fitted on: supports, contradicts, neutral. Captions of pictures (snli and its kin) are far from what is asked of documents, so they count for little.
var quotas = map[string][3]int{
	"counterfactual": {1500, 1500, 1100}, "fever": {1500, 1000, 0}, "fm2": {900, 900, 0}, "fsym": {240, 240, 0}, "conj": {1200, 300, 600},
	"cadsnli": {500, 250, 350}, "csnli": {1500, 600, 900}, "pawsx": {1000, 0, 0}, "snli": {150, 100, 150}, "breaking": {200, 100, 31},
}

// unrelatedShare of the supported pairs are joined by the same claim with the premise of another.
const unrelatedShare = 0.4

func main() {
	data := flag.String("data", "", "folder with train.jsonl.gz and dev.jsonl.gz")
	out := flag.String("out", "internal/answer/support.json", "file to write")
	part := flag.Float64("share", 1, "share of the quotas to fit on")
	verify := flag.String("verify", "", "folder with corpus.jsonl and verify.jsonl")
	kept := flag.String("features", "", "file to keep the features in between runs; empty: none")
	flag.Parse()
	if err := run(context.Background(), *data, *verify, *kept, *out, *part); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// example is the features of a pair, and what it is for.
type example struct {
	Features []float64
	True     bool
	Weight   float64 // in the fit
	Set      string  // "fit", or what it is held out for
	Against  string  // of held-out ones that are not true: what they are
	Capped   bool    // it differs from its passage, or has a number that stands nowhere
}

func run(ctx context.Context, data, verify, kept, out string, part float64) error {
	examples, err := gather(ctx, data, verify, kept, part)
	if err != nil {
		return err
	}
	var fitted []fit.Example
	for _, e := range examples {
		if e.Set == "fit" {
			fitted = append(fitted, fit.Example{Features: e.Features, True: e.True, Weight: e.Weight})
		}
	}
	w := fit.Logistic(fitted, 1, ridge)
	named := map[string]float64{}
	for i, name := range answer.FeatureNames() {
		named[name] = math.Round(w[i]*1e4) / 1e4
	}
	b, err := json.MarshalIndent(named, "", "\t")
	if err != nil {
		return err
	}
	if err := os.WriteFile(out, append(b, '\n'), 0o644); err != nil {
		return fmt.Errorf("write the weights: %w", err)
	}
	for _, set := range []string{"fit", "dev", "verify"} {
		yes, no := []float64{}, map[string][]float64{}
		loss, n := 0.0, 0
		for _, e := range examples {
			if e.Set != set {
				continue
			}
			p := fit.Sigmoid(fit.Dot(w, e.Features))
			n++
			if e.True {
				loss -= math.Log(p)
			} else {
				loss -= math.Log(1 - p)
			}
			if e.Capped {
				p = min(p, 0.29)
			}
			if e.True {
				yes = append(yes, p)
			} else {
				no[e.Against] = append(no[e.Against], p)
			}
		}
		fmt.Printf("%s: %d pairs, mean log loss %.4f", set, n, loss/float64(n))
		for _, against := range slices.Sorted(maps.Keys(no)) {
			fmt.Printf(", AUC against %s %.4f (%d)", against, eval.AUC(yes, no[against]), len(no[against]))
		}
		fmt.Println()
	}
	return nil
}

// gather makes the features of all pairs, or reads them from the file that a run before left.
func gather(ctx context.Context, data, verify, kept string, part float64) ([]example, error) {
	var out []example
	if kept != "" {
		if b, err := os.ReadFile(kept); err == nil {
			return out, json.Unmarshal(b, &out)
		}
	}
	e, err := local.New(local.Options{})
	if err != nil {
		return nil, err
	}
	service := answer.New(answer.Options{Embedder: e, Logger: slog.New(slog.DiscardHandler)})
	train, err := eval.ReadLines[labelled](filepath.Join(data, "train.jsonl.gz"))
	if err != nil {
		return nil, err
	}
	dev, err := eval.ReadLines[labelled](filepath.Join(data, "dev.jsonl.gz"))
	if err != nil {
		return nil, err
	}
	var checks []answer.Check
	add := func(claim, title, passage string, e example) {
		checks, out = append(checks, answer.Check{Claim: claim, Title: title, Passage: passage}), append(out, e)
	}
	if verify != "" {
		if err := addVerify(verify, add); err != nil {
			return nil, err
		}
	}
	for _, p := range sample(train, part) {
		add(p.Claim, "", p.Premise, example{True: p.Label == "supports", Weight: 1, Set: "fit", Against: p.Label})
	}
	for _, p := range sample(dev, 2*part) {
		add(p.Claim, "", p.Premise, example{True: p.Label == "supports", Set: "dev", Against: p.Label})
	}
	found, err := service.Check(ctx, checks)
	if err != nil {
		return nil, err
	}
	for i, f := range found {
		out[i].Features, out[i].Capped = f.Features, f.Verdict == rag.VerdictContradicted || f.NumberMissing
	}
	if kept == "" {
		return out, nil
	}
	b, err := json.Marshal(out)
	if err != nil {
		return nil, err
	}
	return out, os.WriteFile(kept, b, 0o644)
}

// verifyWeight is how much a labelled claim of the set counts beside a pair of the inference data: its passages are what documents are like.
const verifyWeight = 3

func addVerify(dir string, add func(claim, title, passage string, e example)) error {
	pairs, err := eval.ReadClaims(dir)
	if err != nil {
		return err
	}
	for _, p := range pairs {
		e := example{True: p.Label == "SUPPORT", Against: p.Label, Set: "verify"}
		if p.Split == "fit" {
			e.Set, e.Weight = "fit", verifyWeight
		}
		add(p.Claim, p.Title, p.Passage, e)
	}
	return nil
}

// sample takes up to the quotas of each source and label, by hash, and adds unrelated pairs.
func sample(all []labelled, part float64) []labelled {
	hash := func(p labelled) uint64 {
		h := fnv.New64a()
		h.Write([]byte(p.Premise + "\x00" + p.Claim))
		return h.Sum64()
	}
	slices.SortStableFunc(all, func(a, b labelled) int { return cmp.Compare(hash(a), hash(b)) })
	taken := map[string]int{}
	var out []labelled
	for _, p := range all {
		label := slices.Index([]string{"supports", "contradicts", "neutral"}, p.Label)
		key := p.Source + p.Language + p.Label
		if label < 0 || taken[key] >= int(part*float64(quotas[p.Source][label])) {
			continue
		}
		taken[key]++
		out = append(out, p)
	}
	last := map[string]labelled{} // the pair before, of the same language and source
	for n, p := range slices.Clone(out) {
		if before, ok := last[p.Language+p.Source]; ok && p.Label == "supports" && float64(n%10) < 10*unrelatedShare && before.Premise != p.Premise {
			out = append(out, labelled{before.Premise, p.Claim, "neutral", p.Language, "unrelated"})
		}
		last[p.Language+p.Source] = p
	}
	return out
}

// ridge keeps weights small where the data says little.
const ridge = 1.0
