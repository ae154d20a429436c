package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"footnote/internal/answer"
	"footnote/internal/eval"
	"footnote/internal/rag"
)

// answerOptions are the flags of eval --answers.
type answerOptions struct {
	on, markdown bool
	foreignMost  int
	failBelow    []string
	thresholds   []eval.Threshold // of failBelow
}

const answersLong = `With --answers the set's questions are answered, extractively or by the language model that is configured, and the answers compared with answers.jsonl
{_id, answers, answerable} and spans.jsonl {query_id, doc_id, start, end, text}: whether they are right, whether the citations are of the gold spans, whether every one verifies, and whether
what the documents do not answer is refused, at the service's threshold and at any other (the coverage–risk curve). Questions of --foreign sets count as unanswerable.
--fail-below ends with exit code 1 when a metric is lower than it should be.`

func (o *answerOptions) flags(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&o.on, "answers", false, "measure answers instead of retrieval")
	cmd.Flags().StringSliceVar(&o.failBelow, "fail-below", nil, "with --answers, fail when a metric is lower: contains=0.85,citation_precision=0.75")
	cmd.Flags().BoolVar(&o.markdown, "markdown", false, "with --answers, print Markdown tables")
	cmd.Flags().IntVar(&o.foreignMost, "foreign-queries", 0, "with --answers, ask only so many questions of each foreign set, evenly spread (default: all)")
}

// check refuses flags that would be left aside, and reads the thresholds.
func (o *answerOptions) check(cmd *cobra.Command) (err error) {
	if o.markdown && cmd.Flags().Changed("json") {
		return errors.New("--markdown and --json exclude each other")
	}
	refuse, why := []string{"fusion", "rerank", "effort", "collapse", "rerank-depth", "report"}, "has no use with --answers"
	if !o.on {
		refuse, why = []string{"fail-below", "markdown", "foreign-queries"}, "needs --answers"
	}
	for _, name := range refuse {
		if cmd.Flags().Changed(name) {
			return fmt.Errorf("--%s %s", name, why)
		}
	}
	o.thresholds, err = eval.ParseThresholds(o.failBelow)
	return err
}

// evalAnswers measures the answers of every set and prints each when it is done: a table, a line of JSON, or, at the end, Markdown.
func (p *program) evalAnswers(ctx context.Context, o evalOptions) error {
	folders := o.datasets
	if o.all != "" {
		var err error
		if folders, err = eval.Folders(o.all); err != nil {
			return exitError{exitUsage, err}
		}
	}
	var sets []eval.AnswerSet
	for _, dir := range folders {
		d, err := eval.ReadAnswers(dir)
		if errors.Is(err, eval.ErrNoAnswers) && o.all != "" {
			continue
		}
		if err != nil {
			return exitError{exitUsage, err}
		}
		d.Split(o.split)
		if o.most > 0 {
			d.Queries = d.Queries[:min(o.most, len(d.Queries))]
		}
		sets = append(sets, d)
	}
	others, err := o.read(o.foreign, 0)
	if err != nil {
		return err
	}
	for i := range others {
		others[i].Sample(o.answers.foreignMost)
	}
	store, end, err := p.openEvalStore(ctx, o.keep)
	if err != nil {
		return err
	}
	defer end()
	var reports []eval.AnswerReport
	var below []string
	for _, d := range sets {
		r, err := p.evalAnswerSet(ctx, store, d, others)
		if err != nil {
			return fmt.Errorf("%s: %w", d.Name, err)
		}
		switch {
		case o.answers.markdown:
		case p.asJSON:
			err = r.JSON(p.stdout)
		default:
			err = r.Table(p.stdout)
		}
		if err != nil {
			return err
		}
		reports, below = append(reports, r), append(below, r.Below(o.answers.thresholds)...)
	}
	if o.answers.markdown {
		if err := eval.AnswerMarkdown(p.stdout, reports); err != nil {
			return err
		}
	}
	if len(below) > 0 {
		return errors.New(strings.Join(below, "\n"))
	}
	return nil
}

// evalAnswerSet takes a set in and has it answered.
func (p *program) evalAnswerSet(ctx context.Context, store *evalStore, d eval.AnswerSet, foreign []eval.Dataset) (eval.AnswerReport, error) {
	e, err := store.open(ctx, d.Dataset)
	if err != nil {
		return eval.AnswerReport{}, err
	}
	r, err := eval.RunAnswers(ctx, newAnswering(e), d, foreign, func(what string, done, total int) {
		fmt.Fprintf(p.stderr, "%s, %s: %d of %d\n", d.Name, what, done, total)
	})
	if err != nil {
		return r, err
	}
	return r, store.settle(ctx, e)
}

// answering is the service as eval asks it for answers.
type answering struct {
	*evaluated
	usual, anyway *answer.Service
}

func newAnswering(e *evaluated) answering {
	always := e.answers
	always.Always = true
	return answering{e, answer.New(e.answers), answer.New(always)}
}

func (a answering) Answer(ctx context.Context, question string) (eval.Given, error) {
	q := rag.Question{Query: rag.Query{Text: rag.Clip(question, rag.MaxQueryLength-1), Collections: []string{a.collection}, IgnorePhrases: true}}
	given, err := a.usual.Answer(ctx, q, nil)
	if err != nil {
		return eval.Given{}, err
	}
	if len(given.Degraded) > 0 {
		return eval.Given{}, fmt.Errorf("the search left out: %s; the log says why", strings.Join(given.Degraded, ", "))
	}
	evidence, err := a.usual.Evidence(ctx, q.Text, given.Passages)
	if err != nil {
		return eval.Given{}, err
	}
	g := eval.Given{Answer: given, Evidence: evidence}
	if g.Evidence < 0 && given.Status == rag.Abstained {
		anyway, err := a.anyway.Answer(ctx, q, nil)
		if err != nil {
			return g, err
		}
		g.Anyway = &anyway
	}
	return g, nil
}

func (a answering) Stored(ctx context.Context, document string) (string, error) {
	c, err := a.catalog.Collection(ctx, a.collection)
	if err != nil {
		return "", err
	}
	d, err := a.catalog.Document(ctx, c.ID, document)
	if err != nil {
		return "", err
	}
	return a.catalog.Text(ctx, d.ID)
}
