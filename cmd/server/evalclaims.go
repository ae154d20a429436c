package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"footnote/internal/answer"
	"footnote/internal/embed/local"
	"footnote/internal/eval"
	"footnote/internal/eval/counterfactual"
	"footnote/internal/rag"
)

// evalClaimsCommand measures how claims are checked. It asks the model and the comparison alone: no store is opened.
func (p *program) evalClaimsCommand() *cobra.Command {
	var verify, split string
	var english, chinese []string
	var n, documents int
	var seed uint64
	var show bool
	cmd := &cobra.Command{
		Use:   "eval-claims",
		Short: "Measure how claims are checked: support, contradictions caught, false alarms",
		Long: `Measure how claims are checked against passages, with the built-in model. --verify names a set with labelled claims (corpus.jsonl and verify.jsonl): how well support tells
supported claims from unrelated, silent and contradicting passages, and how far it can be taken at its word. --english and --chinese name sets whose documents false and true claims
are made of: numbers, dates, units, negations, directions, names and roles changed, and light paraphrases.`,
		Example: `  footnote eval-claims --verify data/scifact
  footnote eval-claims --english data/xquad-en,data/scifact --chinese data/drcd-dev,data/xquad-zh`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if verify == "" && len(english) == 0 && len(chinese) == 0 {
				return exitError{exitUsage, errors.New("name a set with --verify, --english or --chinese")}
			}
			e, err := local.New(local.Options{})
			if err != nil {
				return err
			}
			checker := claimChecker{answer.New(answer.Options{Embedder: e})}
			var r eval.ClaimReport
			if verify != "" {
				if err := eval.VerifyClaims(cmd.Context(), checker, verify, split, &r); err != nil {
					return exitError{exitUsage, err}
				}
			}
			wrong := func(c counterfactual.Claim, v eval.ClaimVerdict) {
				fmt.Fprintf(p.stderr, "%s %v %.2f\n  %s\n  %s\n", c.Kind, v.Kinds, v.Support, c.Sentence, c.Claim)
			}
			if !show {
				wrong = nil
			}
			for i, dirs := range [][]string{english, chinese} {
				if len(dirs) == 0 {
					continue
				}
				var names []string
				for _, d := range dirs {
					names = append(names, filepath.Base(filepath.Clean(d)))
				}
				if err := eval.Counterfactuals(cmd.Context(), checker, strings.Join(names, ", "), dirs, i == 1, documents, n, seed, &r, wrong); err != nil {
					return exitError{exitUsage, err}
				}
			}
			if p.asJSON {
				return r.JSON(p.stdout)
			}
			return r.Table(p.stdout)
		},
	}
	cmd.Flags().StringVar(&verify, "verify", "", "folder of a set with labelled claims")
	cmd.Flags().StringVar(&split, "split", "", "half of its claims to measure on: fit, which weights were learned on, or held (default: both)")
	cmd.Flags().StringSliceVar(&english, "english", nil, "folders of sets in English to make claims of")
	cmd.Flags().StringSliceVar(&chinese, "chinese", nil, "folders of sets in Chinese to make claims of")
	cmd.Flags().IntVar(&n, "claims", 2000, "false claims of a language, and as many true ones")
	cmd.Flags().IntVar(&documents, "documents", 1000, "documents of a set to make claims of, the first")
	cmd.Flags().Uint64Var(&seed, "seed", 1, "of the claims that are made")
	cmd.Flags().BoolVar(&show, "show", false, "print each made claim that was judged wrongly")
	return cmd
}

// claimChecker is the service as eval sees it.
type claimChecker struct{ *answer.Service }

func (c claimChecker) CheckClaims(ctx context.Context, pairs []eval.ClaimPair) ([]eval.ClaimVerdict, error) {
	checks := make([]answer.Check, len(pairs))
	for i, p := range pairs {
		checks[i] = answer.Check(p)
	}
	checked, err := c.Check(ctx, checks)
	if err != nil {
		return nil, err
	}
	out := make([]eval.ClaimVerdict, len(checked))
	for i, v := range checked {
		out[i] = eval.ClaimVerdict{Support: v.Support, Contradicted: v.Verdict == rag.VerdictContradicted, Cosine: v.Cosine, Covered: v.Covered, Start: v.Source.Start, End: v.Source.End}
		for _, m := range v.Mismatches {
			out[i].Kinds = append(out[i].Kinds, string(m.Kind))
		}
	}
	return out, nil
}
