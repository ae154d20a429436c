package eval

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Threshold is the least that a metric may be.
type Threshold struct {
	Metric string
	Least  float64
}

// ParseThresholds reads thresholds of the form metric=0.85. An error names what is wrong and, for an unknown metric, the known ones.
func ParseThresholds(values []string) (out []Threshold, err error) {
	for _, v := range values {
		name, number, ok := strings.Cut(strings.TrimSpace(v), "=")
		if !slices.Contains(AnswerMetrics, name) {
			return nil, fmt.Errorf("there is no metric %q; there are %s", name, strings.Join(AnswerMetrics, ", "))
		}
		least, err := strconv.ParseFloat(number, 64)
		if !ok || err != nil || !(least >= 0 && least <= 1) {
			return nil, fmt.Errorf("a threshold is of the form %s=0.85, with a number from 0 to 1, got %q", name, v)
		}
		out = append(out, Threshold{name, least})
	}
	return out, nil
}

// Below names each metric that is below its threshold, with its value; one that was not measured is below any.
func (r AnswerReport) Below(thresholds []Threshold) (out []string) {
	for _, t := range thresholds {
		f, ok := r.All.Metrics[t.Metric]
		switch {
		case !ok:
			out = append(out, fmt.Sprintf("%s: %s was not measured, the set or the run has nothing to measure it by", r.Dataset, t.Metric))
		case f.Mean < t.Least:
			out = append(out, fmt.Sprintf("%s: %s is %.4f, below %g", r.Dataset, t.Metric, f.Mean, t.Least))
		}
	}
	return out
}
