package cache

import (
	"bytes"
	"slices"
	"testing"
)

func TestLoad_AnswersWithWhatWasSaved(t *testing.T) {
	t.Parallel()
	m, other := &spelled{name: "m"}, &spelled{name: "other"}
	before := New(Options{Entries: 10})
	for _, text := range []string{"leave", "育兒假", "👪"} {
		ask(t, before.Over(m), text)
	}
	ask(t, before.Over(other), "leave")
	var file bytes.Buffer
	if err := before.Save(&file); err != nil {
		t.Fatal(err)
	}
	var n counter
	after := New(Options{Entries: 10, Observe: n.observe})
	if err := after.Load(bytes.NewReader(file.Bytes())); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"leave", "育兒假", "👪"} {
		if got := ask(t, after.Over(m), text); !slices.Equal(got, m.vector(text)) {
			t.Errorf("%s: got %v", text, got)
		}
	}
	if got := ask(t, after.Over(other), "leave"); !slices.Equal(got, other.vector("leave")) {
		t.Errorf("another model's vector: got %v", got)
	}
	ask(t, after.Over(other), "育兒假")
	n.want(t, 4, 1)
	if err := after.Load(bytes.NewReader(file.Bytes()[:file.Len()-3])); err == nil {
		t.Error("a file that was cut off: got no error")
	}
}
