package catalogtest

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"footnote/internal/rag"
)

// languages: a collection tells how many of its documents are in which language, and the language of each chunk.
func languages(t *testing.T, c Catalog, _ *Clock) {
	col, other := makeCollection(t, c, "mixed"), makeCollection(t, c, "other")
	if got := must[map[string]int](t)(c.Languages(t.Context(), col.ID)); len(got) != 0 {
		t.Errorf("an empty collection has %v", got)
	}
	want := map[rag.ChunkID]string{"00000000-0000-5000-8000-000000000000": ""}
	for name, language := range map[string]string{"a": "en", "b": "zh", "c": "zh", "d": ""} {
		must[rag.Job](t)(c.Submit(t.Context(), col.ID, []rag.Upload{{ExternalID: name, SHA256: name}}))
		l := must[*rag.Lease](t)(c.LeaseJob(t.Context(), "w", time.Minute))
		v := version(l.Job.Documents[0], nil, name+"一", name+" two")
		v.Document.Language = language
		must[[]rag.ChunkID](t)(c.Publish(t.Context(), l.Job.ID, l.Token, 0, v))
		if err := c.FinishJob(t.Context(), l.Job.ID, l.Token, rag.JobSucceeded, rag.StagePublish, rag.Progress{Done: 1, Total: 1}, nil); err != nil {
			t.Fatal(err)
		}
		for _, k := range v.Chunks {
			want[k.ID] = language
		}
	}
	got := must[map[string]int](t)(c.Languages(t.Context(), col.ID))
	if diff := cmp.Diff(map[string]int{"": 1, "en": 1, "zh": 2}, got); diff != "" {
		t.Error(diff)
	}
	if got := must[map[string]int](t)(c.Languages(t.Context(), other.ID)); len(got) != 0 {
		t.Errorf("an empty collection has %v", got)
	}
	var ids []rag.ChunkID
	for id := range want {
		ids = append(ids, id)
	}
	delete(want, "00000000-0000-5000-8000-000000000000")
	if diff := cmp.Diff(want, must[map[rag.ChunkID]string](t)(c.ChunkLanguages(t.Context(), col.ID, ids))); diff != "" {
		t.Error(diff)
	}
	if got := must[map[rag.ChunkID]string](t)(c.ChunkLanguages(t.Context(), other.ID, ids)); len(got) != 0 {
		t.Errorf("another collection sees %v", got)
	}
}
