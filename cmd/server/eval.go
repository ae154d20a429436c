package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"footnote/internal/answer"
	"footnote/internal/eval"
	"footnote/internal/rag"
)

func (p *program) evalCommand() *cobra.Command {
	var dataset string
	var foreign, fusions, reranks, efforts, collapses []string
	var rerankDepth int
	cmd := &cobra.Command{
		Use:   "eval --dataset DIR",
		Short: "Measure retrieval on a labelled set: nDCG@10, recall, MRR, with intervals",
		Long: `Measure retrieval on a labelled set in the BEIR layout: corpus.jsonl {_id, title, text}, queries.jsonl {_id, text} and qrels.tsv. The set goes through
the whole pipeline into a temporary store: chunks are found, and a document ranks where its best chunk does. With --foreign, the questions of
other sets are asked as well, to see whether they are refused. Of --fusion, --rerank, --effort and --collapse, several values give every combination, compared query by
query with each half of the search alone and with the first combination. Quotation marks in the set's questions ask for nothing.`,
		Example: `  footnote eval --dataset data/scifact
  footnote eval --dataset data/scifact --fusion zscore,rrf,convex --rerank none,late
  footnote eval --dataset data/xquad-en --foreign data/cranfield --json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			d, err := eval.Read(dataset)
			if err != nil {
				return exitError{exitUsage, err}
			}
			var others []eval.Dataset
			for _, dir := range foreign {
				f, err := eval.Read(dir)
				if err != nil {
					return exitError{exitUsage, err}
				}
				others = append(others, f)
			}
			variants, err := evalVariants(fusions, reranks, efforts, collapses, rerankDepth)
			if err != nil {
				return exitError{exitUsage, err}
			}
			return p.eval(cmd.Context(), d, variants, others)
		},
	}
	cmd.Flags().StringVar(&dataset, "dataset", "", "folder of the set")
	cmd.Flags().StringSliceVar(&foreign, "foreign", nil, "folders of sets whose questions this one cannot answer")
	cmd.Flags().StringSliceVar(&fusions, "fusion", []string{"zscore"}, "ways to fuse: zscore, rrf, convex")
	cmd.Flags().StringSliceVar(&reranks, "rerank", []string{"none"}, "rerankers: none, late, endpoint")
	cmd.Flags().StringSliceVar(&efforts, "effort", []string{"normal"}, "normal, high: search again near the best")
	cmd.Flags().StringSliceVar(&collapses, "collapse", []string{"true"}, "near-duplicates as one hit: true, false")
	cmd.Flags().IntVar(&rerankDepth, "rerank-depth", 20, "candidates to rerank")
	_ = cmd.MarkFlagRequired("dataset") // the flag exists
	return cmd
}

// evalVariants are each half of the search alone and every combination of the options.
func evalVariants(fusions, reranks, efforts, collapses []string, depth int) ([]eval.Variant, error) {
	out := []eval.Variant{{Name: "dense", Query: rag.Query{Mode: rag.Dense}}, {Name: "lexical", Query: rag.Query{Mode: rag.Lexical}}}
	for _, fusion := range fusions {
		for _, effort := range efforts {
			for _, rerank := range reranks {
				for _, collapse := range collapses {
					v := eval.Variant{Name: "hybrid", Query: rag.Query{
						Mode: rag.Hybrid, Fusion: rag.Fusion(fusion), Effort: rag.Effort(effort), Rerank: rag.Rerank(rerank), RerankDepth: depth, KeepDuplicates: collapse == "false",
					}}
					if collapse != "true" && collapse != "false" {
						return nil, fmt.Errorf("--collapse must be true or false, got %q", collapse)
					}
					for _, part := range [][2]string{{fusion, "zscore"}, {effort, "normal"}, {rerank, "none"}, {"collapse=" + collapse, "collapse=true"}} {
						if part[0] != part[1] {
							v.Name += " " + part[0]
						}
					}
					check := v.Query
					check.Text, check.Collections = "x", []string{evalCollection}
					if err := check.WithDefaults().Validate(); err != nil {
						return nil, err
					}
					out = append(out, v)
				}
			}
		}
	}
	return out, nil
}

func (p *program) eval(ctx context.Context, d eval.Dataset, variants []eval.Variant, foreign []eval.Dataset) error {
	folder, err := os.MkdirTemp("", "footnote-eval-")
	if err != nil {
		return fmt.Errorf("make a temporary folder: %w", err)
	}
	defer os.RemoveAll(folder)
	p.flags["DATA"] = folder
	c, err := p.config()
	if err != nil {
		return err
	}
	c.LogLevel = "warn"
	a, err := openApp(ctx, c, p.logger(c, p.stderr))
	if err != nil {
		return err
	}
	stop := a.start(ctx)
	defer stop()
	if _, err := a.ingest.CreateCollection(ctx, rag.Collection{Name: evalCollection}); err != nil {
		return err
	}
	r, err := eval.Run(ctx, evaluated{a}, d, variants, foreign, func(what string, done, total int) {
		fmt.Fprintf(p.stderr, "%s: %d of %d\n", what, done, total)
	})
	if err != nil {
		return err
	}
	if p.asJSON {
		return r.JSON(p.stdout)
	}
	return r.Table(p.stdout)
}

const evalCollection = "eval"

// evaluated is the service as eval sees it.
type evaluated struct{ *app }

func (e evaluated) Add(ctx context.Context, documents []eval.Document) error {
	var sources []rag.Source
	for _, d := range documents {
		text := d.Text
		if strings.TrimSpace(text) == "" {
			text = d.Title // a few sets have documents without a body
		}
		if strings.TrimSpace(text) == "" {
			continue // cranfield has one without either
		}
		sources = append(sources, rag.Source{Upload: rag.Upload{ExternalID: d.ID, Title: d.Title, MediaType: "text/plain"}, Content: strings.NewReader(text)})
	}
	job, err := e.ingest.Submit(ctx, evalCollection, sources)
	if err != nil {
		return err
	}
	if job, err = e.ingest.Wait(ctx, job.ID); err != nil {
		return err
	}
	if job.Status != rag.JobSucceeded {
		return fmt.Errorf("taking documents in %s: %+v", job.Status, job.Error)
	}
	return nil
}

func (e evaluated) Rank(ctx context.Context, query string, v eval.Variant, k int) ([]string, error) {
	q := v.Query
	q.Text, q.Collections, q.TopK, q.IgnorePhrases = rag.Clip(query, rag.MaxQueryLength-1), []string{evalCollection}, min(2*k, rag.MaxTopK), true
	found, err := e.search.Search(ctx, q)
	if err != nil {
		return nil, err
	}
	var out []string
	seen := map[string]bool{}
	for _, h := range found.Hits {
		if id := h.Document.ExternalID; !seen[id] && len(out) < k {
			seen[id] = true
			out = append(out, id)
		}
	}
	return out, nil
}

func (e evaluated) Evidence(ctx context.Context, query string) (float64, error) {
	found, err := e.search.Search(ctx, rag.Query{Text: rag.Clip(query, rag.MaxQueryLength-1), Collections: []string{evalCollection}, TopK: answer.DefaultPassages, IgnorePhrases: true})
	if err != nil {
		return 0, err
	}
	passages := make([]rag.Passage, len(found.Hits))
	for i, h := range found.Hits {
		passages[i] = rag.Passage{Number: i + 1, Hit: h}
	}
	return answer.Evidence(e.embedder.Model(), query, passages), nil
}
