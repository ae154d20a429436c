package eval

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"sync/atomic"
	"time"

	"footnote/internal/rag"
	"footnote/internal/text"
)

// judge asks and tells right from wrong.
type judge struct {
	set      AnswerSet
	answerer Answerer
	Placed
}

// judged is a question with its outcome. Values are those of AnswerMetrics that belong to one question; those that it says nothing about are absent.
type judged struct {
	language   string
	answerable bool
	answered   bool
	sure       float64
	wrong      bool // what it answers, or would if the evidence were held to be enough
	values     map[string]float64
	verified   []float64 // of each citation, 1 or 0
	support    float64   // of its claims, their mean
	sentences  float64
	took       time.Duration
	failed     bool
	fallback   bool
	model      string
}

// ask asks every question of a set: the judge's own, or, when it has a name, a foreign one.
func (j *judge) ask(ctx context.Context, queries []Query, foreign string, progress func(what string, done, total int)) ([]judged, error) {
	what := "questions"
	if foreign != "" {
		what += " of " + foreign
	}
	out := make([]judged, len(queries))
	var done, failures atomic.Int64
	err := EachQuery(ctx, queries, func(ctx context.Context, i int, q Query) error {
		if n := done.Add(1) - 1; n%100 == 0 {
			progress(what, int(n), len(queries))
		}
		given, err := j.answerer.Answer(ctx, q.Text)
		gold := j.set.Gold[q.ID]
		if foreign != "" {
			gold = Gold{}
		}
		if err != nil {
			if !upstream(err) || ctx.Err() != nil || failures.Add(1) > maxFailures {
				return fmt.Errorf("answer question %s: %w", q.ID, err)
			}
			out[i] = judged{language: language(q.Text), answerable: gold.Answerable, sure: never, wrong: true, failed: true, values: zeros(gold)}
			return nil
		}
		out[i], err = j.judge(ctx, q, gold, given, foreign != "")
		return err
	})
	return out, err
}

// upstream tells the failures of somebody else's service.
func upstream(err error) bool {
	return slices.Contains([]rag.Code{rag.Unavailable, rag.RateLimited, rag.Timeout, rag.BadUpstream}, rag.CodeOf(err))
}

// language is "zh" or "en"; a text without a letter counts as English.
func language(s string) string {
	if text.Language(s) == "zh" {
		return "zh"
	}
	return "en"
}

// zeros are the values of a question that was not answered: it has no right word and no right citation. How precise the citations of answers are it does not touch.
func zeros(g Gold) map[string]float64 {
	v := map[string]float64{}
	if !g.Answerable {
		return v
	}
	v[MetricAnswered], v[MetricRight] = 0, 0
	if len(g.Answers) > 0 {
		v[MetricF1] = 0
		if !g.Long {
			v[MetricContains], v[MetricExact] = 0, 0
		}
	}
	if len(g.Spans) > 0 {
		v[MetricCitationRecall], v[MetricFirstCitation] = 0, 0
	}
	return v
}

func (j *judge) judge(ctx context.Context, q Query, gold Gold, given Given, foreign bool) (judged, error) {
	a := given.Answer
	out := judged{
		language: language(q.Text), answerable: gold.Answerable, answered: a.Status != rag.Abstained, sure: given.Evidence,
		values: zeros(gold), took: a.Timings["total"], fallback: a.Fallback, model: a.Model,
	}
	anyway := a
	if given.Anyway != nil {
		anyway = *given.Anyway
	}
	if anyway.Status == rag.Abstained {
		out.sure = never
	}
	out.wrong = !j.right(q, gold, anyway)
	for _, c := range a.Citations {
		ok, err := j.verifies(ctx, a, c)
		if err != nil {
			return out, err
		}
		out.verified = append(out.verified, oneIf(ok))
	}
	if !out.answered {
		return out, nil
	}
	for _, c := range a.Claims {
		out.support += c.Support / float64(len(a.Claims))
	}
	out.sentences = float64(len(text.Sentences(withoutMarkers(a.Text))))
	if gold.Answerable && !foreign {
		j.score(q, gold, a, out.values)
	}
	return out, nil
}

func oneIf(ok bool) float64 {
	if ok {
		return 1
	}
	return 0
}

var marker = regexp.MustCompile(` ?\[[0-9]+\]`)

// withoutMarkers is the text of an answer without its footnotes.
func withoutMarkers(answer string) string { return marker.ReplaceAllString(answer, "") }

// right tells whether an answer is right, as MetricRight says.
func (j *judge) right(q Query, gold Gold, a rag.Answer) bool {
	switch {
	case !gold.Answerable || a.Status == rag.Abstained:
		return false
	case !gold.Long && len(gold.Groups) > 0:
		return Contains(withoutMarkers(a.Text), gold.Groups)
	case len(gold.Spans) > 0:
		return slices.ContainsFunc(a.Citations, func(c rag.Citation) bool { return j.cites(q, c) })
	}
	return slices.ContainsFunc(a.Citations, func(c rag.Citation) bool { return j.set.Judgments[q.ID][c.Document.ExternalID] > 0 })
}

// cites tells whether a citation overlaps the sentence of a gold span.
func (j *judge) cites(q Query, c rag.Citation) bool {
	return j.Overlaps(q.ID, c.Document.ExternalID, c.SourceSpan)
}

// score fills in the values of an answer to an answerable question.
func (j *judge) score(q Query, gold Gold, a rag.Answer, v map[string]float64) {
	v[MetricAnswered], v[MetricRight] = 1, oneIf(j.right(q, gold, a))
	said := withoutMarkers(a.Text)
	if len(gold.Answers) > 0 {
		v[MetricF1] = AnswerF1(said, gold.Answers)
		if !gold.Long {
			v[MetricContains], v[MetricExact] = oneIf(Contains(said, gold.Groups)), ExactMatch(said, gold.Answers)
		}
	}
	overlapping, ofDocument := 0.0, 0.0
	for _, c := range a.Citations {
		overlapping += oneIf(j.cites(q, c))
		ofDocument += oneIf(j.set.Judgments[q.ID][c.Document.ExternalID] > 0)
	}
	n := float64(len(a.Citations))
	if n > 0 {
		v[MetricCitedDocument] = ofDocument / n
	}
	if len(gold.Spans) == 0 {
		return
	}
	if n > 0 {
		first := slices.MinFunc(a.Citations, func(x, y rag.Citation) int { return x.AnswerSpan.Start - y.AnswerSpan.Start })
		v[MetricCitationPrecision], v[MetricFirstCitation] = overlapping/n, oneIf(j.cites(q, first))
	}
	v[MetricCitationRecall] = recalled(j.gold[q.ID], a.Citations, gold.Long)
}

// recalled is the share of the gold spans of which at least half is cited, or, unless all are wanted, whether one is.
func recalled(gold []placed, citations []rag.Citation, all bool) float64 {
	n := 0
	for _, g := range gold {
		cited := 0
		for at := g.span.Start; at < g.span.End; at++ {
			if slices.ContainsFunc(citations, func(c rag.Citation) bool {
				return c.Document.ExternalID == g.document && c.SourceSpan.Start <= at && at < c.SourceSpan.End
			}) {
				cited++
			}
		}
		if 2*cited >= g.span.Len() {
			n++
		}
	}
	if all {
		return float64(n) / float64(max(len(gold), 1))
	}
	return oneIf(n > 0)
}

// verifies checks a citation for itself, by code points of the stored text: that the system says so is not enough.
func (j *judge) verifies(ctx context.Context, a rag.Answer, c rag.Citation) (bool, error) {
	id := c.Document.ExternalID
	stored, ok := j.stored[id]
	if !ok {
		var err error
		if stored, err = j.answerer.Stored(ctx, id); err != nil {
			if rag.CodeOf(err) == rag.NotFound {
				return false, nil
			}
			return false, fmt.Errorf("read document %s: %w", id, err)
		}
	}
	source, answer, s, of := []rune(stored), []rune(a.Text), c.SourceSpan, c.AnswerSpan
	return c.Verified && s.Start >= 0 && s.Start < s.End && s.End <= len(source) && string(source[s.Start:s.End]) == c.Quote &&
		of.Start >= 0 && of.Start < of.End && of.End <= len(answer), nil
}
