package local

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"footnote/internal/index/sample"
	"footnote/internal/lexical"
	"footnote/internal/rag"
	"footnote/internal/simd"
)

// TestSearchLexical_RanksAsTheFormula has every query of real sets: nDCG@10 must be that of BM25 summed over all passages in float64.
func TestSearchLexical_RanksAsTheFormula(t *testing.T) {
	t.Parallel()
	dir := os.Getenv("EVAL_DATA")
	if dir == "" {
		t.Skip("EVAL_DATA is not set: the labelled sets are not here")
	}
	for _, set := range []string{"scifact", "dureader-robust-dev-half", "rgb-zh"} {
		t.Run(set, func(t *testing.T) {
			t.Parallel()
			ranksAsTheFormula(t, filepath.Join(dir, "retrieval", set))
		})
	}
}

type record struct {
	ID    string `json:"_id"`
	Title string
	Text  string
}

func read(t *testing.T, path string, f func(line []byte)) {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	s := bufio.NewScanner(file)
	s.Buffer(nil, 1<<24)
	for s.Scan() {
		f(s.Bytes())
	}
}

func ranksAsTheFormula(t *testing.T, dir string) {
	x := openIndex(t, Options{}, asShipped)
	if err := x.EnsureCollection(t.Context(), "c", 2); err != nil {
		t.Fatal(err)
	}
	var points []rag.Point
	chunk, df := map[string]rag.ChunkID{}, map[uint32]int{}
	read(t, filepath.Join(dir, "corpus.jsonl"), func(line []byte) {
		var d record
		if err := json.Unmarshal(line, &d); err != nil {
			t.Fatal(err)
		}
		p := rag.Point{ID: rag.NewChunkID(rag.DocumentID(d.ID), "", 0), Document: rag.DocumentID(d.ID), Embedding: rag.Embedding{1, 0},
			Sparse: lexical.DocumentVector(strings.TrimSpace(d.Title+" "+d.Text), lexical.DefaultParams)}
		for _, id := range p.Sparse.Indices {
			df[id]++
		}
		chunk[d.ID], points = p.ID, append(points, p)
	})
	for at := 0; at < len(points); at += 100 {
		if err := x.Upsert(t.Context(), "c", points[at:min(at+100, len(points))]); err != nil {
			t.Fatal(err)
		}
	}
	x.Wait()
	grades := map[string]map[rag.ChunkID]float64{}
	read(t, filepath.Join(dir, "qrels.tsv"), func(line []byte) {
		f := strings.Split(string(line), "\t")
		if g, err := strconv.ParseFloat(f[2], 64); err == nil && g > 0 {
			if grades[f[0]] == nil {
				grades[f[0]] = map[rag.ChunkID]float64{}
			}
			grades[f[0]][chunk[f[1]]] = g
		}
	})
	got, want, n := 0.0, 0.0, 0
	read(t, filepath.Join(dir, "queries.jsonl"), func(line []byte) {
		var q record
		if err := json.Unmarshal(line, &q); err != nil {
			t.Fatal(err)
		}
		if grades[q.ID] == nil {
			return
		}
		terms := lexical.QueryVector(q.Text)
		var all []rag.Candidate
		for _, p := range points {
			s := 0.0
			for i, j := 0, 0; i < len(terms.Indices) && j < len(p.Sparse.Indices); {
				switch a, b := terms.Indices[i], p.Sparse.Indices[j]; {
				case a < b:
					i++
				case a > b:
					j++
				default:
					s += float64(terms.Values[i]) * float64(p.Sparse.Values[j]) * lexical.IDF(len(points), df[a])
					i++
					j++
				}
			}
			if s > 0 {
				all = append(all, rag.Candidate{ID: p.ID, Score: s})
			}
		}
		found, err := x.SearchLexical(t.Context(), "c", terms, nil, 10)
		agree(t, q.ID, found, err, all, 10)
		got, want = got+ndcg(found, grades[q.ID]), want+ndcg(all[:min(10, len(all))], grades[q.ID])
		n++
	})
	t.Logf("nDCG@10 %.5f, by the formula %.5f, over %d queries", got/float64(n), want/float64(n), n)
	if math.Abs(got-want)/float64(n) > 1e-9 {
		t.Errorf("nDCG@10 %.6f, want %.6f", got/float64(n), want/float64(n))
	}
}

func ndcg(ranked []rag.Candidate, grades map[rag.ChunkID]float64) float64 {
	var ideal []float64
	for _, g := range grades {
		ideal = append(ideal, g)
	}
	slices.SortFunc(ideal, func(a, b float64) int { return cmp.Compare(b, a) })
	got, best := 0.0, 0.0
	for i, c := range ranked {
		got += grades[c.ID] / math.Log2(float64(i)+2)
	}
	for i, g := range ideal[:min(10, len(ideal))] {
		best += g / math.Log2(float64(i)+2)
	}
	return got / best
}

// TestSearchDense_FindsWhatAnExactScanFinds has vectors grown from real embeddings, enough of them that the codes choose.
func TestSearchDense_FindsWhatAnExactScanFinds(t *testing.T) {
	t.Parallel()
	path := os.Getenv("INDEX_VECTORS")
	if path == "" {
		t.Skip("INDEX_VECTORS is not set: `make bench-index` makes a file of real embeddings and says where")
	}
	v, err := sample.ReadVectors(path)
	if err != nil {
		t.Fatal(err)
	}
	const n, queries, k = 30000, 200, 10
	all := v.Grow(n, 1)
	x := openIndex(t, Options{}, asShipped)
	if err := x.EnsureCollection(t.Context(), "c", v.Dims); err != nil {
		t.Fatal(err)
	}
	place := map[rag.ChunkID]int{}
	var batch []rag.Point
	for i := range n {
		p := rag.Point{ID: rag.NewChunkID("d", fmt.Sprint(i), 0), Document: "d", Embedding: all[i*v.Dims:][:v.Dims]}
		place[p.ID], batch = i, append(batch, p)
		if len(batch) == 500 || i == n-1 {
			if err := x.Upsert(t.Context(), "c", batch); err != nil {
				t.Fatal(err)
			}
			batch = batch[:0]
		}
	}
	x.Wait()
	hits, worst := 0, 0.0
	for q := range queries {
		query := v.Query(q)
		scores := make([]float32, n)
		for i := range scores {
			scores[i] = simd.Dot(query, all[i*v.Dims:][:v.Dims])
		}
		sorted := slices.Clone(scores)
		slices.Sort(sorted)
		got, err := x.SearchDense(t.Context(), "c", query, nil, k)
		if err != nil || len(got) != k {
			t.Fatalf("got %d candidates, %v", len(got), err)
		}
		for _, c := range got {
			exact := scores[place[c.ID]]
			worst = max(worst, math.Abs(c.Score-float64(exact)))
			if exact >= sorted[n-k]-1e-5 {
				hits++
			}
		}
	}
	recall := float64(hits) / (queries * k)
	t.Logf("recall@%d %.4f, greatest error of a score %.2g", k, recall, worst)
	if recall < 0.99 || worst > 1e-4 {
		t.Errorf("recall %.4f, error %.2g; want at least .99, at most 1e-4", recall, worst)
	}
}
