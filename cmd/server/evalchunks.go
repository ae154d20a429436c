package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"footnote/internal/eval"
	"footnote/internal/rag"
)

// evalChunksOptions are the flags of eval chunks.
type evalChunksOptions struct {
	dataset, keep, mediaType string
	targets                  []int
	overlap, most, k         int
	neighbours, rerankDepth  int
	rerank                   string
	modes, cutters           []string
	weighted                 bool
}

// cutters are what the chunker is compared with; "own" is the chunker.
var cutters = map[string]eval.Cutter{"own": nil, "recursive": eval.CutRecursive, "fixed": eval.CutFixed}

func (p *program) evalChunksCommand() *cobra.Command {
	var o evalChunksOptions
	cmd := &cobra.Command{
		Use:   "chunks --dataset DIR",
		Short: "Measure how well the chunks that a search brings cover gold spans",
		Long: `Measure how well the first chunks that a search brings cover gold spans: the set needs spans.jsonl {query_id, doc_id, start, end, text} beside corpus.jsonl, queries.jsonl and
qrels.tsv. Recall, precision and intersection over union are by characters; "whole" is the share of the questions of which a gold span lies in one chunk from end to end.

Large chunks favour recall and small ones precision: give several --target-tokens. With --cutter recursive or fixed, the same texts are also cut at separators, or anywhere, into pieces
of the same mean length, with --weighted as a character sees it: that of the piece that it stands in.`,
		Example: `  footnote eval chunks --dataset data/chroma-chunking --target-tokens 150,200,300
  footnote eval chunks --dataset data/drcd-articles-dev --cutter own,recursive,fixed --keep /tmp/sets`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return p.evalChunks(cmd.Context(), o) },
	}
	f := cmd.Flags()
	f.StringVar(&o.dataset, "dataset", "", "folder of the set")
	f.StringVar(&o.keep, "keep", "", "folder to keep the store in, for the next run (default: a temporary one)")
	f.StringVar(&o.mediaType, "media-type", "text/plain", "what the set's documents are")
	f.IntSliceVar(&o.targets, "target-tokens", []int{rag.DefaultChunking.TargetTokens}, "sizes of chunks")
	f.IntVar(&o.overlap, "overlap-tokens", rag.DefaultChunking.OverlapTokens, "what chunks repeat at most of the one before")
	f.IntVar(&o.most, "queries", 0, "ask only so many questions, the first (default: all)")
	f.IntVar(&o.k, "top-k", 5, "chunks that a search brings")
	f.IntVar(&o.neighbours, "neighbours", 0, "bring so many chunks before and after each found one too, under the same headings")
	f.StringVar(&o.rerank, "rerank", string(rag.RerankNone), "reranker: none, late, endpoint")
	f.IntVar(&o.rerankDepth, "rerank-depth", 20, "candidates to rerank")
	f.StringSliceVar(&o.modes, "mode", []string{string(rag.Dense), string(rag.Lexical), string(rag.Hybrid)}, "ways to search: dense, lexical, hybrid")
	f.StringSliceVar(&o.cutters, "cutter", []string{"own"}, "own, recursive, fixed; own comes first")
	f.BoolVar(&o.weighted, "weighted", false, "match mean lengths weighted by length")
	if err := cmd.MarkFlagRequired("dataset"); err != nil {
		panic(err)
	}
	return cmd
}

// chunkRow is a line of the report.
type chunkRow struct {
	Dataset    string      `json:"dataset"`
	Cutter     string      `json:"cutter"`
	Target     int         `json:"target_tokens"`
	Overlap    int         `json:"overlap_tokens"`
	Chunks     int         `json:"chunks"`
	Characters float64     `json:"mean_characters"`
	Weighted   float64     `json:"weighted_mean_characters"`
	Search     string      `json:"search"`
	K          int         `json:"k"`
	Neighbours int         `json:"neighbours"`
	Rerank     string      `json:"rerank"`
	Queries    int         `json:"queries"`
	Recall     eval.Figure `json:"recall"`
	Precision  eval.Figure `json:"precision"`
	IoU        eval.Figure `json:"iou"`
	Whole      eval.Figure `json:"whole"`
	VersusOwn  eval.Figure `json:"whole_minus_own"` // of the same search; zero in own's rows
}

func (p *program) evalChunks(ctx context.Context, o evalChunksOptions) error {
	if len(o.cutters) == 0 || o.cutters[0] != "own" {
		return exitError{exitUsage, errors.New("--cutter must begin with own: it says how long the others' pieces are")}
	}
	for _, name := range o.cutters {
		if _, ok := cutters[name]; !ok {
			return exitError{exitUsage, fmt.Errorf("--cutter must be own, recursive or fixed, got %q", name)}
		}
	}
	if o.k < 1 || o.k > rag.MaxTopK {
		return exitError{exitUsage, fmt.Errorf("--top-k must be between 1 and %d, got %d", rag.MaxTopK, o.k)}
	}
	d, err := eval.Read(o.dataset)
	if err != nil {
		return exitError{exitUsage, err}
	}
	gold, err := eval.ReadSpans(o.dataset)
	if err != nil {
		return exitError{exitUsage, err}
	}
	if o.most > 0 {
		d.Queries = d.Queries[:min(o.most, len(d.Queries))]
	}
	store, end, err := p.openEvalStore(ctx, o.keep)
	if err != nil {
		return err
	}
	defer end()
	var rows []chunkRow
	for _, target := range o.targets {
		c := rag.Chunking{TargetTokens: target, OverlapTokens: min(o.overlap, target/2)}
		if err := c.Validate(); err != nil {
			return exitError{exitUsage, err}
		}
		more, err := p.evalChunking(ctx, store, d, gold, c, o)
		if err != nil {
			return fmt.Errorf("%d tokens: %w", target, err)
		}
		rows = append(rows, more...)
	}
	if p.asJSON {
		return json.NewEncoder(p.stdout).Encode(rows)
	}
	t := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "cutter\ttarget\toverlap\tchunks\tmean length\tweighted\tsearch\trecall@%d\tprecision\tIoU\twhole\twhole − own\n", o.k)
	for _, r := range rows {
		versus := ""
		if r.Cutter != "own" {
			versus = fmt.Sprintf("%+.4f [%+.3f, %+.3f]", r.VersusOwn.Mean, r.VersusOwn.Low, r.VersusOwn.High)
		}
		fmt.Fprintf(t, "%s\t%d\t%d\t%d\t%.0f\t%.0f\t%s\t%s\t%.4f\t%.4f\t%s\t%s\n", r.Cutter, r.Target, r.Overlap, r.Chunks, r.Characters, r.Weighted, r.Search, r.Recall, r.Precision.Mean, r.IoU.Mean, r.Whole, versus)
	}
	return t.Flush()
}

// evalChunking measures one size with every cutter.
func (p *program) evalChunking(ctx context.Context, store *evalStore, d eval.Dataset, gold map[string][]eval.LabelledSpan, c rag.Chunking, o evalChunksOptions) (rows []chunkRow, err error) {
	texts := make([]string, len(d.Documents)) // as they are stored
	own := map[string][]float64{}             // whole, of each search
	mean := 0.0
	var located map[string][]eval.Found
	for _, name := range o.cutters {
		p.say("%s, %s of %d tokens", d.Name, name, c.TargetTokens)
		matched := mean
		if name == "own" {
			matched = 0
		}
		chunking, sources := c, make([]rag.Source, 0, len(d.Documents))
		base := map[string]int{} // where a piece begins in its document
		if name == "own" {
			for _, doc := range d.Documents {
				sources = append(sources, evalSource(doc.ID, doc.Title, o.mediaType, doc.Text))
			}
		} else {
			chunking = rag.Chunking{TargetTokens: 480} // a piece stays whole where the model's limit lets it
			for i, spans := range eval.CutToMean(texts, cutters[name], mean, o.weighted) {
				runes := []rune(texts[i])
				for n, s := range spans {
					id := d.Documents[i].ID + "#" + strconv.Itoa(n)
					base[id] = s.Start
					sources = append(sources, evalSource(id, d.Documents[i].Title, "text/plain", string(runes[s.Start:s.End])))
				}
			}
		}
		e, err := store.openChunks(ctx, fmt.Sprintf("%s %v %s %g", name, chunking, o.mediaType, matched), chunking, d.Documents)
		if err != nil {
			return nil, err
		}
		if err := e.add(ctx, sources); err != nil {
			return nil, err
		}
		chunks, characters, weighted, err := e.sizes(ctx, name == "own", d, texts)
		if err != nil {
			return nil, err
		}
		if name == "own" {
			mean = characters
			if o.weighted {
				mean = weighted
			}
			if located, err = locate(d, texts, gold); err != nil {
				return nil, err
			}
		}
		for _, mode := range o.modes {
			p.say("%s, %s of %d tokens, %s", d.Name, name, c.TargetTokens, mode)
			var recall, precision, iou, whole []float64
			scores := make([]eval.SpanScores, len(d.Queries))
			err := eval.EachQuery(ctx, d.Queries, func(ctx context.Context, i int, q eval.Query) error {
				found, err := e.passages(ctx, q.Text, rag.Query{Mode: rag.Mode(mode), TopK: o.k, Rerank: rag.Rerank(o.rerank), RerankDepth: o.rerankDepth}, o.neighbours, base)
				scores[i] = eval.ScoreSpans(found, located[q.ID])
				return err
			})
			if err != nil {
				return nil, err
			}
			for _, s := range scores {
				recall, precision, iou, whole = append(recall, s.Recall), append(precision, s.Precision), append(iou, s.IoU), append(whole, s.Whole)
			}
			row := chunkRow{d.Name, name, c.TargetTokens, c.OverlapTokens, chunks, characters, weighted, mode, o.k, o.neighbours, o.rerank, len(d.Queries), eval.Bootstrap(recall), eval.Bootstrap(precision), eval.Bootstrap(iou), eval.Bootstrap(whole), eval.Figure{}}
			if name == "own" {
				own[row.Search] = whole
			} else {
				row.Overlap, row.VersusOwn = 0, eval.Paired(whole, own[row.Search])
			}
			rows = append(rows, row)
		}
		if store.vectors == "" {
			err = store.ingest.DeleteCollection(ctx, e.collection)
		} else {
			err = store.saveQuestions()
		}
		if err != nil {
			return nil, err
		}
	}
	return rows, nil
}

func (p *program) say(format string, args ...any) {
	fmt.Fprintf(p.stderr, time.Now().Format(time.TimeOnly)+" "+format+"\n", args...)
}

func evalSource(id, title, mediaType, content string) rag.Source {
	return rag.Source{Upload: rag.Upload{ExternalID: id, Title: title, MediaType: mediaType}, Content: strings.NewReader(content)}
}

// locate finds the gold spans in the texts as they are stored; one that is not there is an error, since it could not be found by any search.
func locate(d eval.Dataset, texts []string, gold map[string][]eval.LabelledSpan) (map[string][]eval.Found, error) {
	in := map[string]*eval.Locator{}
	for i, doc := range d.Documents {
		in[doc.ID] = eval.NewLocator(doc.Text, texts[i])
	}
	out := map[string][]eval.Found{}
	for query, spans := range gold {
		for _, g := range spans {
			l := in[g.Document]
			if l == nil {
				return nil, fmt.Errorf("a gold span of %s is in %q, which the set lacks", query, g.Document)
			}
			span, ok := l.Locate(g)
			if !ok {
				return nil, fmt.Errorf("a gold span of %s, %q, is not in the stored text of %q", query, rag.Clip(g.Text, 60), g.Document)
			}
			out[query] = append(out[query], eval.Found{Document: g.Document, Span: span})
		}
	}
	return out, nil
}
