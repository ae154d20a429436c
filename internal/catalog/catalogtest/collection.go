package catalogtest

import (
	"testing"
	"time"

	"footnote/internal/rag"
)

func collections(t *testing.T, c Catalog, _ *Clock) {
	id := must[string](t)(c.Installation(t.Context()))
	if again := must[string](t)(c.Installation(t.Context())); len(id) < 10 || again != id {
		t.Errorf("the installation is called %q, then %q", id, again)
	}
	for _, name := range []string{"b", "a", "c"} {
		makeCollection(t, c, name)
	}
	_, err := c.CreateCollection(t.Context(), rag.Collection{Name: "a"})
	wantCode(t, "the same name", err, rag.Conflict)
	page := must[[]rag.Collection](t)(c.Collections(t.Context(), "a", 1))
	if len(page) != 1 || page[0].Name != "b" {
		t.Errorf("got %v", page)
	}
	description := "手冊 📖"
	if got := must[rag.Collection](t)(c.UpdateCollection(t.Context(), "a", rag.CollectionPatch{Description: &description})); got.Description != description || got.Prompt != (rag.PromptTemplate{}) {
		t.Errorf("got %+v", got)
	}
	must[rag.Collection](t)(c.DeleteCollection(t.Context(), "a"))
	_, err = c.Collection(t.Context(), "a")
	wantCode(t, "a deleted collection", err, rag.NotFound)
	_, err = c.DeleteCollection(t.Context(), "a")
	wantCode(t, "deleting it again", err, rag.NotFound)
	_, err = c.UpdateCollection(t.Context(), "a", rag.CollectionPatch{Description: &description})
	wantCode(t, "updating it", err, rag.NotFound)
}

func prompts(t *testing.T, c Catalog, _ *Clock) {
	makeCollection(t, c, "a")
	description := "stays"
	must[rag.Collection](t)(c.UpdateCollection(t.Context(), "a", rag.CollectionPatch{Description: &description}))
	for i, step := range []rag.PromptTemplate{
		{System: "你是人事助理。 🌴", User: "{{.Passages}}\n{{.Question}}", Version: 1},
		{System: "你是人事助理。 🌴", User: "{{.Passages}}\n{{.Question}}", Version: 1}, // the same text is no change
		{System: "你是人事助理。 🌴", Version: 2},
		{Version: 3}, // back to the default
		{Version: 3},
		{User: "{{.Passages}}{{.Question}}", Version: 4},
	} {
		asked := rag.PromptTemplate{System: step.System, User: step.User, Version: 99}
		got := must[rag.Collection](t)(c.UpdateCollection(t.Context(), "a", rag.CollectionPatch{Prompt: &asked}))
		again := must[rag.Collection](t)(c.Collection(t.Context(), "a"))
		if got.Prompt != step || again.Prompt != step || got.Description != description {
			t.Errorf("step %d: got %+v, then %+v, want %+v", i, got, again.Prompt, step)
		}
	}
	other := "another"
	if got := must[rag.Collection](t)(c.UpdateCollection(t.Context(), "a", rag.CollectionPatch{Description: &other})); got.Prompt.Version != 4 || got.Prompt.User == "" || got.Description != other {
		t.Errorf("a description alone: got %+v", got)
	}
	imported := rag.PromptTemplate{System: "brought along", Version: 7}
	must[rag.Collection](t)(c.CreateCollection(t.Context(), rag.Collection{Name: "b", Prompt: imported}))
	if got := must[rag.Collection](t)(c.Collection(t.Context(), "b")); got.Prompt != imported {
		t.Errorf("a collection that is made with a prompt: got %+v", got.Prompt)
	}
}

func imports(t *testing.T, c Catalog, _ *Clock) {
	id := rag.NewCollectionID()
	col := must[rag.Collection](t)(c.CreateCollection(t.Context(), rag.Collection{ID: id, Name: rag.HiddenName("import", id), Embedding: rag.EmbeddingSpec{Dimensions: 2}}))
	makeCollection(t, c, "taken")
	if all := must[[]rag.Collection](t)(c.Collections(t.Context(), "", 10)); len(all) != 1 {
		t.Errorf("a hidden collection is listed: %v", all)
	}
	if hidden := must[[]rag.Collection](t)(c.HiddenCollections(t.Context())); len(hidden) != 1 || hidden[0].ID != id {
		t.Errorf("got hidden collections %v", hidden)
	}
	v := version(rag.JobDocument{Document: "doc_1", ExternalID: "文", Version: 7}, rag.Metadata{"a": "b"}, "one", "two")
	v.Document.Collection = col.ID
	if must[bool](t)(c.HasDocument(t.Context(), "doc_1")) {
		t.Error("it has a document that was not stored")
	}
	if err := c.ImportDocument(t.Context(), v); err != nil {
		t.Fatal(err)
	}
	wantCode(t, "importing it again", c.ImportDocument(t.Context(), v), rag.Conflict)
	if !must[bool](t)(c.HasDocument(t.Context(), "doc_1")) {
		t.Error("an imported document is not there")
	}
	wantCode(t, "a name that is taken", c.RenameCollection(t.Context(), col.ID, "taken"), rag.Conflict)
	wantCode(t, "a collection that is not", c.RenameCollection(t.Context(), "col_none", "x"), rag.NotFound)
	if err := c.RenameCollection(t.Context(), col.ID, "imported"); err != nil {
		t.Fatal(err)
	}
	got := must[rag.Collection](t)(c.DescribeCollection(t.Context(), "imported"))
	d := must[rag.Document](t)(c.Document(t.Context(), col.ID, "文"))
	if got.ID != id || got.Chunks != 2 || d.Version != 7 || d.ID != "doc_1" {
		t.Errorf("got %+v, %+v", got, d)
	}
	// The next submission goes on from its version.
	must[rag.Job](t)(c.Submit(t.Context(), col.ID, []rag.Upload{{ExternalID: "文"}}))
	if l := must[*rag.Lease](t)(c.LeaseJob(t.Context(), "w", time.Minute)); l.Job.Documents[0].Version != 8 || l.Job.Documents[0].Document != "doc_1" {
		t.Errorf("got %+v", l.Job.Documents)
	}
}
