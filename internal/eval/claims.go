package eval

import (
	"context"
	"math"
	"path/filepath"
	"slices"
	"strings"

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
