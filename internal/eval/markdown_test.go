package eval

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"footnote/internal/rag"
)

// reports are of two sets: hybrid is above both halves of one, and .04 below the better half of the other.
func reports() []Report {
	variants := []Variant{{"dense", rag.Query{Mode: rag.Dense}}, {"lexical", rag.Query{Mode: rag.Lexical}}, {"hybrid", rag.Query{Mode: rag.Hybrid}}, {"hybrid, rrf", rag.Query{Mode: rag.Hybrid}}}
	one := func(name string, documents int, means ...float64) Report {
		r := Report{Dataset: name, Documents: documents, Queries: 2}
		perQuery := make([][]float64, len(means))
		for i, m := range means {
			perQuery[i] = []float64{m, m}
			r.Scores = append(r.Scores, Scores{Name: variants[i].Name, NDCG10: Bootstrap(perQuery[i])})
		}
		r.Difference = differences(variants, perQuery)
		return r
	}
	return []Report{one("good", 11104, 0.5, 0.25, 0.75, 0.5), one("bad", 240, 0.9, 0.25, 0.86, 0.86)}
}

func TestMarkdown_SaysWhereTheWholeIsNotAboveItsHalves(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	if err := Markdown(&b, reports()); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"| good | 11,104 / 2 | 0.500 [0.500, 0.500] | 0.250 [0.250, 0.250] | 0.750 [0.750, 0.750] | **+0.250 [+0.250, +0.250]** | **+0.500 [+0.500, +0.500]** |\n",
		"| set | rrf |\n| --- | --- |\n| good | **-0.250 [-0.250, -0.250]** |\n| bad | +0.000 [+0.000, +0.000] |\n",
		"hybrid 0.8050, the better half of each 0.7000",
		"1 of 2 sets: good.",
		"Not above: bad (**-0.040 [-0.040, -0.040]** from dense).",
		"More than 0.005 below the better half: bad.",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%q is not in\n%s", want, b.String())
		}
	}
	if err := Markdown(&b, nil); err == nil {
		t.Error("without a report: got no error")
	}
}

func TestWriteRegion_LeavesTheRest(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "quality.md")
	write := func(s string) {
		if err := os.WriteFile(path, []byte(s), 0o640); err != nil {
			t.Fatal(err)
		}
	}
	write("# 品質\n" + regionBegin + "old\n" + regionEnd + "prose\n")
	for range 2 {
		if err := WriteRegion(path, "new\n"); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(path)
		if want := "# 品質\n" + regionBegin + "new\n" + regionEnd + "prose\n"; err != nil || string(got) != want {
			t.Fatalf("got %q and %v, want %q", got, err, want)
		}
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("got %v and %v, want the file's own mode", info, err)
	}
	write("# without\n" + regionBegin)
	if err := WriteRegion(path, "new\n"); err == nil || !strings.Contains(err.Error(), regionEnd) {
		t.Errorf("got %v, want an error that says which lines to write", err)
	}
}
