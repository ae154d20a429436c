package local

import (
	"math"
	"strings"
	"testing"

	"footnote/internal/embed/local/foldertest"
	"footnote/internal/rag"
)

func TestTokenStates_AreTheStatesThatTheVectorIsTheMeanOf(t *testing.T) {
	e, err := New(Options{DisableCentring: true})
	if err != nil {
		t.Fatal(err)
	}
	texts := []string{"Parental leave lasts sixteen weeks.", "病假超过三天须提交医院证明。😀", "x"}
	got, err := e.TokenStates(t.Context(), texts, false)
	if err != nil {
		t.Fatal(err)
	}
	for i, text := range texts {
		if len(got[i]) != e.CountTokens(text) {
			t.Errorf("%s: got %d states for %d tokens", text, len(got[i]), e.CountTokens(text))
		}
		alone, err := e.TokenStates(t.Context(), texts[i:i+1], false)
		if err != nil {
			t.Fatal(err)
		}
		for j, s := range got[i] {
			if d := dotOf(s, s); math.Abs(d-1) > 1e-4 {
				t.Errorf("%s: state %d has norm² %g", text, j, d)
			}
			if d := dotOf(s, alone[0][j]); d < 0.9999 {
				t.Errorf("%s: state %d depends on the texts beside it: cosine %g", text, j, d)
			}
		}
	}
	// The vector is the mean of all states; those without prefix and marks point nearly the same way.
	vectors, err := e.EmbedDocuments(t.Context(), texts[:1])
	if err != nil {
		t.Fatal(err)
	}
	mean := make(rag.Embedding, len(vectors[0]))
	for _, s := range got[0] {
		add(mean, s)
	}
	unit(mean)
	if d := dotOf(mean, vectors[0]); d < 0.97 {
		t.Errorf("the states' mean and the vector have the cosine %g", d)
	}
}

func TestTokenStates_CutsTextsThatAreTooLong(t *testing.T) {
	e, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	long := ""
	for range 600 {
		long += "leave "
	}
	got, err := e.TokenStates(t.Context(), []string{long}, true)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(got[0]); n > e.MaxTokens()+8 || n < e.MaxTokens()-8 {
		t.Errorf("got %d states, want about %d", n, e.MaxTokens())
	}
}

func dotOf(a, b rag.Embedding) (s float64) {
	for i := range a {
		s += float64(a[i]) * float64(b[i])
	}
	return s
}

// A model from a folder has prefixes and a limit of its own, or no prefix at all: its states are of the text's own tokens all the same.
func TestTokenStates_OfAModelFromAFolder(t *testing.T) {
	dir := t.TempDir()
	foldertest.Write(t, dir, foldertest.Model{}, synthetic...)
	short, long := synthetic[0], strings.Repeat(synthetic[0]+" ", 200)
	none, prefix := "", "search: "
	for _, p := range []*string{nil, &none, &prefix} {
		e, err := OpenFolder(dir, FolderOptions{Options: Options{Precision: Float32}, QueryPrefix: p, DocumentPrefix: p})
		if err != nil {
			t.Fatal(err)
		}
		for _, query := range []bool{false, true} {
			got, err := e.TokenStates(t.Context(), []string{short, long}, query)
			if err != nil {
				t.Fatal(err)
			}
			if n := e.CountTokens(short); len(got[0]) != n {
				t.Errorf("prefix %q: got %d states for %d tokens", e.query, len(got[0]), n)
			}
			// A text that is cut fills what marks and prefix leave of the model's limit, no more and no less.
			want := e.tokens - 2
			if e.query != "" {
				want -= e.CountTokens(strings.TrimSpace(e.query))
			}
			if len(got[1]) != want {
				t.Errorf("prefix %q: got %d states of a text that is cut, want %d", e.query, len(got[1]), want)
			}
		}
	}
}

// States of the two languages differ along one direction, whatever they say; centred, they do not.
func TestStateCentring_TakesOutWhatTellsLanguagesApart(t *testing.T) {
	e, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	apart := func(centre func([]rag.Embedding, bool)) float64 {
		var along [2]float64
		for i, text := range []string{"The nurse gives the child a glass of water before school.", "护士在上学前给孩子一杯水。"} {
			states, err := e.TokenStates(t.Context(), []string{text}, false)
			if err != nil {
				t.Fatal(err)
			}
			if centre != nil {
				centre(states[0], false)
			}
			for _, s := range states[0] {
				if d := dotOf(s, s); math.Abs(d-1) > 1e-4 {
					t.Fatalf("a state has norm² %g", d)
				}
				along[i] += dotOf(s, e.states.language) / float64(len(states[0]))
			}
		}
		return along[1] - along[0]
	}
	if raw, centred := apart(nil), apart(e.StateCentring()); raw < 0.2 || math.Abs(centred) > 0.05 {
		t.Errorf("the languages are %.3f apart, and %.3f when the states are centred", raw, centred)
	}
	plain, err := New(Options{DisableCentring: true})
	if err != nil {
		t.Fatal(err)
	}
	if plain.StateCentring() != nil {
		t.Error("a model without centring centres its states")
	}
}
