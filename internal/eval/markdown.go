package eval

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// tolerance is how far below its better half a hybrid search may come out before Markdown names it.
const tolerance = 0.005

// Markdown writes the reports of one run as tables: how the halves and the whole rank, what each further variant adds, and which sets gain nothing from
// searching in both ways. Every report is of the same variants. Figures are in bold where the interval of the difference leaves out 0.
func Markdown(w io.Writer, reports []Report) error {
	if len(reports) == 0 || len(reports[0].Difference) == 0 {
		return errors.New("nothing to report: it takes a set, both halves and a hybrid search")
	}
	t := table{out: w}
	first := reports[0].Difference[0].Name
	t.head("set", "documents / questions", "dense", "lexical", first, first+" − dense", first+" − lexical")
	for _, r := range reports {
		t.row(r.Dataset, fmt.Sprintf("%s / %s", thousands(r.Documents), thousands(r.Queries)), r.of("dense").NDCG10.short(), r.of("lexical").NDCG10.short(), r.of(first).NDCG10.short(),
			r.difference(first, "dense").NDCG10.signed(), r.difference(first, "lexical").NDCG10.signed())
	}
	t.line("")
	t.head("set", "recall@10: dense", "lexical", first, "recall@100: dense", "lexical", first, "MRR@10: dense", "lexical", first)
	for _, r := range reports {
		cells := []string{r.Dataset}
		for _, f := range []func(Scores) Figure{func(s Scores) Figure { return s.Recall10 }, func(s Scores) Figure { return s.Recall100 }, func(s Scores) Figure { return s.MRR10 }} {
			for _, name := range []string{"dense", "lexical", first} {
				cells = append(cells, fmt.Sprintf("%.3f", f(r.of(name)).Mean))
			}
		}
		t.row(cells...)
	}
	if more := reports[0].others(first); len(more) > 0 {
		t.line("")
		t.line("What another choice adds to nDCG@10 of " + first + ":")
		t.line("")
		head := []string{"set"}
		for _, name := range more {
			head = append(head, strings.TrimPrefix(name, first+", "))
		}
		t.head(head...)
		for _, r := range reports {
			cells := []string{r.Dataset}
			for _, name := range more {
				cells = append(cells, r.difference(name, first).NDCG10.signed())
			}
			t.row(cells...)
		}
	}
	t.line("")
	t.verdict(reports, first)
	return t.err
}

// verdict says where the whole is above both of its halves and where it is not.
func (t *table) verdict(reports []Report, first string) {
	var above []string
	var not []string
	var far []string
	var sum, half float64
	for _, r := range reports {
		better := "dense"
		if r.of("lexical").NDCG10.Mean > r.of("dense").NDCG10.Mean {
			better = "lexical"
		}
		d := r.difference(first, better).NDCG10
		sum, half = sum+r.of(first).NDCG10.Mean, half+r.of(better).NDCG10.Mean
		switch {
		case d.Mean > 0:
			above = append(above, r.Dataset)
		default:
			not = append(not, fmt.Sprintf("%s (%s from %s)", r.Dataset, d.signed(), better))
		}
		if d.Mean < -tolerance {
			far = append(far, r.Dataset)
		}
	}
	n := float64(len(reports))
	t.line(fmt.Sprintf("- Mean of the sets: %s %.4f, the better half of each %.4f.", first, sum/n, half/n))
	t.line(fmt.Sprintf("- Above both halves: %d of %d sets: %s.", len(above), len(reports), orNone(above)))
	t.line("- Not above: " + orNone(not) + ".")
	t.line(fmt.Sprintf("- More than %.3f below the better half: %s.", tolerance, orNone(far)))
}

func orNone(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}

// of is a variant's scores.
func (r Report) of(name string) Scores {
	if i := slices.IndexFunc(r.Scores, func(s Scores) bool { return s.Name == name }); i >= 0 {
		return r.Scores[i]
	}
	return Scores{}
}

func (r Report) difference(name, from string) Difference {
	if i := slices.IndexFunc(r.Difference, func(d Difference) bool { return d.Name == name && d.From == from }); i >= 0 {
		return r.Difference[i]
	}
	return Difference{}
}

// others are the variants that are compared with the first hybrid one.
func (r Report) others(first string) (names []string) {
	for _, d := range r.Difference {
		if d.From == first {
			names = append(names, d.Name)
		}
	}
	return names
}

func (f Figure) short() string { return fmt.Sprintf("%.3f [%.3f, %.3f]", f.Mean, f.Low, f.High) }

func (f Figure) signed() string {
	s := fmt.Sprintf("%+.3f [%+.3f, %+.3f]", f.Mean, f.Low, f.High)
	if f.Low > 0 || f.High < 0 {
		return "**" + s + "**"
	}
	return s
}

func thousands(n int) string {
	s := fmt.Sprint(n)
	if len(s) > 3 {
		return s[:len(s)-3] + "," + s[len(s)-3:] // no set has a million documents
	}
	return s
}

// table writes Markdown; the first error stays.
type table struct {
	out io.Writer
	err error
}

func (t *table) line(s string) {
	if t.err == nil {
		_, t.err = fmt.Fprintln(t.out, s)
	}
}

func (t *table) row(cells ...string) { t.line("| " + strings.Join(cells, " | ") + " |") }

func (t *table) head(cells ...string) {
	t.row(cells...)
	t.row(slices.Repeat([]string{"---"}, len(cells))...)
}

// AnswerMarkdown writes the reports of one run as tables, for documents.
func AnswerMarkdown(w io.Writer, reports []AnswerReport) error {
	var b strings.Builder
	row := func(cells ...string) { b.WriteString("| " + strings.Join(cells, " | ") + " |\n") }
	head := func(cells ...string) {
		row(cells...)
		row(slices.Repeat([]string{"---"}, len(cells))...)
	}
	long := func(s AnswerScores, name string) string {
		if f, ok := s.Metrics[name]; ok {
			return fmt.Sprintf("%.3f [%.3f, %.3f]", f.Mean, f.Low, f.High)
		}
		return "–"
	}
	short := func(s AnswerScores, name string) string {
		if f, ok := s.Metrics[name]; ok {
			return fmt.Sprintf("%.3f", f.Mean)
		}
		return "–"
	}
	head("set", "documents / answerable", "right", "contains the answer", "F1", "exact", "first citation", "citation precision", "citation recall", "verified", "support AUC", "answered", "sentences")
	for _, r := range reports {
		for _, g := range append([]AnswerGroup{{"", r.Answerable, r.All}}, r.Languages...) {
			s, name := g.AnswerScores, r.Dataset
			if g.Language != "" {
				if name += ", " + g.Language; g.Answerable == 0 || g.Answerable == r.Answerable {
					continue // its own questions are in one language, only foreign ones are in another
				}
			}
			row(name, fmt.Sprintf("%d / %d", r.Documents, g.Answerable), long(s, MetricRight), long(s, MetricContains), short(s, MetricF1), short(s, MetricExact), long(s, MetricFirstCitation), long(s, MetricCitationPrecision),
				short(s, MetricCitationRecall), fmt.Sprintf("%s of %d", short(s, MetricVerified), s.Citations), short(s, MetricSupportAUC), short(s, MetricAnswered), fmt.Sprintf("%.2f", s.Sentences))
		}
	}
	b.WriteByte('\n')
	head("set", "questions that it cannot answer", "number", "refused", "answerable ones answered", "AUC of the evidence", "refused at 80 / 90 / 95 % answered", "area under the risk", "risk at 20 / 40 / 60 / 80 / 100 % coverage")
	for _, r := range reports {
		for _, f := range r.Refusals {
			from, number, refused, auc, at := "none", "–", "–", "–", "–"
			if f.Unanswerable > 0 {
				if from = f.Foreign; from == "" {
					from = "its own"
				}
				number, refused, auc = fmt.Sprint(f.Unanswerable), fmt.Sprintf("%.3f", 1-f.FalseAnswer), fmt.Sprintf("%.3f [%.3f, %.3f]", f.AUC.Mean, f.AUC.Low, f.AUC.High)
				at = fmt.Sprintf("%.3f / %.3f / %.3f", f.RefusedAt80.Mean, f.RefusedAt90.Mean, f.RefusedAt95.Mean)
			}
			var risks []string
			for _, coverage := range []float64{0.2, 0.4, 0.6, 0.8, 1} {
				risk := "–"
				if i := slices.IndexFunc(f.Curve, func(p RiskPoint) bool { return p.Coverage >= coverage-1e-9 }); i >= 0 {
					risk = fmt.Sprintf("%.3f", f.Curve[i].Risk)
				}
				risks = append(risks, risk)
			}
			row(r.Dataset, from, number, refused, fmt.Sprintf("%.3f", 1-f.FalseRefusal), auc, at, fmt.Sprintf("%.3f", f.Area), strings.Join(risks, " / "))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}
