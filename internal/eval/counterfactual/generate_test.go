package counterfactual

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var english = []Source{{"Bridges", "In 1932, the city opened a bridge that is 503 metres long. Its construction was led by Anna Berg for the firm of Oskar Holm. However, traffic increased after the war and the bridge was closed for 12 weeks. Many drivers used the northern tunnel, which is older and carries several lines. The tunnel was built within two years (at great expense) by workers from Norway."}}

var chinese = []Source{{"橋", "1932年，该市开放了一座长503米的大桥。大桥位于中国北部，建造者是安德烈斯·德尔马和他的公司。战争之后交通量增加，大桥因此关闭了12天。许多司机改走日本商人出资的隧道，隧道由于年久失修，后来也关闭了。"}}

func TestGenerate_IsTheSameForASeed(t *testing.T) {
	t.Parallel()
	if diff := cmp.Diff(Generate(english, false, 10, 7), Generate(english, false, 10, 7)); diff != "" {
		t.Error(diff)
	}
}

func TestGenerate_ChangesOneThingOfASentenceOfItsPassage(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		sources []Source
		chinese bool
	}{{english, false}, {chinese, true}} {
		claims := Generate(c.sources, c.chinese, 20, 1)
		if len(claims) < 4 {
			t.Fatalf("only %d claims were made of %q", len(claims), c.sources[0].Title)
		}
		for _, claim := range claims {
			if !strings.Contains(claim.Passage, claim.Sentence) || claim.Claim == claim.Sentence || claim.Claim == "" {
				t.Errorf("%s: %q of %q", claim.Kind, claim.Claim, claim.Sentence)
			}
		}
	}
}

func TestChange_MakesEachKind(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		kind     Kind
		chinese  bool
		sentence string
		not      string // what a true claim must keep, or a false one must have lost
	}{
		{Number, false, "The bridge has 503 cables.", "503"},
		{Date, false, "The bridge was opened in 1932.", "1932"},
		{Unit, false, "The bridge is 503 metres long.", "metres"},
		{Negation, false, "The bridge is open to cars.", "is open"},
		{Direction, false, "Traffic increased in winter.", "increased"},
		{Role, false, "The firm of Oskar Holm sued Anna Berg over it.", "Oskar Holm sued"},
		{Number, true, "大桥有503根缆绳。", "503"},
		{Date, true, "大桥于1932年开放。", "1932"},
		{Unit, true, "大桥长503米。", "503米"},
		{Negation, true, "大桥位于北部。", "桥位于"},
		{Direction, true, "交通量增加了。", "增加"},
	} {
		got := ""
		for seed := range uint64(20) {
			if got = change(c.kind, c.sentence, c.sentence, c.chinese, rand.New(rand.NewPCG(seed, 1))); got != "" {
				break
			}
		}
		if got == "" || strings.Contains(got, c.not) {
			t.Errorf("%s of %q: got %q", c.kind, c.sentence, got)
		}
	}
}

func TestNumerals_LeavePartsOfLongerThingsAlone(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"about 3.5 of it", "version 1.2", "p53 and CD4", "10-20 of them", "25[OH]D"} {
		for _, n := range numerals(s) {
			t.Errorf("%q: took %q", s, s[n.start:n.end])
		}
	}
}
