package compare

import (
	"os"
	"testing"

	"footnote/internal/evaldata"
	"footnote/internal/rag"
)

// The rules were tuned on these pairs: claims made of sentences of cmrc2018, pubmedqa and clapnq by changing a number, a name, a negation or a direction, and light paraphrases of them. The floors
// keep what was reached; quality is measured elsewhere, on texts that nothing was tuned on.
func TestCompare_OnTheLabelledPairsItWasTunedOn(t *testing.T) {
	t.Parallel()
	type count struct {
		n, flagged int
		kinds      map[rag.MismatchKind]int
	}
	counts := map[string]*count{}
	show := map[string]int{}
	type pair struct{ Premise, Claim, Label, Language, Source string }
	for _, p := range evaldata.Lines[pair](t, evaldata.Path(t, "entailment", "train.jsonl.gz")) {
		if want := os.Getenv("PAIRS"); p.Source != "counterfactual" && (want == "" || p.Source != want) {
			continue
		}
		source := Analyse(p.Premise)
		got := Compare(Analyse(p.Claim), source, source)
		key := p.Source + " " + p.Language + " " + p.Label
		if counts[key] == nil {
			counts[key] = &count{kinds: map[rag.MismatchKind]int{}}
		}
		counts[key].n++
		flagged := len(got.Differences) > 0
		if flagged {
			counts[key].flagged++
			counts[key].kinds[got.Differences[0].Kind]++
		}
		if testing.Verbose() && p.Source+p.Language == os.Getenv("SHOW") && flagged == (p.Label != "contradicts") && show[key] < 40 {
			show[key]++
			said := ""
			for _, d := range got.Differences {
				said += string(d.Kind) + "(" + Analyse(p.Claim).Slice(d.Claim) + "|" + source.Slice(d.Source) + ") "
			}
			t.Logf("%s %s\n  P: %s\n  C: %s", key, said, p.Premise, p.Claim)
		}
	}
	for key, c := range counts {
		t.Logf("%s: %d of %d flagged, %.3f %v", key, c.flagged, c.n, float64(c.flagged)/float64(c.n), c.kinds)
	}
	for _, language := range []string{"en", "zh"} {
		if c := counts["counterfactual "+language+" contradicts"]; float64(c.flagged) < 0.6*float64(c.n) {
			t.Errorf("%s: only %d of %d changed claims were flagged", language, c.flagged, c.n)
		}
		if c := counts["counterfactual "+language+" supports"]; float64(c.flagged) > 0.05*float64(c.n) {
			t.Errorf("%s: %d of %d true claims were flagged", language, c.flagged, c.n)
		}
	}
}
