package lexical

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/quick"

	"footnote/internal/evaldata"
)

func texts(s string) []string {
	var out []string
	for _, t := range Terms(s) {
		out = append(out, t.Text)
	}
	return out
}

func TestTerms(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]string{
		"The Running of the Dogs":      "run dog",
		"員工請假":                         "员 员工 工 工请 请 请假 假",
		"员工请假":                         "员 员工 工 工请 请 请假 假",
		"ＦＵＬＬ　ｗｉｄｔｈ１２":                 "full width12",
		"upgrade to v1.18.3 (ERR_404)": "upgrad v1 18 3 v1.18.3 err 404 err_404",
		"Qdrant向量库":                    "qdrant 向 向量 量 量库 库",
		"the company's":                "compani",
		"state-of-the-art":             "state art",
		"😀！？":                          "",
		"錯誤碼 ERR_404":                  "错 错误 误 误码 码 err 404 err_404",
		"错误码ＥＲＲ＿４０４。":                  "错 错误 误 误码 码 err 404 err_404",
		"零件ＫＸ－７７－Ｃ，":                   "零 零件 件 kx 77 c kx-77-c",
		"part KX-77-C, v２．１":           "part kx 77 c kx-77-c v2 1 v2.1",
		"司徒慕嵐":                         "司 司徒 徒 徒慕 慕 慕岚 岚",
		"naïve café":                   "naïve café",
	} {
		if got := strings.Join(texts(s), " "); got != want {
			t.Errorf("%q: got %q, want %q", s, got, want)
		}
	}
}

func TestTerm_IdentifierIsAWhole(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]string{"upgrade to v1.18.3 (ERR_404)": "v1.18.3 err_404", "state-of-the-art 2024": "", "错误码ＥＲＲ＿４０４": "err_404", "零件 KX-77-C": "kx-77-c"} {
		var got []string
		for _, term := range Terms(s) {
			if term.Identifier() {
				got = append(got, term.Text)
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%q: got %q, want %q", s, got, want)
		}
	}
}

func TestTerms_SpansLieInTheText(t *testing.T) {
	t.Parallel()
	if err := quick.Check(func(s string) bool {
		n := len([]rune(s))
		for _, term := range Terms(s) {
			if term.Text == "" || term.Span.Start < 0 || term.Span.End > n || term.Span.Empty() {
				return false
			}
		}
		v := DocumentVector(s, DefaultParams)
		return slices.IsSorted(v.Indices) && len(v.Indices) == len(v.Values)
	}, nil); err != nil {
		t.Fatal(err)
	}
}

func TestDocumentVector_IsBM25(t *testing.T) {
	t.Parallel()
	p := Params{K1: 1.2, B: 0.75, AverageLength: 4}
	v := DocumentVector("cat cat dog", p)
	norm := 1.2 * (0.25 + 0.75*3/4)
	for i, id := range v.Indices {
		tf := map[uint32]float64{Hash("cat"): 2, Hash("dog"): 1}[id]
		if want := tf * 2.2 / (tf + norm); math.Abs(float64(v.Values[i])-want) > 1e-6 {
			t.Errorf("got %g, want %g", v.Values[i], want)
		}
	}
	if got, want := IDF(10, 3), math.Log(1+7.5/3.5); math.Abs(got-want) > 1e-12 {
		t.Errorf("got %g, want %g", got, want)
	}
}

// TestQuality_OnRealSets holds BM25 over these terms to floors a little below what was measured.
func TestQuality_OnRealSets(t *testing.T) {
	t.Parallel()
	for set, floor := range map[string]float64{"scifact": 0.675, "dureader-robust-dev-half": 0.82, "xquad-zh": 0.96} {
		t.Run(set, func(t *testing.T) {
			t.Parallel()
			got := ndcg10(t, evaldata.Path(t, "retrieval", set))
			t.Logf("nDCG@10 %.4f", got)
			if got < floor {
				t.Errorf("nDCG@10 %.4f is below %.3f", got, floor)
			}
		})
	}
}

func ndcg10(t *testing.T, dir string) float64 {
	t.Helper()
	type record struct {
		ID    string `json:"_id"`
		Title string
		Text  string
	}
	docs := evaldata.Lines[record](t, filepath.Join(dir, "corpus.jsonl"))
	total := 0
	for i, d := range docs {
		docs[i].Text = strings.TrimSpace(d.Title + " " + d.Text)
		total += Length(docs[i].Text)
	}
	type posting struct {
		doc    int
		weight float64
	}
	postings := map[uint32][]posting{}
	p := Params{K1: 1.2, B: 0.75, AverageLength: float64(total) / float64(len(docs))}
	for i, d := range docs {
		v := DocumentVector(d.Text, p)
		for j, id := range v.Indices {
			postings[id] = append(postings[id], posting{i, float64(v.Values[j])})
		}
	}
	qrels := map[string]map[string]float64{}
	judgments, err := os.ReadFile(filepath.Join(dir, "qrels.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(judgments)) {
		f := strings.Split(strings.TrimSpace(line), "\t")
		if grade, err := strconv.ParseFloat(f[len(f)-1], 64); err == nil {
			if qrels[f[0]] == nil {
				qrels[f[0]] = map[string]float64{}
			}
			qrels[f[0]][f[1]] = grade
		}
	}
	sum, n := 0.0, 0
	for _, q := range evaldata.Lines[record](t, filepath.Join(dir, "queries.jsonl")) {
		grades := qrels[q.ID]
		var ideal []float64
		for _, g := range grades {
			if g > 0 {
				ideal = append(ideal, g)
			}
		}
		if len(ideal) == 0 {
			continue
		}
		scores := map[int]float64{}
		v := QueryVector(q.Text)
		for i, id := range v.Indices {
			idf := IDF(len(docs), len(postings[id]))
			for _, p := range postings[id] {
				scores[p.doc] += float64(v.Values[i]) * idf * p.weight
			}
		}
		ranked := make([]int, 0, len(scores))
		for d := range scores {
			ranked = append(ranked, d)
		}
		slices.SortFunc(ranked, func(a, b int) int {
			if scores[a] != scores[b] {
				if scores[a] > scores[b] {
					return -1
				}
				return 1
			}
			return strings.Compare(docs[a].ID, docs[b].ID)
		})
		slices.SortFunc(ideal, func(a, b float64) int { return int(math.Copysign(1, b-a)) })
		gain := func(i int, g float64) float64 { return g / math.Log2(float64(i)+2) }
		got, best := 0.0, 0.0
		for i, d := range ranked[:min(10, len(ranked))] {
			got += gain(i, grades[docs[d].ID])
		}
		for i, g := range ideal[:min(10, len(ideal))] {
			best += gain(i, g)
		}
		sum += got / best
		n++
	}
	return sum / float64(n)
}
