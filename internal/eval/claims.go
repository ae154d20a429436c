package eval

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	"footnote/internal/eval/counterfactual"
	"footnote/internal/text"
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
	Claim    string `json:"claim"`
	DocID    string `json:"doc_id"`
	Label    string `json:"label"`
	Evidence string `json:"evidence"`
}

// LabelledClaim is a claim of a set with the document that it is checked against. Label is SUPPORT, CONTRADICT, NOT_ENOUGH_INFO, or unrelated.
type LabelledClaim struct {
	ClaimPair
	Label, Split string   // Split is "fit" or "held", half of the claims each, by hash: what was learned on the first is measured on the second
	Evidence     []string // sentences of the document that people named
}

// ReadClaims reads a set's verify.jsonl {claim, doc_id, label, evidence}: each claim with its document, and each supported one with the document of another claim, far along the list.
func ReadClaims(dir string) ([]LabelledClaim, error) {
	var documents []Document
	if err := readLines(filepath.Join(dir, "corpus.jsonl"), &documents); err != nil {
		return nil, err
	}
	byID := map[string]Document{}
	for _, d := range documents {
		byID[d.ID] = d
	}
	var lines []verifyLine
	if err := readLines(filepath.Join(dir, "verify.jsonl"), &lines); err != nil {
		return nil, err
	}
	var out []LabelledClaim
	for i, l := range lines {
		d := byID[l.DocID]
		c := LabelledClaim{ClaimPair{l.Claim, d.Title, d.Text}, l.Label, half(l.Claim), nil}
		for _, span := range text.Sentences(l.Evidence) {
			c.Evidence = append(c.Evidence, text.Slice(l.Evidence, span.Start, span.End))
		}
		out = append(out, c)
		if l.Label == "SUPPORT" {
			o := byID[lines[(i+len(lines)/2)%len(lines)].DocID]
			out = append(out, LabelledClaim{ClaimPair{l.Claim, o.Title, o.Text}, "unrelated", half(l.Claim), nil})
		}
	}
	return out, nil
}

func half(claim string) string {
	h := fnv.New32a()
	h.Write([]byte(claim)) // a hash's Write never fails
	if h.Sum32()>>8&1 == 0 {
		return "fit"
	}
	return "held"
}

// VerifyClaims measures on the labelled claims of a set, those of one split unless it is empty.
func VerifyClaims(ctx context.Context, c ClaimChecker, dir, split string, r *ClaimReport) error {
	labelled, err := ReadClaims(dir)
	if err != nil {
		return err
	}
	labelled = slices.DeleteFunc(labelled, func(c LabelledClaim) bool { return split != "" && c.Split != split })
	pairs := make([]ClaimPair, len(labelled))
	for i, l := range labelled {
		pairs[i] = l.ClaimPair
	}
	verdicts, err := c.CheckClaims(ctx, pairs)
	if err != nil {
		return err
	}
	support, cosine, covered := map[string][]float64{}, map[string][]float64{}, map[string][]float64{}
	for i, v := range verdicts {
		support[labelled[i].Label] = append(support[labelled[i].Label], v.Support)
		cosine[labelled[i].Label] = append(cosine[labelled[i].Label], v.Cosine)
		covered[labelled[i].Label] = append(covered[labelled[i].Label], v.Covered)
	}
	for _, against := range []string{"unrelated", "NOT_ENOUGH_INFO", "CONTRADICT"} {
		r.AUC = append(r.AUC, ClaimAUC{against, len(support[against]), AUC(support["SUPPORT"], support[against]), AUC(cosine["SUPPORT"], cosine[against]), AUC(covered["SUPPORT"], covered[against])})
	}
	n, hit := 0, 0
	for i, l := range labelled {
		if len(l.Evidence) == 0 {
			continue
		}
		n++
		if evidenceOverlaps(l, verdicts[i]) {
			hit++
		}
	}
	if n > 0 {
		r.Evidence = float64(hit) / float64(n)
	}
	var scores []float64
	var truth []bool
	for i, v := range verdicts {
		if labelled[i].Label != "CONTRADICT" {
			scores, truth = append(scores, v.Support), append(truth, labelled[i].Label == "SUPPORT")
		}
	}
	r.Reliability, r.ECE = reliability(scores, truth)
	return nil
}

// evidenceOverlaps tells whether the span overlaps a sentence that people named.
func evidenceOverlaps(l LabelledClaim, v ClaimVerdict) bool {
	x := text.NewIndex(l.Passage)
	for _, sentence := range l.Evidence {
		if at := strings.Index(l.Passage, sentence); at >= 0 && x.Rune(at) < v.End && v.Start < x.Rune(at+len(sentence)) {
			return true
		}
	}
	return false
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
