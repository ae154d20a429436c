package e2e

import (
	"cmp"
	"flag"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"footnote/internal/eval"
	pgserver "footnote/internal/servertest/postgres"
	qdrantserver "footnote/internal/servertest/qdrant"
)

var update = flag.Bool("update", false, "write the golden rankings anew")

const (
	goldenFile  = "testdata/golden/rankings.txt"
	goldenDepth = 5
	// The collections. Questions across languages are asked of one, the others of both: of two passages that answer alike, the one in the question's language comes first.
	english, chinese = "english", "chinese"
	// scoreNoise is by how much a store that adds in another order, or keeps vectors in other bits, may move a fused score: cosines agree within 1e-4, and a
	// standard deviation of a list's cosines is about .02.
	scoreNoise = 0.01
	// halfMargin is how far the whole may be below one of its halves on so few questions.
	halfMargin = 0.02
)

type scored struct {
	id    string
	score float64
}

// The rankings of a small set in English and both scripts of Chinese, and across languages, are those of the golden file: each id in its place in embedded mode, whatever the
// processor; in production mode neighbours may change places whose scores are as good as the same. A change of the file is reviewed like code.
func TestGolden_Rankings(t *testing.T) {
	t.Parallel()
	set, err := eval.Read("testdata/golden")
	if err != nil {
		t.Fatal(err)
	}
	t.Run("embedded", func(t *testing.T) {
		t.Parallel()
		got := rankGolden(t, set)
		if *update {
			var b strings.Builder
			for _, key := range goldenKeys(set) {
				fmt.Fprintf(&b, "%s: %s\n", key, strings.Join(names(got[key]), " "))
			}
			if err := os.WriteFile(goldenFile, []byte(b.String()), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		compareGolden(t, set, got, 0)
		wholeIsNotBelowItsHalves(t, set, got)
	})
	t.Run("production", func(t *testing.T) {
		t.Parallel()
		if *update {
			t.Skip("the golden rankings are those of embedded mode")
		}
		pg, err := pgserver.Start()
		if err != nil {
			pgserver.Unavailable(t, err)
		}
		t.Cleanup(pg.Close)
		got := rankGolden(t, set, "FOOTNOTE_CATALOG="+pg.Database(t), "FOOTNOTE_INDEX="+qdrantserver.Start(t, "").URL())
		compareGolden(t, set, got, scoreNoise)
		wholeIsNotBelowItsHalves(t, set, got)
	})
}

var goldenModes = []string{"dense", "lexical", "hybrid"}

func goldenKeys(set eval.Dataset) (keys []string) {
	for _, q := range set.Queries {
		for _, mode := range goldenModes {
			keys = append(keys, q.ID+" "+mode)
		}
	}
	return keys
}

// rankGolden takes the set in and asks its questions in every mode, of a service with the settings. It returns the best documents by question and mode.
func rankGolden(t *testing.T, set eval.Dataset, settings ...string) map[string][]scored {
	t.Helper()
	p := begin(t, t.TempDir(), "", settings...)
	p.await(t)
	if p.base == "" {
		t.Fatal("the service died while it started")
	}
	for _, name := range []string{english, chinese} {
		if got := p.do("POST", "/v1/collections", map[string]any{"name": name}, nil); got != 201 {
			t.Fatalf("make the collection: %d", got)
		}
	}
	for _, d := range set.Documents {
		home := chinese
		if strings.HasPrefix(d.ID, "en-") {
			home = english
		}
		in := map[string]any{"external_id": d.ID, "title": d.Title, "text": d.Text}
		if got := p.do("POST", "/v1/collections/"+home+"/documents", in, nil); got != 202 {
			t.Fatalf("take in %s: %d", d.ID, got)
		}
	}
	drainWithin(t, p, 5*time.Minute)
	if t.Failed() {
		t.FailNow()
	}
	out := map[string][]scored{}
	for _, q := range set.Queries {
		collections := []string{english, chinese}
		switch kind, _, _ := strings.Cut(q.ID, "-"); kind {
		case "zh2en":
			collections = collections[:1]
		case "en2zh":
			collections = collections[1:]
		}
		for _, mode := range goldenModes {
			var found struct {
				Hits []struct {
					Score    float64
					Document struct {
						ExternalID string `json:"external_id"`
					}
				}
			}
			in := map[string]any{"query": q.Text, "collections": collections, "mode": mode, "top_k": 2 * goldenDepth, "max_per_document": 1, "collapse": false}
			if got := p.do("POST", "/v1/search", in, &found); got != 200 {
				t.Fatalf("search %s: %d", q.ID, got)
			}
			var list []scored
			for _, h := range found.Hits {
				list = append(list, scored{h.Document.ExternalID, h.Score})
			}
			// Ties go by chunk id, which is another each time.
			slices.SortStableFunc(list, func(a, b scored) int { return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(a.id, b.id)) })
			out[q.ID+" "+mode] = list
		}
	}
	return out
}

func names(list []scored) (ids []string) {
	for _, s := range list[:min(goldenDepth, len(list))] {
		ids = append(ids, s.id)
	}
	return ids
}

// compareGolden wants every list to be the golden one; noise is how far apart two scores may be whose documents have changed places.
func compareGolden(t *testing.T, set eval.Dataset, got map[string][]scored, noise float64) {
	t.Helper()
	b, err := os.ReadFile(goldenFile)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(b)), "\n")
	keys := goldenKeys(set)
	if len(lines) != len(keys) {
		t.Fatalf("%s has %d lines, want %d; -update writes it anew", goldenFile, len(lines), len(keys))
	}
	for i, key := range keys {
		name, ids, _ := strings.Cut(lines[i], ":")
		want := strings.Fields(ids)
		list := names(got[key])
		ok := name == key && len(want) == len(list)
		for j := 0; ok && j < len(want); j++ {
			at := slices.IndexFunc(got[key], func(s scored) bool { return s.id == want[j] })
			ok = at >= 0 && (at == j || noise > 0 && math.Abs(got[key][at].score-got[key][j].score) < noise)
		}
		if !ok {
			t.Errorf("got  %s: %s\nwant %s", key, strings.Join(list, " "), lines[i])
		}
	}
}

// wholeIsNotBelowItsHalves compares the means of nDCG over all questions.
func wholeIsNotBelowItsHalves(t *testing.T, set eval.Dataset, got map[string][]scored) {
	t.Helper()
	mean := map[string]float64{}
	for _, q := range set.Queries {
		for _, mode := range goldenModes {
			mean[mode] += eval.NDCG(names(got[q.ID+" "+mode]), set.Judgments[q.ID], goldenDepth) / float64(len(set.Queries))
		}
	}
	t.Logf("nDCG@%d: %v", goldenDepth, mean)
	for _, half := range goldenModes[:2] {
		if mean["hybrid"] < mean[half]-halfMargin {
			t.Errorf("hybrid search has an nDCG@%d of %.4f, %s alone %.4f", goldenDepth, mean["hybrid"], half, mean[half])
		}
	}
}
