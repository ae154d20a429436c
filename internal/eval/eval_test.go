package eval

import (
	"context"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"footnote/internal/rag"
)

func near(a, b float64) bool { return math.Abs(a-b) < 1e-9 }

func TestMetrics_OnAWorkedExample(t *testing.T) {
	ranking := []string{"x", "a", "y", "b"}
	grades := map[string]float64{"a": 2, "b": 1, "c": 1, "y": 0}
	ideal := 2 + 1/math.Log2(3) + 1/math.Log2(4)
	if got, want := NDCG(ranking, grades, 10), (2/math.Log2(3)+1/math.Log2(5))/ideal; !near(got, want) {
		t.Errorf("NDCG: got %v, want %v", got, want)
	}
	if got := Recall(ranking, grades, 3); !near(got, 1.0/3) {
		t.Errorf("Recall: got %v, want 1/3", got)
	}
	if got := ReciprocalRank(ranking, grades, 10); !near(got, 0.5) {
		t.Errorf("ReciprocalRank: got %v, want 1/2", got)
	}
	if got := ReciprocalRank(ranking, grades, 1); got != 0 {
		t.Errorf("ReciprocalRank at 1: got %v, want 0", got)
	}
	if got := AUC([]float64{3, 2}, []float64{1, 2}); !near(got, 0.875) {
		t.Errorf("AUC: got %v, want .875", got)
	}
}

func TestBootstrap_HoldsTheMeanAndRepeats(t *testing.T) {
	values := make([]float64, 200)
	for i := range values {
		values[i] = float64(i % 2)
	}
	f := Bootstrap(values)
	if f != Bootstrap(values) || !near(f.Mean, 0.5) || f.Low > 0.46 || f.Low < 0.40 || f.High < 0.54 || f.High > 0.60 {
		t.Fatalf("got %+v, want about .5 [.43, .57], twice", f)
	}
}

// byWord finds documents that have the query as a word.
type byWord map[string]string

func (b byWord) Add(_ context.Context, docs []Document) error {
	for _, d := range docs {
		b[d.ID] = d.Text
	}
	return nil
}

func (b byWord) Rank(_ context.Context, query string, v Variant, _ int) (out []string, _ error) {
	if v.Query.Mode == rag.Dense {
		return nil, nil // it is no model
	}
	for id, text := range b {
		if strings.Contains(text, query) {
			out = append(out, id)
		}
	}
	return out, nil
}

func (b byWord) Evidence(ctx context.Context, query string) (float64, error) {
	found, err := b.Rank(ctx, query, Variant{}, 1)
	return float64(len(found)) - 0.5, err
}

func TestSplit_LeavesOtherSetsWhole(t *testing.T) {
	d := Dataset{Queries: []Query{{"DEV_1", ""}, {"TRIAL_1", ""}, {"DEVIANT", ""}}}
	other := Dataset{Queries: []Query{{"1", ""}, {"2", ""}}}
	for _, name := range []string{"", "DEV"} {
		d.Split(name)
		other.Split(name)
		if want := map[string]int{"": 3, "DEV": 1}[name]; len(d.Queries) != want || len(other.Queries) != 2 {
			t.Errorf("%q: got %v and %v", name, d.Queries, other.Queries)
		}
	}
}

func TestRun_ReadsASetAndScoresASystem(t *testing.T) {
	dir := t.TempDir()
	for name, content := range map[string]string{
		"corpus.jsonl":  `{"_id":"1","title":"","text":"apples 蘋果"}` + "\n" + `{"_id":"2","title":"","text":"pears 梨"}` + "\n",
		"queries.jsonl": `{"_id":"q1","text":"apples"}` + "\n" + `{"_id":"q2","text":"梨"}` + "\n" + `{"_id":"q3","text":"unjudged"}`,
		"qrels.tsv":     "query-id\tcorpus-id\tscore\nq1\t1\t1\nq2\t1\t1\nq3\t1\t0\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	d, err := Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	foreign := Dataset{Name: "foreign", Queries: []Query{{"f", "plums"}}}
	variants := []Variant{{"lexical", rag.Query{Mode: rag.Lexical}}, {"dense", rag.Query{Mode: rag.Dense}}, {"hybrid", rag.Query{Mode: rag.Hybrid}}, {"hybrid rrf", rag.Query{Mode: rag.Hybrid, Fusion: rag.RRF}}}
	r, err := Run(t.Context(), byWord{}, d, variants, []Dataset{foreign}, func(string, int, int) {})
	if err != nil {
		t.Fatal(err)
	}
	if r.Queries != 2 || !near(r.Scores[0].NDCG10.Mean, 0.5) {
		t.Fatalf("got %d queries and nDCG %v, want 2 and .5", r.Queries, r.Scores[0].NDCG10)
	}
	var compared []string
	for _, d := range r.Difference {
		compared = append(compared, d.Name+"−"+d.From)
	}
	if want := "hybrid−lexical hybrid−dense hybrid rrf−lexical hybrid rrf−dense hybrid rrf−hybrid"; strings.Join(compared, " ") != want {
		t.Errorf("got differences %v, want %s", compared, want)
	}
	if d := r.Difference[1].NDCG10; !near(d.Mean, 0.5) || !near(r.Difference[0].NDCG10.High, 0) {
		t.Errorf("got %+v, want .5 above nothing found and no difference from the same ranking", r.Difference)
	}
	if a := r.Abstention[0]; a.OwnAnswered != 1 || a.ForeignRefuse != 1 || a.AUC != 1 {
		t.Fatalf("got %+v, want all told apart", a)
	}
	if _, err := Read(t.TempDir()); err == nil || !strings.Contains(err.Error(), "corpus.jsonl") {
		t.Fatalf("got %v, want an error that says what a set needs", err)
	}
}
