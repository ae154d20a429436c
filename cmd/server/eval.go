package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"footnote/internal/answer"
	"footnote/internal/eval"
	"footnote/internal/rag"
)

func (p *program) evalCommand() *cobra.Command {
	var dataset string
	var foreign, fusions, reranks, efforts, collapses []string
	var rerankDepth, most int
	cmd := &cobra.Command{
		Use:   "eval --dataset DIR",
		Short: "Measure retrieval on a labelled set: nDCG@10, recall, MRR, with intervals",
		Long: `Measure retrieval on a labelled set in the BEIR layout: corpus.jsonl {_id, title, text}, queries.jsonl {_id, text} and qrels.tsv. The set goes through
the whole pipeline into a temporary store: chunks are found, and a document ranks where its best chunk does. With --foreign, the questions of
other sets are asked as well, to see whether they are refused. The first values of --fusion, --rerank, --effort and --collapse make a search that is compared, query by
query, with each half of it alone; each further value makes one that differs in it alone, which is compared with the first one too. Quotation marks in the set's questions ask for nothing.`,
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
			if most > 0 {
				d.Queries = d.Queries[:min(most, len(d.Queries))]
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
	cmd.Flags().IntVar(&most, "queries", 0, "ask only so many of the set's questions, the first (default: all)")
	_ = cmd.MarkFlagRequired("dataset") // the flag exists
	return cmd
}

// evalVariants are each half of the search alone, the whole with the first value of every option, and one for each other value, which differs in it alone.
func evalVariants(fusions, reranks, efforts, collapses []string, depth int) ([]eval.Variant, error) {
	out := []eval.Variant{{Name: "dense", Query: rag.Query{Mode: rag.Dense}}, {Name: "lexical", Query: rag.Query{Mode: rag.Lexical}}}
	base := rag.Query{Mode: rag.Hybrid, RerankDepth: depth}
	options := []struct {
		values []string
		set    func(q *rag.Query, value string)
		usual  string
	}{
		{fusions, func(q *rag.Query, v string) { q.Fusion = rag.Fusion(v) }, string(rag.ZScore)},
		{efforts, func(q *rag.Query, v string) { q.Effort = rag.Effort(v) }, string(rag.NormalEffort)},
		{reranks, func(q *rag.Query, v string) { q.Rerank = rag.Rerank(v) }, string(rag.RerankNone)},
		{collapses, func(q *rag.Query, v string) { q.KeepDuplicates = v == "false" }, "true"},
	}
	name := "hybrid"
	for _, o := range options {
		if len(o.values) == 0 {
			return nil, errors.New("--fusion, --effort, --rerank and --collapse need a value")
		}
		if o.set(&base, o.values[0]); o.values[0] != o.usual {
			name += " " + o.values[0]
		}
	}
	for _, v := range collapses {
		if v != "true" && v != "false" {
			return nil, fmt.Errorf("--collapse must be true or false, got %q", v)
		}
	}
	out = append(out, eval.Variant{Name: name, Query: base})
	for i, o := range options {
		for _, value := range o.values[1:] {
			q := base
			o.set(&q, value)
			if i == len(options)-1 {
				value = "collapse=" + value
			}
			out = append(out, eval.Variant{Name: name + ", " + value, Query: q})
		}
	}
	for _, v := range out {
		v.Query.Text, v.Query.Collections = "x", []string{evalCollection}
		if err := v.Query.WithDefaults().Validate(); err != nil {
			return nil, err
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
	c.LogLevel, c.RerankTimeout = "warn", time.Minute // what is measured is the order, not the machine
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
	if len(found.Degraded) > 0 {
		return nil, fmt.Errorf("the search left out: %s; the log says why", strings.Join(found.Degraded, ", "))
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
	return e.answer.Evidence(ctx, query, passages)
}
