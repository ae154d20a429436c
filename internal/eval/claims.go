package eval

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	"footnote/internal/eval/counterfactual"
)

// ClaimPair is a claim and a passage to check it against.
type ClaimPair struct{ Claim, Title, Passage string }

// ClaimVerdict is what a system says of a pair. Kinds are those of the differences that it names.
type ClaimVerdict struct {
	Support      float64
	Contradicted bool
	Kinds        []string
	Cosine       float64 // of claim and span, and
	Covered      float64 // the share of the claim's terms that the span has: what a plain system would go by
	Start, End   int     // of the span, in code points of the passage
}

// ClaimChecker is the system that is measured.
type ClaimChecker interface {
	CheckClaims(ctx context.Context, pairs []ClaimPair) ([]ClaimVerdict, error)
}

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

type verifyLine struct {
	ClaimID   string `json:"claim_id"`
	Claim     string `json:"claim"`
	DocID     string `json:"doc_id"`
	Label     string `json:"label"`
	Sentences []int  `json:"evidence_sentences"`
	Evidence  string `json:"evidence"`
}

// VerifyClaims measures on a set's verify.jsonl {claim, doc_id, label: SUPPORT | CONTRADICT | NOT_ENOUGH_INFO, evidence}: each claim against its document, and each supported claim against
// the document of another.
func VerifyClaims(ctx context.Context, c ClaimChecker, dir string, r *ClaimReport) error {
	var documents []Document
	if err := readLines(filepath.Join(dir, "corpus.jsonl"), &documents); err != nil {
		return err
	}
	byID := map[string]Document{}
	for _, d := range documents {
		byID[d.ID] = d
	}
	var lines []verifyLine
	if err := readLines(filepath.Join(dir, "verify.jsonl"), &lines); err != nil {
		return err
	}
	var pairs []ClaimPair
	var labels []string
	add := func(claim, doc, label string) {
		d := byID[doc]
		pairs, labels = append(pairs, ClaimPair{claim, d.Title, d.Text}), append(labels, label)
	}
	for i, l := range lines {
		add(l.Claim, l.DocID, l.Label)
		if l.Label == "SUPPORT" { // an abstract that another claim, far along the list, was written of
			other := lines[(i+len(lines)/2)%len(lines)]
			add(l.Claim, other.DocID, "unrelated")
		}
	}
	verdicts, err := c.CheckClaims(ctx, pairs)
	if err != nil {
		return err
	}
	support, cosine, covered := map[string][]float64{}, map[string][]float64{}, map[string][]float64{}
	for i, v := range verdicts {
		support[labels[i]] = append(support[labels[i]], v.Support)
		cosine[labels[i]] = append(cosine[labels[i]], v.Cosine)
		covered[labels[i]] = append(covered[labels[i]], v.Covered)
	}
	for _, against := range []string{"unrelated", "NOT_ENOUGH_INFO", "CONTRADICT"} {
		r.AUC = append(r.AUC, ClaimAUC{against, len(support[against]), AUC(support["SUPPORT"], support[against]), AUC(cosine["SUPPORT"], cosine[against]), AUC(covered["SUPPORT"], covered[against])})
	}
	n, hit := 0, 0
	at := 0
	for _, l := range lines {
		v := verdicts[at]
		at++
		if l.Label == "SUPPORT" {
			at++
		}
		if len(l.Sentences) == 0 {
			continue
		}
		n++
		if evidenceOverlaps(byID[l.DocID].Text, l.Evidence, v) {
			hit++
		}
	}
	if n > 0 {
		r.Evidence = float64(hit) / float64(n)
	}
	var scores []float64
	var truth []bool
	for i, v := range verdicts {
		if labels[i] != "CONTRADICT" {
			scores, truth = append(scores, v.Support), append(truth, labels[i] == "SUPPORT")
		}
	}
	r.Reliability, r.ECE = reliability(scores, truth)
	return nil
}

// evidenceOverlaps tells whether the span shares a good part of its text with the labelled evidence.
func evidenceOverlaps(passage, evidence string, v ClaimVerdict) bool {
	runes := []rune(passage)
	if v.Start < 0 || v.End > len(runes) || v.Start >= v.End {
		return false
	}
	span := string(runes[v.Start:v.End])
	return containsPart(evidence, span)
}

// containsPart tells whether the middle half of span stands in s.
func containsPart(s, span string) bool {
	r := []rune(span)
	part := string(r[len(r)/4 : max(len(r)*3/4, len(r)/4+1)])
	return part != "" && strings.Contains(s, part)
}

// reliability puts scores into ten bins of equal width.
func reliability(scores []float64, truth []bool) ([]Bin, float64) {
	bins := make([]Bin, 10)
	for i, s := range scores {
		b := &bins[min(int(s*10), 9)]
		b.Pairs++
		b.Support += s
		if truth[i] {
			b.True++
		}
	}
	ece := 0.0
	for i := range bins {
		b := &bins[i]
		b.From = float64(i) / 10
		if b.Pairs > 0 {
			b.Support /= float64(b.Pairs)
			b.True /= float64(b.Pairs)
			ece += math.Abs(b.Support-b.True) * float64(b.Pairs) / float64(len(scores))
		}
	}
	return bins, ece
}

// Counterfactuals measures on claims that are made from the documents of the sets: n false ones and n true ones, of the first documents of each. show, unless nil, is called with each that went wrong.
func Counterfactuals(ctx context.Context, c ClaimChecker, name string, dirs []string, chinese bool, documents, n int, seed uint64, r *ClaimReport, show func(counterfactual.Claim, ClaimVerdict)) error {
	var sources []counterfactual.Source
	for _, dir := range dirs {
		var all []Document
		if err := readLines(filepath.Join(dir, "corpus.jsonl"), &all); err != nil {
			return err
		}
		for _, d := range all[:min(documents, len(all))] {
			sources = append(sources, counterfactual.Source{Title: d.Title, Text: d.Text})
		}
	}
	claims := counterfactual.Generate(sources, chinese, n, seed)
	pairs := make([]ClaimPair, len(claims))
	for i, c := range claims {
		pairs[i] = ClaimPair{c.Claim, c.Title, c.Passage}
	}
	verdicts, err := c.CheckClaims(ctx, pairs)
	if err != nil {
		return err
	}
	at := map[counterfactual.Kind]int{}
	for i, claim := range claims {
		k, ok := at[claim.Kind]
		if !ok {
			k = len(r.Kinds)
			at[claim.Kind] = k
			r.Kinds = append(r.Kinds, ClaimKind{Texts: name, Kind: claim.Kind, False: claim.Kind.False()})
		}
		r.Kinds[k].Claims++
		if verdicts[i].Contradicted {
			r.Kinds[k].Contradicted++
		}
		if verdicts[i].Support < supportedFrom {
			r.Kinds[k].Unsupported++
		}
		if show != nil && verdicts[i].Contradicted != claim.Kind.False() {
			show(claim, verdicts[i])
		}
	}
	return nil
}

// supportedFrom is the support from which a claim counts as supported.
const supportedFrom = 0.5

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

// HasClaims tells whether a set has labelled claims.
func HasClaims(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, "verify.jsonl"))
	return err == nil
}
