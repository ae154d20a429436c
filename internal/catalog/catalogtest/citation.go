package catalogtest

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"footnote/internal/rag"
)

func citations(t *testing.T, c Catalog, _ *Clock) {
	want := rag.Citation{ID: rag.NewCitationID(), Marker: 2, AnswerSpan: rag.Span{Start: 1, End: 5}, Collection: "c", ChunkID: "x", SourceSpan: rag.Span{Start: 7, End: 9},
		Document: rag.Document{ID: "doc_1", ExternalID: "文", Title: "題", Version: 3}, Quote: "引文", HeadingPath: []string{"章"}, Page: 4, Verified: true, Verdict: rag.VerdictSupported, Support: 0.75, Attribution: rag.AttributionAligned}
	if err := c.SaveCitations(t.Context(), []rag.Citation{want}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, must[rag.Citation](t)(c.Citation(t.Context(), want.ID))); diff != "" {
		t.Error(diff)
	}
	_, err := c.Citation(t.Context(), "cit_none")
	wantCode(t, "a citation that is not", err, rag.NotFound)
}
