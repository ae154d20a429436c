package eval

import (
	"slices"
)

// Refusal says how well the questions that the set answers are told from others, and what each threshold would cost: the set's own unanswerable questions
// (Foreign is empty; without such, the curve is of its answerable ones alone) or those of another set.
type Refusal struct {
	Foreign      string      `json:"foreign,omitempty"`
	Unanswerable int         `json:"unanswerable"`
	FalseRefusal float64     `json:"false_refusal"` // share of the answerable that are refused, with the service's threshold
	FalseAnswer  float64     `json:"false_answer"`  // share of the unanswerable that are answered
	AUC          Figure      `json:"evidence_auc"`
	StatusAUC    float64     `json:"status_auc"` // of answered or not alone
	RefusedAt80  Figure      `json:"refused_at_80"`
	RefusedAt90  Figure      `json:"refused_at_90"`
	RefusedAt95  Figure      `json:"refused_at_95"`
	Area         float64     `json:"risk_area"` // under the coverage–risk curve
	Curve        []RiskPoint `json:"curve"`     // in steps of coverage
}

// together stands for all foreign sets.
const together = "all of these sets"

// curveStep is how far apart, in coverage, the points of a report's curves are.
const curveStep = 0.05

func refused(answered float64, yes, no []float64) Figure {
	return bootstrapTwo(yes, no, func(yes, no []float64) float64 { return RefusedAt(answered, yes, no) })
}

func refusal(foreign string, answerable, unanswerable []judged) Refusal {
	r := Refusal{Foreign: foreign, Unanswerable: len(unanswerable)}
	var decisions []decision
	for _, j := range slices.Concat(answerable, unanswerable) {
		decisions = append(decisions, decision{j.sure, j.wrong})
	}
	r.Curve, r.Area = riskCurve(decisions)
	r.Curve = thin(r.Curve, curveStep)
	answered := func(all []judged) (n float64) {
		for _, j := range all {
			n += oneIf(j.answered) / float64(len(all))
		}
		return n
	}
	if len(answerable) > 0 {
		r.FalseRefusal = 1 - answered(answerable)
	}
	r.FalseAnswer = answered(unanswerable)
	if len(answerable) > 0 && len(unanswerable) > 0 {
		yes, no := sureness(answerable), sureness(unanswerable)
		r.AUC, r.StatusAUC = bootstrapTwo(yes, no, AUC), (1-r.FalseRefusal+1-r.FalseAnswer)/2
		r.RefusedAt80, r.RefusedAt90, r.RefusedAt95 = refused(0.8, yes, no), refused(0.9, yes, no), refused(0.95, yes, no)
	}
	return r
}

func (f Refusal) title() string {
	switch {
	case f.Foreign != "":
		return "questions of " + f.Foreign
	case f.Unanswerable > 0:
		return "its unanswerable questions"
	}
	return "its own questions alone"
}
