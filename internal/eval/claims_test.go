package eval

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// wordChecker supports a claim by the share of its words that the passage has, and calls it contradicted when just one is missing.
type wordChecker struct{}

func (wordChecker) CheckClaims(_ context.Context, pairs []ClaimPair) ([]ClaimVerdict, error) {
	out := make([]ClaimVerdict, len(pairs))
	for i, p := range pairs {
		words := strings.Fields(p.Claim)
		has := 0
		for _, w := range words {
			if strings.Contains(p.Passage, w) {
				has++
			}
		}
		out[i] = ClaimVerdict{Support: float64(has) / float64(len(words)), Contradicted: has == len(words)-1, End: len([]rune(p.Passage))}
	}
	return out, nil
}

func writeSet(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestVerifyClaims_TellsSupportedFromTheRest(t *testing.T) {
	t.Parallel()
	dir := writeSet(t, map[string]string{
		"corpus.jsonl": `{"_id":"1","title":"a","text":"Cats sleep all day."}` + "\n" + `{"_id":"2","title":"b","text":"Ships sail far."}` + "\n",
		"verify.jsonl": `{"claim":"Cats sleep","doc_id":"1","label":"SUPPORT","evidence":"Cats sleep all day."}` + "\n" +
			`{"claim":"Whales dive","doc_id":"2","label":"NOT_ENOUGH_INFO","evidence":""}` + "\n" + `{"claim":"Ships sink","doc_id":"2","label":"CONTRADICT","evidence":"Ships sail far."}` + "\n",
	})
	var r ClaimReport
	if err := VerifyClaims(t.Context(), wordChecker{}, dir, "", &r); err != nil {
		t.Fatal(err)
	}
	for _, a := range r.AUC {
		if a.Pairs != 1 || a.Support != 1 {
			t.Errorf("%s: got %+v, want an AUC of 1 over one pair", a.Against, a)
		}
	}
	if r.Evidence != 1 || len(r.Reliability) != 10 || r.Reliability[9].Pairs != 1 || r.Reliability[9].True != 1 {
		t.Errorf("got %+v", r)
	}
}

func TestReliability_IsOffByWhatScoresClaimTooMuch(t *testing.T) {
	t.Parallel()
	_, ece := reliability([]float64{0.95, 0.95, 0.05, 0.05}, []bool{true, false, false, false})
	if ece < 0.24 || ece > 0.26 {
		t.Errorf("got %.3f, want (|.95−.5| + |.05−0|)/2 = .25", ece)
	}
}

func TestCounterfactuals_CountsByKind(t *testing.T) {
	t.Parallel()
	dir := writeSet(t, map[string]string{"corpus.jsonl": `{"_id":"1","title":"a","text":"The old bridge of the town was opened in 1932 by the mayor. Traffic over the bridge increased for many years after that day."}` + "\n"})
	var r ClaimReport
	if err := Counterfactuals(t.Context(), wordChecker{}, "x", []string{dir}, false, 10, 4, 1, &r, nil); err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, k := range r.Kinds {
		n += k.Claims
		if k.Contradicted > k.Claims || k.Unsupported > k.Claims {
			t.Errorf("got %+v", k)
		}
	}
	if n == 0 {
		t.Error("no claim was made")
	}
	if err := r.Table(&strings.Builder{}); err != nil {
		t.Error(err)
	}
}
