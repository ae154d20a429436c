package catalogtest

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"footnote/internal/rag"
)

func filters(t *testing.T, c Catalog, _ *Clock) {
	col := makeCollection(t, c, "c")
	for i := range 10 {
		ingest(t, c, col, fmt.Sprintf("d%d", i), rag.Metadata{"n": float64(i)}, fmt.Sprint("word", i))
	}
	f := &rag.Filter{Op: rag.OpGte, Key: "n", Value: 5.0}
	page := must[[]rag.Document](t)(c.Documents(t.Context(), col.ID, f, "d5", 3))
	if len(page) != 3 || page[0].ExternalID != "d6" || page[2].ExternalID != "d8" {
		t.Errorf("got %v", page)
	}
	if all := must[[]rag.Document](t)(c.Documents(t.Context(), col.ID, nil, "", 100)); len(all) != 10 {
		t.Errorf("got %d", len(all))
	}
}

// names has stores agree on order and identity: by byte, whatever the locale.
func names(t *testing.T, c Catalog, _ *Clock) {
	col := makeCollection(t, c, "c")
	want := []string{"A", "B", "_", "a", "b", "é", "中文", "😀"}
	for _, id := range []string{"中文", "b", "_", "😀", "A", "é", "a", "B"} {
		ingest(t, c, col, id, nil, id)
	}
	var got []string
	after := ""
	for {
		page := must[[]rag.Document](t)(c.Documents(t.Context(), col.ID, nil, after, 3))
		for _, d := range page {
			got = append(got, d.ExternalID)
			after = d.ExternalID
		}
		if len(page) < 3 {
			break
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for _, id := range []string{"a\x00", "A ", "'; DROP TABLE documents; --"} {
		_, err := c.Document(t.Context(), col.ID, id)
		wantCode(t, id, err, rag.NotFound)
	}
	if hits := must[[]rag.Hit](t)(c.Hydrate(t.Context(), col.ID, []rag.ChunkID{"", "no uuid"})); len(hits) != 0 {
		t.Errorf("got %v", hits)
	}
}

func deletes(t *testing.T, c Catalog, _ *Clock) {
	col := makeCollection(t, c, "c")
	v := ingest(t, c, col, "d", nil, "one", "two")
	removed := must[[]rag.ChunkID](t)(c.DeleteDocument(t.Context(), col.ID, "d"))
	if len(removed) != 2 || len(must[[]rag.Removal](t)(c.Removals(t.Context(), 9))) != 2 {
		t.Errorf("removed %v", removed)
	}
	_, err := c.DocumentByID(t.Context(), v.Document.ID)
	wantCode(t, "a deleted document", err, rag.NotFound)
	_, err = c.Text(t.Context(), v.Document.ID)
	wantCode(t, "its text", err, rag.NotFound)
	_, err = c.DeleteDocument(t.Context(), col.ID, "d")
	wantCode(t, "deleting it again", err, rag.NotFound)
	ingest(t, c, col, "e", nil, "three")
	must[rag.Collection](t)(c.DeleteCollection(t.Context(), "c"))
	if left := must[[]rag.Job](t)(c.Jobs(t.Context(), rag.JobQuery{Limit: 9})); len(left) > 0 {
		t.Errorf("jobs left: %v", left)
	}
	_, err = c.Submit(t.Context(), col.ID, []rag.Upload{{}})
	wantCode(t, "submitting to a deleted collection", err, rag.NotFound)
}
