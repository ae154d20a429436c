package eval

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRiskCurve_OnAWorkedExample(t *testing.T) {
	// By evidence: right, then a right and a wrong one together, then a wrong one; one would never be answered.
	curve, area := riskCurve([]decision{{1, true}, {2, false}, {3, false}, {2, true}, {never, true}})
	want := []RiskPoint{{0.2, 0, 3}, {0.6, 1.0 / 3, 2}, {0.8, 0.5, 1}}
	if d := cmp.Diff(want, curve); d != "" {
		t.Error(d)
	}
	if want := (0 + 1.0/3 + 1.0/3 + 0.5) / 4; !near(area, want) {
		t.Errorf("area: got %v, want %v", area, want)
	}
	if curve, area := riskCurve([]decision{{never, true}}); curve != nil || area != 0 {
		t.Errorf("nothing answered: got %v, %v", curve, area)
	}
	if d := cmp.Diff([]RiskPoint{want[1], want[2]}, thin(curve, 0.5)); d != "" {
		t.Error(d)
	}
}

func TestRefusedAt_OnAWorkedExample(t *testing.T) {
	answerable := []float64{5, 4, 3, 2, 1, 9, 8, 7, 6, 10}
	unanswerable := []float64{0, 1.5, 2.5, never}
	for _, c := range []struct{ answered, want float64 }{
		{0.8, 1},    // from 3 on
		{0.9, 0.75}, // from 2 on: 2.5 comes in
		{0.95, 0.5}, // all ten: from 1 on
	} {
		if got := RefusedAt(c.answered, answerable, unanswerable); got != c.want {
			t.Errorf("at %v: got %v, want %v", c.answered, got, c.want)
		}
	}
	if got := RefusedAt(0.95, []float64{1, never}, unanswerable); got != 0 {
		t.Errorf("when only half would be answered: got %v, want 0", got)
	}
}

func TestBootstrapTwo_HoldsTheStatisticAndRepeats(t *testing.T) {
	yes, no := make([]float64, 100), make([]float64, 50)
	for i := range yes {
		yes[i] = float64(i)
	}
	for i := range no {
		no[i] = float64(i) - 0.5
	}
	f := bootstrapTwo(yes, no, AUC)
	if want := AUC(yes, no); f.Mean != want || f.Low >= want || f.High <= want || f.High-f.Low > 0.2 || f != bootstrapTwo(yes, no, AUC) {
		t.Errorf("got %+v, want an interval around %v, twice", f, want)
	}
	if f := bootstrapTwo(nil, no, AUC); f != (Figure{}) || math.IsNaN(f.Mean) {
		t.Errorf("got %+v", f)
	}
}
