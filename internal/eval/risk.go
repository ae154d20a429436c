package eval

import (
	"math"
	"math/rand/v2"
	"slices"
)

// decision is a question with how sure the system was of its answer, and whether that answer was wrong; never (−Inf): it would not have answered at all.
type decision struct {
	sure  float64
	wrong bool
}

var never = math.Inf(-1)

// RiskPoint is the share of wrong answers when so large a share of the questions is answered, those with the most evidence first.
type RiskPoint struct {
	Coverage float64 `json:"coverage"`
	Risk     float64 `json:"risk"`
	Evidence float64 `json:"evidence"` // of the last one that is answered
}

// riskCurve is the coverage–risk curve (El-Yaniv & Wiener, JMLR 2010) at every evidence that occurs, by falling evidence, and the area under it: the mean over the questions that
// would be answered of the risk at which each comes in (AURC: Geifman, Uziel & El-Yaniv, ICLR 2019). Questions of the same evidence come in together. An answer that would never be given
// is neither risk nor coverage, so a curve may end below coverage 1.
func riskCurve(decisions []decision) (curve []RiskPoint, area float64) {
	byEvidence := slices.Clone(decisions)
	slices.SortFunc(byEvidence, func(a, b decision) int {
		switch {
		case a.sure > b.sure:
			return -1
		case a.sure < b.sure:
			return 1
		}
		return 0
	})
	wrong, answered := 0, 0
	for i := 0; i < len(byEvidence) && byEvidence[i].sure > never; {
		from := i
		for ; i < len(byEvidence) && byEvidence[i].sure == byEvidence[from].sure; i++ {
			if byEvidence[i].wrong {
				wrong++
			}
		}
		answered = i
		p := RiskPoint{Coverage: float64(i) / float64(len(byEvidence)), Risk: float64(wrong) / float64(i), Evidence: byEvidence[from].sure}
		curve = append(curve, p)
		area += float64(i-from) * p.Risk
	}
	if answered == 0 {
		return nil, 0
	}
	return curve, area / float64(answered)
}

// thin leaves of a curve the first point at or beyond each multiple of step, and the last.
func thin(curve []RiskPoint, step float64) (out []RiskPoint) {
	next := step
	for i, p := range curve {
		if p.Coverage >= next-1e-9 || i == len(curve)-1 {
			out = append(out, p)
			next = (math.Floor(p.Coverage/step+1e-9) + 1) * step
		}
	}
	return out
}

// ShareFrom is the share of the values that are at least from; 0 of none.
func ShareFrom(values []float64, from float64) float64 {
	n := 0
	for _, v := range values {
		if v >= from {
			n++
		}
	}
	return float64(n) / float64(max(len(values), 1))
}

// RefusedAt is the share of the unanswerable questions that are refused when the evidence asked for is set so that at least that share of the answerable ones is answered. It is 0 when
// so many would not be answered with any.
func RefusedAt(answered float64, answerable, unanswerable []float64) float64 {
	if len(answerable) == 0 || len(unanswerable) == 0 {
		return 0
	}
	sorted := slices.Clone(answerable)
	slices.Sort(sorted)
	from := sorted[len(sorted)-int(math.Ceil(answered*float64(len(sorted))-1e-9))]
	return 1 - ShareFrom(unanswerable, from)
}

// bootstrapTwo is a statistic of two samples with its 95 % interval, each sample being resampled for itself.
func bootstrapTwo(yes, no []float64, statistic func(yes, no []float64) float64) Figure {
	const resamples = 500 // a statistic sorts its samples, so it costs more than a mean
	if len(yes) == 0 || len(no) == 0 {
		return Figure{}
	}
	rng := rand.New(rand.NewPCG(1, 2))
	a, b := make([]float64, len(yes)), make([]float64, len(no))
	values := make([]float64, resamples)
	for i := range values {
		for j := range a {
			a[j] = yes[rng.IntN(len(yes))]
		}
		for j := range b {
			b[j] = no[rng.IntN(len(no))]
		}
		values[i] = statistic(a, b)
	}
	slices.Sort(values)
	return Figure{statistic(yes, no), values[resamples*25/1000], values[resamples*975/1000-1]}
}
