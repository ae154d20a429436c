package search

import (
	"fmt"
	"math"
	"testing"

	"footnote/internal/rag"
)

// What the words of a question cannot find, because it is in another language, does not lose for the want of them.
func TestFuse_WordsSayNothingOfAnotherLanguage(t *testing.T) {
	t.Parallel()
	dense, lexical := list("f", "a", "b", "c"), list("a", "b", "c")
	for _, how := range []rag.Fusion{rag.ZScore, rag.RRF, rag.Convex} {
		if got := ids(Fuse(how, dense, lexical, 0, nil)); got[0] != 'a' {
			t.Errorf("%s: got %s: f is first without the words of the question", how, got)
		}
		if got := ids(Fuse(how, dense, lexical, 0, map[rag.ChunkID]bool{"f": true})); got[0] != 'f' {
			t.Errorf("%s: got %s, want f, the nearest, first", how, got)
		}
		// A name or a number that both languages write alike still counts.
		lexical := list("f", "a", "b", "c")
		with, without := Fuse(how, list("a", "b", "f", "c"), lexical, 0, map[rag.ChunkID]bool{"f": true}), Fuse(how, list("a", "b", "f", "c"), lexical, 0, nil)
		for i := range with {
			if with[i].ID != without[i].ID || math.Abs(with[i].Score-without[i].Score) > 1e-12 {
				t.Errorf("%s: got %v, want %v as without knowing the language", how, with, without)
				break
			}
		}
	}
}

func TestSearch_CandidatesOfAnotherLanguage(t *testing.T) {
	t.Parallel()
	w := &world{texts: map[rag.CollectionID][]string{
		"both":    {"leave 42 weeks", "育儿假 42", "42"},
		"chinese": {"育儿假 42", "年假 42 天"},
		"english": {"leave 42 weeks", "leave 7"},
	}}
	for _, c := range []struct {
		name, query string
		collections []string
		want        []string
	}{
		{"one language, its own", "leave 42", []string{"english"}, nil},
		{"one language, another", "leave 42", []string{"chinese"}, []string{"育儿假 42", "年假 42 天"}},
		{"two languages, asked in English", "leave 42", []string{"both"}, []string{"育儿假 42"}},
		{"two languages, asked in Chinese", "育儿假 42", []string{"both"}, []string{"leave 42 weeks"}},
		{"two collections", "leave 42", []string{"english", "chinese"}, []string{"育儿假 42", "年假 42 天"}},
		{"a question without a language", "42", []string{"both"}, nil},
	} {
		s := New(Options{Catalog: w, Index: w, Embedder: w})
		r, err := s.request(rag.Query{Text: c.query, Collections: c.collections}.WithDefaults(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := r.open(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := r.retrieve(t.Context()); err != nil {
			t.Fatal(err)
		}
		got, err := r.foreign(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if len(got) != len(c.want) {
			t.Errorf("%s: got %v, want %v", c.name, got, c.want)
		}
		for _, text := range c.want {
			if !got[id(text)] {
				t.Errorf("%s: %q is not told to be in another language", c.name, text)
			}
		}
	}
}

// blind is a model that marks the vectors that are to be compared across languages.
type blind struct{ *world }

func (blind) AcrossLanguages(query rag.Embedding) rag.Embedding {
	return append(query[:len(query):len(query)], 1)
}

// A query is made blind to languages only where that is of use, and then for all collections that it goes to: their scores are compared.
func TestSearch_VectorAcrossLanguages(t *testing.T) {
	t.Parallel()
	w := &world{texts: map[rag.CollectionID][]string{
		"both": {"leave 42 weeks", "育儿假 42"}, "chinese": {"育儿假 42", "年假 42 天"}, "english": {"leave 42 weeks", "leave 7"}, "numbers": {"42"}, "one": {"育儿假 42"},
	}}
	for i := range 200 {
		w.texts["many"] = append(w.texts["many"], fmt.Sprint("leave ", i))
	}
	for _, c := range []struct {
		query       string
		collections []string
		want        bool
	}{
		{"leave 42", []string{"english"}, false},
		{"leave 42", []string{"english", "numbers"}, false},
		{"育儿假", []string{"chinese"}, false},
		{"leave 42", []string{"chinese"}, true},
		{"育兒假 42", []string{"both"}, true},
		{"leave 42", []string{"english", "chinese"}, true},
		{"42", []string{"chinese"}, false},
		{"42", []string{"both"}, true},
		{"leave 42", []string{"many", "one"}, false}, // one in 201
		{"leave 42", []string{"many", "chinese"}, false},
		{"leave 42", []string{"many", "chinese", "both"}, true}, // three in 204
		{"育儿假 42", []string{"many", "one"}, true},
		{"42", []string{"many", "one"}, false},
		{"42", []string{"many", "chinese", "both"}, true},
	} {
		for _, model := range []Embedder{blind{w}, w} {
			r, err := New(Options{Catalog: w, Index: w, Embedder: model}).request(rag.Query{Text: c.query, Collections: c.collections}.WithDefaults(), nil)
			if err != nil {
				t.Fatal(err)
			}
			if err := r.open(t.Context()); err != nil {
				t.Fatal(err)
			}
			_, able := model.(blind)
			if got, want := len(r.vector("counts-1"))-len(r.vectors["counts-1"]), map[bool]int{true: 1}[c.want && able]; got != want {
				t.Errorf("%q in %v, a model that is able: %t: got a vector %d longer, want %d", c.query, c.collections, able, got, want)
			}
		}
	}
}
