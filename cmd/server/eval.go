package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"footnote/internal/eval"
	"footnote/internal/rag"
)

// evalOptions are the flags of eval.
type evalOptions struct {
	datasets, foreign                    []string // folders
	all, keep                            string   // folders
	report                               string   // Markdown file
	command                              string   // as the report gives it
	split                                string
	most                                 int // questions of a set; 0: all
	fusions, reranks, efforts, collapses []string
	rerankDepth                          int
	answers                              answerOptions
}

func (p *program) evalCommand() *cobra.Command {
	var o evalOptions
	cmd := &cobra.Command{
		Use:   "eval (--dataset DIR… | --all DIR)",
		Short: "Measure retrieval on labelled sets: nDCG@10, recall, MRR, with intervals",
		Long: `Measure retrieval on labelled sets in the BEIR layout: corpus.jsonl {_id, title, text}, queries.jsonl {_id, text} and qrels.tsv. A set goes through
the whole pipeline into a temporary store: chunks are found, and a document ranks where its best chunk does.

With --keep the store stays: the next run of the same program takes in only what it lacks, and one of another program, which may cut or analyse
otherwise, takes the documents in again but embeds only texts that it did not find. Vectors of the questions are kept too.

The first values of --fusion, --rerank, --effort and --collapse make a search that is compared, query by query, with each half of it alone;
each further value makes one that differs in it alone, which is compared with the first one too. Quotation marks in the set's questions ask
for nothing. With --foreign, the questions of other sets are asked as well, to see whether they are refused.

With --report, the tables of all sets are written into a Markdown file, between the two lines that mark their place.

` + answersLong,
		Example: `  footnote eval --dataset data/scifact
  footnote eval --dataset data/scifact --fusion zscore,rrf,convex --rerank none,late --keep /tmp/sets
  footnote eval --dataset data/xquad-en --foreign data/cranfield --json
  footnote eval --all data --split DEV --keep /tmp/sets --report docs/quality.md
  footnote eval --answers --dataset data/xquad-en --foreign data/cranfield --fail-below contains=0.85,refused=0.97`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.answers.check(cmd); err != nil {
				return exitError{exitUsage, err}
			}
			if o.answers.on {
				return p.evalAnswers(cmd.Context(), o)
			}
			o.command = "footnote eval --dataset DIR"
			for _, name := range []string{"split", "queries", "fusion", "rerank", "rerank-depth", "effort", "collapse"} {
				if cmd.Flags().Changed(name) {
					o.command += " --" + name + " " + strings.Trim(cmd.Flag(name).Value.String(), "[]")
				}
			}
			return p.eval(cmd.Context(), o)
		},
	}
	cmd.Flags().StringSliceVar(&o.datasets, "dataset", nil, "folders of sets")
	cmd.Flags().StringVar(&o.all, "all", "", "folder whose folders are sets; each is measured")
	cmd.Flags().StringVar(&o.keep, "keep", "", "folder to keep the store in, for the next run (default: a temporary one)")
	cmd.Flags().StringVar(&o.report, "report", "", "Markdown file to write the tables into")
	cmd.Flags().StringVar(&o.split, "split", "", "in sets whose questions' ids begin with a split's name, such as DEV_1, ask only those of this one (default: all)")
	cmd.Flags().IntVar(&o.most, "queries", 0, "ask only so many of a set's questions, the first (default: all)")
	cmd.Flags().StringSliceVar(&o.foreign, "foreign", nil, "folders of sets whose questions the others cannot answer")
	cmd.Flags().StringSliceVar(&o.fusions, "fusion", []string{"zscore"}, "ways to fuse: zscore, rrf, convex")
	cmd.Flags().StringSliceVar(&o.reranks, "rerank", []string{"none"}, "rerankers: none, late, endpoint")
	cmd.Flags().StringSliceVar(&o.efforts, "effort", []string{"normal"}, "normal, high: search again near the best")
	cmd.Flags().StringSliceVar(&o.collapses, "collapse", []string{"false"}, "near-duplicates as one hit: true, false")
	cmd.Flags().IntVar(&o.rerankDepth, "rerank-depth", 20, "candidates to rerank")
	o.answers.flags(cmd)
	cmd.MarkFlagsOneRequired("dataset", "all")
	cmd.MarkFlagsMutuallyExclusive("dataset", "all")
	cmd.AddCommand(p.evalChunksCommand(), p.evalFeaturesCommand())
	return cmd
}

// eval measures every set and prints each when it is done: a table, or a line of JSON.
func (p *program) eval(ctx context.Context, o evalOptions) error {
	variants, err := evalVariants(o.fusions, o.reranks, o.efforts, o.collapses, o.rerankDepth)
	if err != nil {
		return exitError{exitUsage, err}
	}
	folders := o.datasets
	if o.all != "" {
		if folders, err = eval.Folders(o.all); err != nil {
			return exitError{exitUsage, err}
		}
	}
	sets, err := o.read(folders, o.most)
	if err != nil {
		return err
	}
	foreign, err := o.read(o.foreign, 0)
	if err != nil {
		return err
	}
	store, end, err := p.openEvalStore(ctx, o.keep)
	if err != nil {
		return err
	}
	defer end()
	var reports []eval.Report
	for _, d := range sets {
		r, err := p.evalSet(ctx, store, d, variants, foreign)
		if err != nil {
			return fmt.Errorf("%s: %w", d.Name, err)
		}
		if p.asJSON {
			err = r.JSON(p.stdout)
		} else {
			err = r.Table(p.stdout)
		}
		if err != nil {
			return err
		}
		reports = append(reports, r)
	}
	if o.report == "" {
		return nil
	}
	var text strings.Builder
	fmt.Fprintf(&text, "\nModel %s (%s). A row alone: `%s`\n\n", store.embedder.Model(), store.embedder.Fingerprint(), o.command)
	if err := eval.Markdown(&text, reports); err != nil {
		return err
	}
	text.WriteByte('\n')
	return eval.WriteRegion(o.report, text.String())
}

// read reads sets, with at most so many questions, the first, unless it is 0.
func (o evalOptions) read(folders []string, most int) (sets []eval.Dataset, err error) {
	for _, dir := range folders {
		d, err := eval.Read(dir)
		if err != nil {
			return nil, exitError{exitUsage, err}
		}
		d.Split(o.split)
		if most > 0 {
			d.Queries = d.Queries[:min(most, len(d.Queries))]
		}
		sets = append(sets, d)
	}
	return sets, nil
}

func (p *program) evalSet(ctx context.Context, store *evalStore, d eval.Dataset, variants []eval.Variant, foreign []eval.Dataset) (eval.Report, error) {
	e, err := store.open(ctx, d)
	if err != nil {
		return eval.Report{}, err
	}
	r, err := eval.Run(ctx, e, d, variants, foreign, func(what string, done, total int) {
		fmt.Fprintf(p.stderr, "%s, %s: %d of %d\n", d.Name, what, done, total)
	})
	if err != nil {
		return r, err
	}
	return r, store.settle(ctx, e)
}

// evalVariants are each half of the search alone, the whole with the first value of every option, and one for each other value, which differs in it alone.
func evalVariants(fusions, reranks, efforts, collapses []string, depth int) ([]eval.Variant, error) {
	base := rag.Query{Mode: rag.Hybrid, RerankDepth: depth}
	options := []struct {
		values []string
		set    func(q *rag.Query, value string)
		usual  string
	}{
		{fusions, func(q *rag.Query, v string) { q.Fusion = rag.Fusion(v) }, string(rag.ZScore)},
		{efforts, func(q *rag.Query, v string) { q.Effort = rag.Effort(v) }, string(rag.NormalEffort)},
		{reranks, func(q *rag.Query, v string) { q.Rerank = rag.Rerank(v) }, string(rag.RerankNone)},
		{collapses, func(q *rag.Query, v string) { q.Collapse = v == "true" }, "false"},
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
	half := rag.Query{Collapse: base.Collapse}
	out := make([]eval.Variant, 2, 3)
	for i, mode := range []rag.Mode{rag.Dense, rag.Lexical} {
		half.Mode = mode
		out[i] = eval.Variant{Name: string(mode), Query: half}
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
		v.Query.Text, v.Query.Collections = "x", []string{"eval"}
		if err := v.Query.WithDefaults().Validate(); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// evaluated is the service as eval sees it, with one set's collection.
type evaluated struct {
	*app
	collection string
	complete   bool // the set's documents are in it
}

func (e *evaluated) Add(ctx context.Context, documents []eval.Document) error {
	if e.complete {
		return nil
	}
	var sources []rag.Source
	for _, d := range documents {
		if text := evalText(d); text != "" {
			sources = append(sources, rag.Source{Upload: rag.Upload{ExternalID: d.ID, Title: d.Title, MediaType: "text/plain"}, Content: strings.NewReader(text)})
		}
	}
	return e.takeIn(ctx, sources)
}

// takeIn submits sources as one job and waits for its end.
func (e *evaluated) takeIn(ctx context.Context, sources []rag.Source) error {
	job, err := e.ingest.Submit(ctx, e.collection, sources)
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

func (e *evaluated) Rank(ctx context.Context, query string, v eval.Variant, k int) ([]string, error) {
	q := v.Query
	q.Text, q.Collections, q.TopK, q.IgnorePhrases = rag.Clip(query, rag.MaxQueryLength-1), []string{e.collection}, min(2*k, rag.MaxTopK), true
	found, err := e.search.Search(ctx, q)
	if err != nil {
		return nil, err
	}
	if len(found.Degraded) > 0 {
		return nil, fmt.Errorf("the search left out: %s; the log says why", strings.Join(found.Degraded, ", "))
	}
	// Chunk ids, which break ties, are another each time that a set is taken in; the documents' ids are not.
	slices.SortStableFunc(found.Hits, func(a, b rag.Hit) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.Document.ExternalID, b.Document.ExternalID))
	})
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

func (e *evaluated) Evidence(ctx context.Context, query string) (float64, error) {
	passages, err := e.reads(ctx, query)
	if err != nil {
		return 0, err
	}
	return e.answer.Evidence(ctx, query, passages)
}
