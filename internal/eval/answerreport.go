package eval

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
)

// AnswerReport is what RunAnswers found.
type AnswerReport struct {
	Dataset      string        `json:"dataset"`
	Model        string        `json:"model"` // that wrote the answers
	Documents    int           `json:"documents"`
	Answerable   int           `json:"answerable"`   // questions of the set
	Unanswerable int           `json:"unanswerable"` // questions of the set
	Failed       int           `json:"failed"`       // answers that failed; they count as wrong
	Fallback     int           `json:"fallback"`     // answers that were extracted because the language model failed
	SpansLost    int           `json:"spans_lost"`   // gold spans that the stored texts do not have; no citation can be right about them
	All          AnswerScores  `json:"all"`
	Languages    []AnswerGroup `json:"languages,omitempty"` // of the questions, when there are several
	Refusals     []Refusal     `json:"refusals"`
}

// AnswerScores are the metrics by name; one that the set has no labels for is absent.
type AnswerScores struct {
	Metrics   map[string]Figure `json:"metrics"`
	Citations int               `json:"citations"`
	Sentences float64           `json:"sentences"` // of an answer, their mean
	Seconds   float64           `json:"seconds"`   // that an answer took, their mean, as many being asked at a time as there are processors
}

// AnswerGroup are the scores of the questions in one language.
type AnswerGroup struct {
	Language   string `json:"language"`
	Answerable int    `json:"answerable"`
	AnswerScores
}

func (r *AnswerReport) fill(own []judged, foreign []Dataset, others [][]judged) {
	all := slices.Concat(append([][]judged{own}, others...)...)
	for _, j := range all {
		r.Failed += int(oneIf(j.failed))
		r.Fallback += int(oneIf(j.fallback))
		if j.model != "" && !j.fallback {
			r.Model = j.model
		}
	}
	r.All = scoreAnswers(all)
	for _, language := range []string{"en", "zh"} {
		of := slices.DeleteFunc(slices.Clone(all), func(j judged) bool { return j.language != language })
		if len(of) > 0 && len(of) < len(all) {
			answerable, _ := divide(of)
			r.Languages = append(r.Languages, AnswerGroup{language, len(answerable), scoreAnswers(of)})
		}
	}
	answerable, unanswerable := divide(own)
	r.Answerable, r.Unanswerable = len(answerable), len(unanswerable)
	r.Refusals = append(r.Refusals, refusal("", answerable, unanswerable))
	for i, f := range foreign {
		r.Refusals = append(r.Refusals, refusal(f.Name, answerable, others[i]))
	}
	if len(foreign) > 1 {
		r.Refusals = append(r.Refusals, refusal(together, answerable, slices.Concat(others...)))
	}
}

// divide parts questions into answerable ones and others.
func divide(all []judged) (answerable, others []judged) {
	for _, j := range all {
		if j.answerable {
			answerable = append(answerable, j)
		} else {
			others = append(others, j)
		}
	}
	return answerable, others
}

func sureness(all []judged) []float64 {
	out := make([]float64, len(all))
	for i, j := range all {
		out[i] = j.sure
	}
	return out
}

func scoreAnswers(all []judged) AnswerScores {
	s := AnswerScores{Metrics: map[string]Figure{}}
	values := map[string][]float64{}
	var right, wrong []float64 // their support
	answers, seconds := 0.0, 0.0
	for _, j := range all {
		for name, v := range j.values {
			values[name] = append(values[name], v)
		}
		if !j.answerable {
			values[MetricRefused] = append(values[MetricRefused], oneIf(!j.answered))
		}
		values[MetricVerified] = append(values[MetricVerified], j.verified...)
		seconds += j.took.Seconds()
		if !j.answered {
			continue
		}
		answers++
		s.Sentences += j.sentences
		if j.values[MetricRight] == 1 {
			right = append(right, j.support)
		} else {
			wrong = append(wrong, j.support)
		}
	}
	for name, v := range values {
		if len(v) > 0 {
			s.Metrics[name] = Bootstrap(v)
		}
	}
	if len(right) > 0 && len(wrong) > 0 {
		s.Metrics[MetricSupportAUC] = bootstrapTwo(right, wrong, AUC)
	}
	if answerable, others := divide(all); len(answerable) > 0 && len(others) > 0 {
		yes, no := sureness(answerable), sureness(others)
		s.Metrics[MetricEvidenceAUC] = bootstrapTwo(yes, no, AUC)
		for name, answered := range map[string]float64{MetricRefused80: 0.8, MetricRefused90: 0.9, MetricRefused95: 0.95} {
			s.Metrics[name] = refused(answered, yes, no)
		}
	}
	s.Citations = len(values[MetricVerified])
	s.Sentences /= max(answers, 1)
	s.Seconds = seconds / float64(max(len(all), 1))
	return s
}

// JSON writes the report for programs.
func (r AnswerReport) JSON(w io.Writer) error { return json.NewEncoder(w).Encode(r) }

// Table writes the report for people.
func (r AnswerReport) Table(w io.Writer) error {
	fmt.Fprintf(w, "%s: answers of %s from %d documents to %d answerable and %d unanswerable questions; means with 95 %% bootstrap intervals\n", r.Dataset, r.Model, r.Documents, r.Answerable, r.Unanswerable)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	head := "metric\tall"
	for _, g := range r.Languages {
		head += "\t" + g.Language
	}
	fmt.Fprintln(t, head)
	for _, name := range AnswerMetrics {
		if _, ok := r.All.Metrics[name]; !ok {
			continue
		}
		line := name + "\t" + r.All.Metrics[name].String()
		for _, g := range r.Languages {
			if f, ok := g.Metrics[name]; ok {
				line += "\t" + f.String()
			} else {
				line += "\t–"
			}
		}
		fmt.Fprintln(t, line)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(w, "%d citations, %.2f sentences and %.0f ms an answer\n", r.All.Citations, r.All.Sentences, 1000*r.All.Seconds)
	if r.Failed+r.Fallback+r.SpansLost > 0 {
		fmt.Fprintf(w, "%d answers failed, %d fell back to extraction, %d gold spans are not in the stored texts\n", r.Failed, r.Fallback, r.SpansLost)
	}
	for _, f := range r.Refusals {
		if f.Unanswerable > 0 {
			fmt.Fprintf(w, "%s: %d questions, %.3f of them answered and %.3f of the answerable refused; AUC of the evidence %.3f, of the status %.3f; refused at 80, 90, 95 %% answered: %.3f, %.3f, %.3f\n",
				f.title(), f.Unanswerable, f.FalseAnswer, f.FalseRefusal, f.AUC.Mean, f.StatusAUC, f.RefusedAt80.Mean, f.RefusedAt90.Mean, f.RefusedAt95.Mean)
		}
		fmt.Fprintf(w, "coverage–risk with %s: area %.3f", f.title(), f.Area)
		for _, p := range thin(f.Curve, 0.2) {
			fmt.Fprintf(w, ", %.2f at %.2f", p.Risk, p.Coverage)
		}
		fmt.Fprintln(w)
	}
	return nil
}
