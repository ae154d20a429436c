package search

import (
	"context"
	"fmt"
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/quick"

	"footnote/internal/lexical"
	"footnote/internal/rag"
	"footnote/internal/text"
)

func list(ids ...string) []rag.Candidate {
	var out []rag.Candidate
	for i, id := range ids {
		out = append(out, rag.Candidate{ID: rag.ChunkID(id), Score: float64(len(ids) - i)})
	}
	return out
}

func ids(c []rag.Candidate) (s string) {
	for _, x := range c {
		s += string(x.ID)
	}
	return s
}

func TestFuse_EmptyListLeavesTheOther(t *testing.T) {
	t.Parallel()
	for _, how := range []rag.Fusion{rag.ZScore, rag.RRF, rag.Convex} {
		if got := ids(Fuse(how, list("c", "a", "b"), nil, 0, nil)); got != "cab" {
			t.Errorf("%s: got %s", how, got)
		}
		if got := ids(Fuse(how, nil, list("b", "a"), 0, nil)); got != "ba" {
			t.Errorf("%s: got %s", how, got)
		}
	}
}

func TestFuse_ZScoreIsTheDefinition(t *testing.T) {
	t.Parallel()
	// Dense 3, 2, 1: z = ±√1.5, 0. c is in the dense list only and scores 0 in the lexical one. Lexical 2, 1, 0: the same.
	got := Fuse(rag.ZScore, list("a", "b", "c"), list("b", "a"), 0, nil)
	z := math.Sqrt(1.5)
	want := map[rag.ChunkID]float64{"a": 0.6 * z, "b": 0.4 * z, "c": -z}
	for _, c := range got {
		if math.Abs(c.Score-want[c.ID]) > 1e-12 {
			t.Errorf("%s: got %g, want %g", c.ID, c.Score, want[c.ID])
		}
	}
	if ids(got) != "abc" {
		t.Errorf("got %s", ids(got))
	}
}

func TestFuse_FullListsTakeNoZeros(t *testing.T) {
	t.Parallel()
	var dense, lexical []rag.Candidate
	for i := range fusionDepth {
		dense = append(dense, rag.Candidate{ID: rag.ChunkID(fmt.Sprintf("d%03d", i)), Score: 1 - float64(i)/1000})
		lexical = append(lexical, rag.Candidate{ID: rag.ChunkID(fmt.Sprintf("l%03d", i)), Score: 20 - float64(i)/10})
	}
	lexical[0].ID = dense[50].ID
	// Evenly spaced scores: z = (rank − mean rank)/√((n²−1)/12). What a list lacks gets its lowest.
	z := func(rank int) float64 {
		return (float64(fusionDepth-1)/2 - float64(rank)) / math.Sqrt(float64(fusionDepth*fusionDepth-1)/12)
	}
	last := z(fusionDepth - 1)
	for _, coverage := range []float64{0, 1} {
		for _, c := range Fuse(rag.ZScore, dense, lexical, coverage, nil) {
			i := slices.IndexFunc(dense, func(d rag.Candidate) bool { return d.ID == c.ID })
			j := slices.IndexFunc(lexical, func(l rag.Candidate) bool { return l.ID == c.ID })
			d, l := last, last
			if i >= 0 {
				d = z(i)
			}
			if j >= 0 {
				l = z(j)
			}
			if want := 0.6*d + 0.4*l; math.Abs(c.Score-want) > 1e-9 {
				t.Fatalf("coverage %g, %s: got %g, want %g", coverage, c.ID, c.Score, want)
			}
		}
	}
}

func TestFuse_ShortLexicalListCountsWhatItLacks(t *testing.T) {
	t.Parallel()
	var dense []rag.Candidate
	for i := range fusionDepth {
		dense = append(dense, rag.Candidate{ID: rag.ChunkID(fmt.Sprintf("d%03d", i)), Score: 0.5 - float64(i)/2000})
	}
	dense[0].Score = 0.54 // four deviations above the mean
	rankOf := func(id string, lexical []rag.Candidate, coverage float64) int {
		return slices.IndexFunc(Fuse(rag.ZScore, dense, lexical, coverage, nil), func(c rag.Candidate) bool { return string(c.ID) == id }) + 1
	}
	for _, id := range []rag.ChunkID{"d099", "x"} { // the last of the dense list, and one that it lacks
		one := []rag.Candidate{{ID: id, Score: 9}}
		if got := rankOf(string(id), one, 1); got != 1 {
			t.Errorf("%s, the only chunk with the whole query, is at rank %d", id, got)
		}
		if got := rankOf("d000", one, 0); got != 1 {
			t.Errorf("%s, which shares a word with the query, displaces the nearest, which is at rank %d", id, got)
		}
		if got := rankOf(string(id), one, 0); got > 50 {
			t.Errorf("%s, which shares a word with the query, is at rank %d", id, got)
		}
	}
	alike := []rag.Candidate{{ID: "d070", Score: 9}, {ID: "d080", Score: 9}, {ID: "d090", Score: 9}}
	for i, id := range []string{"d070", "d080", "d090"} {
		if got := rankOf(id, alike, 1); got > i+2 {
			t.Errorf("%s, one of three alike that have the whole query, is at rank %d", id, got)
		}
	}
	// Scores that are all alike in a full list still say which chunks were found.
	var full []rag.Candidate
	for i := range fusionDepth {
		full = append(full, rag.Candidate{ID: rag.ChunkID(fmt.Sprintf("d%03d", i+20)), Score: 4})
	}
	if a, b := rankOf("d020", full, 0), rankOf("d019", full, 0); a > b {
		t.Errorf("found: rank %d, its neighbour that was not: rank %d", a, b)
	}
}

func TestFuse_ConvexIsTheDefinition(t *testing.T) {
	t.Parallel()
	got := Fuse(rag.Convex, list("a", "b", "c"), list("b", "d"), 0, nil)
	want := map[rag.ChunkID]float64{"a": 0.6, "b": 0.3 + 0.4, "c": 0, "d": 0.2} // a and c score 0 in the lexical list
	for _, c := range got {
		if math.Abs(c.Score-want[c.ID]) > 1e-12 {
			t.Errorf("%s: got %g, want %g", c.ID, c.Score, want[c.ID])
		}
	}
	if ids(got) != "badc" {
		t.Errorf("got %s", ids(got))
	}
	// One that stands alone, or among equals, was found, which is more than the others can say.
	if got := ids(Fuse(rag.Convex, list("b"), list("a"), 0, nil)); got != "ba" {
		t.Errorf("got %s", got)
	}
}

func TestFuse_TieBreaksByChunkID(t *testing.T) {
	t.Parallel()
	if got := ids(Fuse(rag.RRF, list("b", "a"), list("a", "b"), 0, nil)); got != "ab" {
		t.Errorf("got %s", got)
	}
	same := []rag.Candidate{{ID: "z", Score: 1}, {ID: "y", Score: 1}}
	for _, how := range []rag.Fusion{rag.ZScore, rag.RRF, rag.Convex} {
		if how == rag.RRF {
			same = slices.Clone(same)
			slices.Reverse(same) // ranks decide
		}
		if got := ids(Fuse(how, same, same, 0, nil)); got != "yz" {
			t.Errorf("%s: got %s", how, got)
		}
	}
}

func TestStandardised_PutsModelsOnOneScale(t *testing.T) {
	t.Parallel()
	// One model's cosines lie between .8 and .9, another's between .1 and .5; what stands out in its list stands out in both.
	a := standardised([]rag.Candidate{{ID: "a", Score: 0.9}, {ID: "b", Score: 0.81}, {ID: "c", Score: 0.8}})
	b := standardised([]rag.Candidate{{ID: "x", Score: 0.3}, {ID: "y", Score: 0.2}, {ID: "z", Score: 0.1}})
	if !(a[0].Score > b[0].Score) || !(b[0].Score > a[1].Score) {
		t.Errorf("got %v and %v", a, b)
	}
	if got := standardised(nil); len(got) != 0 {
		t.Errorf("got %v", got)
	}
	if got := standardised([]rag.Candidate{{ID: "a", Score: 0.7}}); got[0].Score != 0 {
		t.Errorf("got %v", got)
	}
}

func TestFuse_KeepsEveryCandidateOnce(t *testing.T) {
	t.Parallel()
	if err := quick.Check(func(a, b []uint8) bool {
		make := func(v []uint8) (out []rag.Candidate) {
			slices.Sort(v)
			for i, x := range slices.Compact(v) {
				out = append(out, rag.Candidate{ID: rag.ChunkID(fmt.Sprint(x)), Score: float64(-i)})
			}
			return out
		}
		x, y := make(a), make(b)
		want := map[rag.ChunkID]bool{}
		for _, c := range slices.Concat(x, y) {
			want[c.ID] = true
		}
		for _, how := range []rag.Fusion{rag.ZScore, rag.RRF, rag.Convex} {
			got := Fuse(how, x, y, 0, nil)
			if len(got) != len(want) || !slices.IsSortedFunc(got, func(a, b rag.Candidate) int {
				if len(x) == 0 || len(y) == 0 {
					return 0
				}
				return order(a, b)
			}) {
				return false
			}
		}
		return true
	}, nil); err != nil {
		t.Fatal(err)
	}
}

// world is a small catalog, index and embedder that behave: two collections of real sentences, vectors of term counts.
type world struct {
	texts    map[rag.CollectionID][]string
	inactive map[string]bool
	prints   map[string]string
	of       map[string]rag.Document // of texts; the others are each a document of their own, named by its text
}

func (w *world) document(c rag.CollectionID, text string) rag.Document {
	d, ok := w.of[text]
	if !ok {
		d = rag.Document{ID: rag.DocumentID("doc_" + text), ExternalID: text}
	}
	d.Collection = c
	return d
}

func (w *world) Document(_ context.Context, c rag.CollectionID, externalID string) (rag.Document, error) {
	for _, text := range w.texts[c] {
		if d := w.document(c, text); d.ExternalID == externalID && !w.inactive[text] {
			return d, nil
		}
	}
	return rag.Document{}, rag.DocumentMissing(externalID)
}

func (w *world) DocumentByID(_ context.Context, id rag.DocumentID) (rag.Document, error) {
	for c, texts := range w.texts {
		for _, text := range texts {
			if d := w.document(c, text); d.ID == id && !w.inactive[text] {
				return d, nil
			}
		}
	}
	return rag.Document{}, rag.DocumentGone()
}

func (w *world) Chunks(_ context.Context, doc rag.DocumentID, _, _ int) (out []rag.Chunk, err error) {
	for c, texts := range w.texts {
		for _, text := range texts {
			if w.document(c, text).ID == doc {
				out = append(out, rag.Chunk{ID: id(text), Text: text})
			}
		}
	}
	return out, nil
}

func id(text string) rag.ChunkID { return rag.NewChunkID("d", text, 0) }

func (w *world) Collection(_ context.Context, name string) (rag.Collection, error) {
	if _, ok := w.texts[rag.CollectionID(name)]; !ok {
		return rag.Collection{}, rag.Errorf(rag.NotFound, "There is no collection %q.", name)
	}
	print := w.prints[name]
	if print == "" {
		print = w.Fingerprint()
	}
	return rag.Collection{ID: rag.CollectionID(name), IndexID: rag.CollectionID(name), Name: name, Embedding: rag.EmbeddingSpec{Fingerprint: print}}, nil
}

func (w *world) Hydrate(_ context.Context, c rag.CollectionID, want []rag.ChunkID) (out []rag.Hit, err error) {
	for _, text := range w.texts[c] {
		if slices.Contains(want, id(text)) && !w.inactive[text] {
			out = append(out, rag.Hit{Collection: string(c), Document: w.document(c, text), Chunk: rag.Chunk{ID: id(text), Text: text}})
		}
	}
	slices.Reverse(out)
	return out, nil
}

func (w *world) Embeddings(_ context.Context, ids []rag.ChunkID) (map[rag.ChunkID]rag.Embedding, error) {
	out := map[rag.ChunkID]rag.Embedding{}
	for _, texts := range w.texts {
		for _, text := range texts {
			if slices.Contains(ids, id(text)) {
				out[id(text)] = embed(text)
			}
		}
	}
	return out, nil
}

func (w *world) Languages(_ context.Context, c rag.CollectionID) (map[string]int, error) {
	out := map[string]int{}
	for _, s := range w.texts[c] {
		out[text.Language(s)]++
	}
	return out, nil
}

func (w *world) ChunkLanguages(_ context.Context, c rag.CollectionID, ids []rag.ChunkID) (map[rag.ChunkID]string, error) {
	out := map[rag.ChunkID]string{}
	for _, s := range w.texts[c] {
		if slices.Contains(ids, id(s)) {
			out[id(s)] = text.Language(s)
		}
	}
	return out, nil
}

func (w *world) Model() string       { return "counts" }
func (w *world) Fingerprint() string { return "counts-1" }
func (w *world) EmbedQueries(_ context.Context, texts []string) (out []rag.Embedding, err error) {
	for _, s := range texts {
		out = append(out, embed(s))
	}
	return out, nil
}

var embedded sync.Map // text → vector: the tests ask for the same ones many times

func embed(s string) rag.Embedding {
	if v, ok := embedded.Load(s); ok {
		return v.(rag.Embedding)
	}
	v := make(rag.Embedding, 1021)
	for _, t := range lexical.Terms(s) {
		v[lexical.Hash(t.Text)%1021]++
	}
	embedded.Store(s, v)
	return v
}

func (w *world) rank(c rag.CollectionID, k int, score func(string) float64) (out []rag.Candidate) {
	for _, text := range w.texts[c] {
		if s := score(text); s > 0 {
			out = append(out, rag.Candidate{ID: id(text), Score: s})
		}
	}
	slices.SortFunc(out, order)
	return out[:min(k, len(out))]
}

func (w *world) SearchDense(_ context.Context, c rag.CollectionID, v rag.Embedding, _ *rag.Filter, k int) ([]rag.Candidate, error) {
	return w.rank(c, k, func(text string) (s float64) {
		for i, x := range embed(text) {
			s += float64(x * v[i])
		}
		return s
	}), nil
}

func (w *world) SearchLexical(_ context.Context, c rag.CollectionID, q rag.SparseVector, _ *rag.Filter, k int) ([]rag.Candidate, error) {
	return w.rank(c, k, func(text string) (s float64) {
		v := lexical.DocumentVector(text, lexical.DefaultParams)
		for i, term := range q.Indices {
			if j, ok := slices.BinarySearch(v.Indices, term); ok {
				s += float64(q.Values[i] * v.Values[j])
			}
		}
		return s
	}), nil
}

func newWorld() (*world, *Service) {
	w := &world{texts: map[rag.CollectionID][]string{
		"en": {"Parental leave lasts sixteen weeks.", "The servers are backed up at midnight.", "Leave requests go to the manager."},
		"zh": {"育儿假为十六周，全薪。", "服务器在午夜备份。"},
	}, inactive: map[string]bool{}, prints: map[string]string{}, of: map[string]rag.Document{}}
	return w, New(Options{Catalog: w, Documents: w, Index: w, Embedder: w})
}

func TestSearch_RanksOverSeveralCollections(t *testing.T) {
	t.Parallel()
	_, s := newWorld()
	for q, want := range map[string]string{"parental leave": "Parental leave lasts sixteen weeks.", "育兒假": "育儿假为十六周，全薪。"} {
		for _, mode := range []rag.Mode{rag.Hybrid, rag.Dense, rag.Lexical} {
			got, err := s.Search(t.Context(), rag.Query{Text: q, Collections: []string{"zh", "en", "en"}, Mode: mode, Explain: true})
			if err != nil {
				t.Fatal(err)
			}
			h := got.Hits[0]
			if h.Chunk.Text != want || h.Rank != 1 || (h.Dense != nil) != (mode != rag.Lexical) || (h.Lexical != nil) != (mode != rag.Dense) {
				t.Errorf("%s %s: got %+v", q, mode, h)
			}
			if mode != rag.Dense && len(h.Lexical.Terms) == 0 {
				t.Errorf("%s %s: no matched terms", q, mode)
			}
			if got.Timings["total"] <= 0 {
				t.Error("no time was taken")
			}
		}
	}
}

func TestSearch_NeverReturnsWhatIsNotActive(t *testing.T) {
	t.Parallel()
	w, s := newWorld()
	for i := range 500 { // many more than the first depth
		text := fmt.Sprintf("parental leave parental leave draft %d", i)
		w.texts["en"] = append(w.texts["en"], text)
		w.inactive[text] = true
	}
	got, err := s.Search(t.Context(), rag.Query{Text: "parental leave", Collections: []string{"en"}, TopK: 2})
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Hits) != 2 || got.Hits[0].Chunk.Text != "Parental leave lasts sixteen weeks." {
		t.Errorf("got %+v", got.Hits)
	}
}

// TestSearch_SaysWhenItIsUnderWay has searches that find something, nothing, and fail: the index is asked between Begin and its end, and every beginning has one end.
func TestSearch_SaysWhenItIsUnderWay(t *testing.T) {
	t.Parallel()
	w, _ := newWorld()
	var begun, ended, outside atomic.Int32
	asked := func() {
		if begun.Load() != ended.Load()+1 {
			outside.Add(1)
		}
	}
	s := New(Options{Catalog: w, Index: watched{w, asked}, Embedder: w, Begin: func() func() {
		begun.Add(1)
		return func() { ended.Add(1) }
	}})
	for _, q := range []rag.Query{{Text: "leave", Collections: []string{"en"}}, {Text: "zzz", Collections: []string{"en"}, Mode: rag.Lexical}} {
		if _, err := s.Search(t.Context(), q); err != nil {
			t.Fatal(err)
		}
	}
	ctx, stop := context.WithCancel(t.Context())
	failing := New(Options{Catalog: w, Index: watched{w, func() { asked(); stop() }}, Embedder: w, Begin: s.o.Begin})
	if _, err := failing.Search(ctx, rag.Query{Text: "leave", Collections: []string{"en"}, Mode: rag.Lexical}); err == nil {
		t.Error("a search whose index fails succeeded")
	}
	if begun.Load() != 3 || ended.Load() != 3 || outside.Load() > 0 {
		t.Errorf("got %d beginnings and %d ends, and the index was asked %d times outside; want 3, 3 and 0", begun.Load(), ended.Load(), outside.Load())
	}
}

// watched is an index that tells when it is asked; it fails when the context has ended.
type watched struct {
	Index
	asked func()
}

func (w watched) SearchDense(ctx context.Context, id rag.CollectionID, v rag.Embedding, f *rag.Filter, k int) ([]rag.Candidate, error) {
	w.asked()
	return w.Index.SearchDense(ctx, id, v, f, k)
}

func (w watched) SearchLexical(ctx context.Context, id rag.CollectionID, q rag.SparseVector, f *rag.Filter, k int) ([]rag.Candidate, error) {
	w.asked()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return w.Index.SearchLexical(ctx, id, q, f, k)
}

func TestSearch_Refuses(t *testing.T) {
	t.Parallel()
	w, s := newWorld()
	w.prints["zh"] = "other-model"
	for want, q := range map[rag.Code]rag.Query{
		rag.Invalid:       {Text: "", Collections: []string{"en"}},
		rag.NotFound:      {Text: "x", Collections: []string{"en", "none"}},
		rag.ModelMismatch: {Text: "x", Collections: []string{"zh"}},
	} {
		if _, err := s.Search(t.Context(), q); rag.CodeOf(err) != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	if _, err := s.Search(t.Context(), rag.Query{Text: "午夜", Collections: []string{"zh"}, Mode: rag.Lexical}); err != nil {
		t.Errorf("lexical search needs no model: %v", err)
	}
}

func TestSearch_TakesTheVectorsThatItIsGiven(t *testing.T) {
	t.Parallel()
	_, s := newWorld()
	q := rag.Query{Text: "midnight", Collections: []string{"en"}, Mode: rag.Dense, TopK: 1}
	for print, want := range map[string]string{"counts-1": "Parental leave lasts sixteen weeks.", "counts-2": "The servers are backed up at midnight."} {
		q.Vectors = map[string]rag.Embedding{print: embed("parental sixteen weeks")}
		got, err := s.Search(t.Context(), q)
		if err != nil || got.Hits[0].Chunk.Text != want {
			t.Errorf("a vector of %s: got %+v, %v, want %s", print, got.Hits, err, want)
		}
	}
}
