package eval

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"text/tabwriter"
	"time"

	"golang.org/x/sync/errgroup"

	"footnote/internal/rag"
)

// System is what is measured. Rank returns the ids of the documents that it finds, best first, each once.
type System interface {
	Add(ctx context.Context, documents []Document) error
	Rank(ctx context.Context, query string, v Variant, k int) ([]string, error)
	// Evidence is how sure the system is that its documents answer the query; it answers from 0 on.
	Evidence(ctx context.Context, query string) (float64, error)
}

// Variant is a way to search: Query without its text and collections.
type Variant struct {
	Name  string
	Query rag.Query
}

// depth is how many documents are ranked: what recall@100 needs.
const depth = 100

// Scores are a variant's metrics.
type Scores struct {
	Name      string `json:"name"`
	NDCG10    Figure `json:"ndcg@10"`
	Recall10  Figure `json:"recall@10"`
	Recall100 Figure `json:"recall@100"`
	MRR10     Figure `json:"mrr@10"`
}

// Difference is how much more a variant scores than another on the same queries. One whose interval holds 0 may be chance.
type Difference struct {
	Name   string `json:"name"`
	From   string `json:"from"`
	NDCG10 Figure `json:"ndcg@10"`
}

// Abstention says how well the system tells its own questions from foreign ones.
type Abstention struct {
	Foreign       string  `json:"foreign"`
	AUC           float64 `json:"auc"`
	OwnAnswered   float64 `json:"own_answered"`    // share of the set's questions that are answered
	ForeignRefuse float64 `json:"foreign_refused"` // share of foreign questions that are refused
}

// Report is what Run found.
type Report struct {
	Dataset    string       `json:"dataset"`
	Documents  int          `json:"documents"`
	Queries    int          `json:"queries"`
	AddSeconds float64      `json:"add_seconds"`
	Scores     []Scores     `json:"scores"`
	Difference []Difference `json:"differences,omitempty"`
	Abstention []Abstention `json:"abstention,omitempty"`
}

// Run adds the set's documents to an empty system and ranks them for every judged query in every way. Every hybrid variant is compared, query by query,
// with those of one half alone and with the first hybrid one. Questions of the foreign sets are
// asked too, to see whether they are refused. progress is called as the work goes on.
func Run(ctx context.Context, s System, d Dataset, variants []Variant, foreign []Dataset, progress func(what string, done, total int)) (Report, error) {
	r := Report{Dataset: d.Name, Documents: len(d.Documents), Queries: len(d.Queries)}
	started := time.Now()
	const batch = 256
	for at := 0; at < len(d.Documents); at += batch {
		progress("documents", at, len(d.Documents))
		if err := s.Add(ctx, d.Documents[at:min(at+batch, len(d.Documents))]); err != nil {
			return r, err
		}
	}
	r.AddSeconds = time.Since(started).Seconds()
	perQuery := make([][]float64, len(variants)) // nDCG@10
	for n, v := range variants {
		progress(v.Name, 0, len(d.Queries))
		rankings := make([][]string, len(d.Queries))
		err := EachQuery(ctx, d.Queries, func(ctx context.Context, i int, q Query) (err error) {
			rankings[i], err = s.Rank(ctx, q.Text, v, depth)
			return err
		})
		if err != nil {
			return r, fmt.Errorf("rank %s: %w", v.Name, err)
		}
		var scores Scores
		scores, perQuery[n] = score(v.Name, d, rankings)
		r.Scores = append(r.Scores, scores)
	}
	r.Difference = differences(variants, perQuery)
	if len(foreign) == 0 {
		return r, nil
	}
	own, err := evidence(ctx, s, d.Queries)
	if err != nil {
		return r, err
	}
	for _, f := range foreign {
		progress("questions of "+f.Name, 0, len(f.Queries))
		other, err := evidence(ctx, s, f.Queries)
		if err != nil {
			return r, err
		}
		r.Abstention = append(r.Abstention, Abstention{f.Name, AUC(own, other), ShareFrom(own, 0), 1 - ShareFrom(other, 0)})
	}
	return r, nil
}

// EachQuery calls f for every query, several at a time; the first error ends it.
func EachQuery(ctx context.Context, queries []Query, f func(ctx context.Context, i int, q Query) error) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i, q := range queries {
		g.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			return f(ctx, i, q)
		})
	}
	return g.Wait()
}

func evidence(ctx context.Context, s System, queries []Query) ([]float64, error) {
	out := make([]float64, len(queries))
	err := EachQuery(ctx, queries, func(ctx context.Context, i int, q Query) (err error) {
		out[i], err = s.Evidence(ctx, q.Text)
		return err
	})
	return out, err
}

func score(name string, d Dataset, rankings [][]string) (_ Scores, ndcg []float64) {
	var recall10, recall100, mrr []float64
	for i, q := range d.Queries {
		grades := d.Judgments[q.ID]
		ndcg = append(ndcg, NDCG(rankings[i], grades, 10))
		recall10 = append(recall10, Recall(rankings[i], grades, 10))
		recall100 = append(recall100, Recall(rankings[i], grades, 100))
		mrr = append(mrr, ReciprocalRank(rankings[i], grades, 10))
	}
	return Scores{name, Bootstrap(ndcg), Bootstrap(recall10), Bootstrap(recall100), Bootstrap(mrr)}, ndcg
}

// differences pairs the first hybrid variant with each half alone, and every other hybrid one with both halves and with it.
func differences(variants []Variant, perQuery [][]float64) (out []Difference) {
	first := -1
	for i, v := range variants {
		if v.Query.Mode != rag.Hybrid {
			continue
		}
		for j, from := range variants {
			if from.Query.Mode == rag.Hybrid && j != first {
				continue
			}
			out = append(out, Difference{v.Name, from.Name, Paired(perQuery[i], perQuery[j])})
		}
		if first < 0 {
			first = i
		}
	}
	return out
}

// Table writes the report for people.
func (r Report) Table(w io.Writer) error {
	fmt.Fprintf(w, "%s: %d documents (taken in within %.0f s), %d judged queries; means with 95 %% bootstrap intervals\n", r.Dataset, r.Documents, r.AddSeconds, r.Queries)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "search\tnDCG@10\trecall@10\trecall@100\tMRR@10")
	for _, s := range r.Scores {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", s.Name, s.NDCG10, s.Recall10, s.Recall100, s.MRR10)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, d := range r.Difference {
		fmt.Fprintf(w, "%s − %s: nDCG@10 %+.4f [%+.4f, %+.4f]\n", d.Name, d.From, d.NDCG10.Mean, d.NDCG10.Low, d.NDCG10.High)
	}
	for _, a := range r.Abstention {
		fmt.Fprintf(w, "abstention: %.3f of its own questions answered, %.3f of those of %s refused, AUC %.3f\n", a.OwnAnswered, a.ForeignRefuse, a.Foreign, a.AUC)
	}
	return nil
}

// JSON writes the report for programs.
func (r Report) JSON(w io.Writer) error { return json.NewEncoder(w).Encode(r) }

// String is the mean with its interval.
func (f Figure) String() string { return fmt.Sprintf("%.4f [%.3f, %.3f]", f.Mean, f.Low, f.High) }
