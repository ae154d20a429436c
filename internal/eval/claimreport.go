package eval

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"

	"footnote/internal/eval/counterfactual"
)

// ClaimAUC is how well a score tells supported claims from others.
type ClaimAUC struct {
	Against string  `json:"against"`
	Pairs   int     `json:"pairs"`
	Support float64 `json:"support"`
	Cosine  float64 `json:"cosine"`
	Covered float64 `json:"covered"`
}

// ClaimKind is what became of the claims of one kind: how many were said to be contradicted, and how many were not supported.
type ClaimKind struct {
	Texts        string              `json:"texts"`
	Kind         counterfactual.Kind `json:"kind"`
	False        bool                `json:"false"`
	Claims       int                 `json:"claims"`
	Contradicted int                 `json:"contradicted"`
	Unsupported  int                 `json:"unsupported"`
}

// Bin is a bin of the reliability curve.
type Bin struct {
	From    float64 `json:"from"`
	Pairs   int     `json:"pairs"`
	Support float64 `json:"support"` // mean
	True    float64 `json:"true"`    // share of supported ones
}

// ClaimReport is what was measured.
type ClaimReport struct {
	AUC         []ClaimAUC  `json:"auc,omitempty"`
	Reliability []Bin       `json:"reliability,omitempty"`
	ECE         float64     `json:"ece"` // expected calibration error over the bins (Naeini, Cooper & Hauskrecht, AAAI 2015)
	Evidence    float64     `json:"evidence"`
	Kinds       []ClaimKind `json:"kinds,omitempty"`
}

// JSON writes the report as one object.
func (r ClaimReport) JSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(r)
}

// Table writes the report for people.
func (r ClaimReport) Table(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	if len(r.AUC) > 0 {
		fmt.Fprintln(t, "supported against\tpairs\tsupport\tcosine\tterms")
		for _, a := range r.AUC {
			fmt.Fprintf(t, "%s\t%d\t%.3f\t%.3f\t%.3f\n", a.Against, a.Pairs, a.Support, a.Cosine, a.Covered)
		}
		fmt.Fprintf(t, "\nthe span lies in the labelled evidence\t%.3f\nexpected calibration error\t%.3f\n\nsupport from\tpairs\tmean\tborne out\n", r.Evidence, r.ECE)
		for _, b := range r.Reliability {
			fmt.Fprintf(t, "%.1f\t%d\t%.3f\t%.3f\n", b.From, b.Pairs, b.Support, b.True)
		}
		fmt.Fprintln(t)
	}
	if len(r.Kinds) > 0 {
		fmt.Fprintln(t, "texts\tclaims\tmade by\tcontradicted\tnot supported")
		for _, k := range r.Kinds {
			fmt.Fprintf(t, "%s\t%d\t%s\t%.3f\t%.3f\n", k.Texts, k.Claims, k.Kind, float64(k.Contradicted)/float64(k.Claims), float64(k.Unsupported)/float64(k.Claims))
		}
		for _, texts := range r.texts() {
			for _, untrue := range []bool{true, false} {
				n, said, unsupported := 0, 0, 0
				for _, k := range r.Kinds {
					if k.Texts == texts && k.False == untrue {
						n, said, unsupported = n+k.Claims, said+k.Contradicted, unsupported+k.Unsupported
					}
				}
				what := "all true ones"
				if untrue {
					what = "all false ones"
				}
				fmt.Fprintf(t, "%s\t%d\t%s\t%.3f\t%.3f\n", texts, n, what, float64(said)/float64(max(n, 1)), float64(unsupported)/float64(max(n, 1)))
			}
		}
	}
	return t.Flush()
}

func (r ClaimReport) texts() []string {
	var out []string
	for _, k := range r.Kinds {
		if !slices.Contains(out, k.Texts) {
			out = append(out, k.Texts)
		}
	}
	return out
}
