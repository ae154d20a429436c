package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"footnote/internal/answer"
	"footnote/internal/eval"
	"footnote/internal/rag"
)

// evalFeaturesOptions are the flags of eval features.
type evalFeaturesOptions struct {
	dataset, wording, keep, split, out string
	foreign                            []string
	most, foreignMost                  int
	traits                             bool
}

func (p *program) evalFeaturesCommand() *cobra.Command {
	var o evalFeaturesOptions
	cmd := &cobra.Command{
		Use:   "features --dataset DIR --out FILE",
		Short: "Write what the weights of answers are fitted on",
		Long: `Ask a set's questions of its documents and write, a line of JSON each, what the service weighs before it answers: the signs that tell whether there is an answer, and with --traits those of
the sentences that tell which one it is. Every question that the set answers is written once more without the passages that hold its gold answer. Questions of --foreign sets have no answer here.
cmd/answerfit of the source fits the weights.`,
		Example: `  footnote eval features --dataset data/xquad-en --foreign data/cranfield,data/chroma-chunking --out features/xquad-en.jsonl --keep /tmp/sets`,
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return p.evalFeatures(cmd.Context(), o) },
	}
	f := cmd.Flags()
	f.StringVar(&o.dataset, "dataset", "", "folder of the set")
	f.StringVar(&o.wording, "wording", "", "folder of a set that words questions of the same ids otherwise, such as in another language")
	f.StringVar(&o.out, "out", "", "file to write")
	f.StringVar(&o.keep, "keep", "", "folder to keep the store in, for the next run (default: a temporary one)")
	f.StringVar(&o.split, "split", "", "in sets whose questions' ids begin with a split's name, such as DEV_1, ask only those of this one (default: all)")
	f.StringSliceVar(&o.foreign, "foreign", nil, "folders of sets whose questions this one cannot answer")
	f.IntVar(&o.most, "queries", 0, "ask only so many questions, evenly spread (default: all)")
	f.IntVar(&o.foreignMost, "foreign-queries", 0, "ask only so many questions of each foreign set, evenly spread (default: all)")
	f.BoolVar(&o.traits, "traits", false, "write the traits of the sentences of the set's own questions too, with and without token states")
	cmd.MarkFlagRequired("dataset")
	cmd.MarkFlagRequired("out")
	return cmd
}

// featureLine is a question as it is written.
type featureLine struct {
	Set      string `json:"set"`
	Asked    string `json:"asked"` // the set that the question is of
	Question string `json:"question"`
	Kind     string `json:"kind"` // own; none: the set says that it has no answer; foreign; without: own, and the passages with the gold answer are left out
	answer.Features
	Answers []bool `json:"answers,omitempty"` // by sentence: it is gold
}

func (p *program) evalFeatures(ctx context.Context, o evalFeaturesOptions) error {
	d, err := eval.ReadAnswers(o.dataset)
	if errors.Is(err, eval.ErrNoAnswers) {
		d.Gold = map[string]eval.Gold{}
		if d.Dataset, err = eval.Read(o.dataset); err == nil {
			for _, q := range d.Queries {
				d.Gold[q.ID] = eval.Gold{Answerable: true}
			}
		}
	}
	if err != nil {
		return exitError{exitUsage, err}
	}
	d.Split(o.split)
	own := d.Dataset
	if o.wording != "" {
		if own, err = reworded(d.Dataset, o.wording); err != nil {
			return exitError{exitUsage, err}
		}
	}
	own.Sample(o.most)
	foreign, err := evalOptions{}.read(o.foreign, 0)
	if err != nil {
		return err
	}
	store, end, err := p.openEvalStore(ctx, o.keep)
	if err != nil {
		return err
	}
	defer end()
	e, err := store.open(ctx, d.Dataset)
	if err != nil {
		return err
	}
	fmt.Fprintf(p.stderr, "%s: %d documents\n", d.Name, len(d.Documents))
	for documents := range slices.Chunk(d.Documents, 256) {
		if err := e.Add(ctx, documents); err != nil {
			return err
		}
	}
	gold, err := eval.PlaceGold(ctx, d, answering{evaluated: e}.Stored)
	if err != nil {
		return err
	}
	file, err := os.Create(o.out)
	if err != nil {
		return exitError{exitUsage, err}
	}
	defer file.Close()
	w := featureWriter{evaluated: e, set: d, gold: gold, traits: o.traits, out: bufio.NewWriter(file)}
	if err := w.ask(ctx, own, false); err != nil {
		return err
	}
	for _, f := range foreign {
		f.Sample(o.foreignMost)
		fmt.Fprintf(p.stderr, "%s: %d questions of %s\n", d.Name, len(f.Queries), f.Name)
		if err := w.ask(ctx, f, true); err != nil {
			return err
		}
	}
	if err := errors.Join(w.out.Flush(), file.Close()); err != nil {
		return err
	}
	return store.settle(ctx, e)
}

// reworded are the questions of a set in the words that another set has for them, under that one's name.
func reworded(d eval.Dataset, dir string) (eval.Dataset, error) {
	other, err := eval.Read(dir)
	if err != nil {
		return d, err
	}
	other.Queries = slices.DeleteFunc(other.Queries, func(q eval.Query) bool {
		return !slices.ContainsFunc(d.Queries, func(mine eval.Query) bool { return mine.ID == q.ID })
	})
	if len(other.Queries) == 0 {
		return d, fmt.Errorf("%s has no question of the ids of %s", dir, d.Name)
	}
	return other, nil
}

// featureWriter writes the features of questions that are asked of one set.
type featureWriter struct {
	*evaluated
	set    eval.AnswerSet
	gold   eval.Placed
	traits bool
	mu     sync.Mutex // of out
	out    *bufio.Writer
}

func (w *featureWriter) ask(ctx context.Context, d eval.Dataset, foreign bool) error {
	return eval.EachQuery(ctx, d.Queries, func(ctx context.Context, _ int, q eval.Query) error {
		passages, err := w.reads(ctx, q.Text)
		if err != nil {
			return err
		}
		line := featureLine{Set: w.set.Name, Asked: d.Name, Question: q.ID, Kind: "own"}
		switch {
		case foreign:
			line.Kind = "foreign"
		case !w.set.Gold[q.ID].Answerable:
			line.Kind = "none"
		}
		if err := w.write(ctx, line, q, passages); err != nil || line.Kind != "own" {
			return err
		}
		line.Kind = "without"
		var rest []rag.Passage
		for _, p := range passages {
			if !w.holds(q.ID, p) {
				p.Number = len(rest) + 1
				rest = append(rest, p)
			}
		}
		return w.write(ctx, line, q, rest)
	})
}

// holds tells whether a passage has the gold answer; where the set has no gold spans, whether it is of a gold document.
func (w *featureWriter) holds(question string, p rag.Passage) bool {
	if len(w.set.Gold[question].Spans) == 0 {
		return w.set.Judgments[question][p.Hit.Document.ExternalID] > 0
	}
	return w.gold.Overlaps(question, p.Hit.Document.ExternalID, p.Hit.Chunk.Span)
}

func (w *featureWriter) write(ctx context.Context, line featureLine, q eval.Query, passages []rag.Passage) (err error) {
	traits := w.traits && line.Kind == "own"
	if line.Features, err = w.answer.Features(ctx, q.Text, passages, traits); err != nil {
		return err
	}
	for _, s := range line.Sentences {
		line.Answers = append(line.Answers, w.gold.Overlaps(q.ID, s.Document, s.Span))
	}
	b, err := json.Marshal(line)
	if err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	_, err = w.out.Write(append(b, '\n'))
	return err
}

// reads gives what an answer to a question would be made of.
func (e *evaluated) reads(ctx context.Context, question string) ([]rag.Passage, error) {
	found, err := e.search.Search(ctx, rag.Query{Text: rag.Clip(question, rag.MaxQueryLength-1), Collections: []string{e.collection}, TopK: answer.DefaultPassages, Collapse: true, IgnorePhrases: true})
	if err != nil {
		return nil, err
	}
	if len(found.Degraded) > 0 {
		return nil, fmt.Errorf("the search left out: %s; the log says why", strings.Join(found.Degraded, ", "))
	}
	out := make([]rag.Passage, len(found.Hits))
	for i, h := range found.Hits {
		out[i] = rag.Passage{Number: i + 1, Hit: h}
	}
	return out, nil
}
