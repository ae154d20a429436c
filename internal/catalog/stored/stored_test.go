package stored

import (
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"footnote/internal/rag"
)

func TestStored_ReadsBackWhatItWrote(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		at := time.UnixMicro(rapid.Int64Range(1, 1<<52).Draw(t, "time")).UTC()
		if got := Time(Micros(at)); !got.Equal(at) {
			t.Fatalf("got %v, want %v", got, at)
		}
		list := rapid.SliceOfN(rapid.String(), 1, 5).Draw(t, "strings")
		if got, err := ReadStrings(Strings(list)); err != nil || !cmp.Equal(got, list) {
			t.Fatalf("got %q, %v", got, err)
		}
		m := rag.Metadata{"鍵 🔑": rapid.String().Draw(t, "string"), "n": rapid.Float64Range(-1e300, 1e300).Draw(t, "number"), "b": rapid.Bool().Draw(t, "bool"), "list": list}
		s, err := Metadata(m)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := ReadMetadata(s); err != nil || !cmp.Equal(got, m) {
			t.Fatalf("got %v, %v", got, err)
		}
		e := rag.Embedding(rapid.SliceOf(rapid.Float32()).Draw(t, "vector"))
		got := ReadEmbedding(Embedding(e))
		for i := range e {
			if math.Float32bits(got[i]) != math.Float32bits(e[i]) {
				t.Fatalf("component %d: got %v, want %v", i, got[i], e[i])
			}
		}
	})
}

func TestStored_NothingIsNothing(t *testing.T) {
	if Micros(time.Time{}) != 0 || !Time(0).IsZero() {
		t.Error("no time is stored as one")
	}
	if got, err := ReadStrings(Strings(nil)); got != nil || err != nil {
		t.Errorf("got %v, %v", got, err)
	}
	if s, err := Metadata(nil); s != "{}" || err != nil {
		t.Errorf("got %q, %v", s, err)
	}
	if _, err := ReadStrings("nonsense"); err == nil {
		t.Error("nonsense was read")
	}
	if _, err := ReadMetadata("[]"); err == nil {
		t.Error("a list was read as metadata")
	}
	if _, err := Metadata(rag.Metadata{"n": math.NaN()}); rag.CodeOf(err) != rag.Invalid {
		t.Errorf("NaN: %v", err)
	}
}
