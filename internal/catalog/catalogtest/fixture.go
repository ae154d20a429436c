package catalogtest

import (
	"testing"
	"time"

	"footnote/internal/rag"
)

func must[T any](t *testing.T) func(v T, err error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func wantCode(t *testing.T, what string, err error, want rag.Code) {
	t.Helper()
	if got := rag.CodeOf(err); got != want {
		t.Errorf("%s: got code %q (%v), want %q", what, got, err, want)
	}
}

func makeCollection(t *testing.T, c Catalog, name string) rag.Collection {
	t.Helper()
	return must[rag.Collection](t)(c.CreateCollection(t.Context(), rag.Collection{
		Name: name, Embedding: rag.EmbeddingSpec{Model: "m", Fingerprint: "f", Dimensions: 2}, Chunking: rag.DefaultChunking}))
}

// version makes a version of n chunks whose text is made of words.
func version(d rag.JobDocument, metadata rag.Metadata, words ...string) rag.Version {
	v := rag.Version{Document: rag.Document{ID: d.Document, ExternalID: d.ExternalID, Version: d.Version, Title: "標題 🗂", MediaType: "text/plain", Language: "zh", Metadata: metadata}}
	at := 0
	for i, w := range words {
		n := len([]rune(w))
		v.Chunks = append(v.Chunks, rag.Chunk{ID: rag.NewChunkID(d.Document, w, 0), Document: d.Document, Version: d.Version, Ordinal: i,
			Span: rag.Span{Start: at, End: at + n}, HeadingPath: []string{"章", "節"}[:1+i%2], Context: []string{"", "姓名 | Age 🗂"}[i%2], Text: w})
		v.Embeddings = append(v.Embeddings, rag.Embedding{1, float32(i)})
		v.Text += w
		at += n
	}
	v.Document.Characters = at
	return v
}

// ingest takes one document in.
func ingest(t *testing.T, c Catalog, col rag.Collection, externalID string, metadata rag.Metadata, words ...string) rag.Version {
	t.Helper()
	must[rag.Job](t)(c.Submit(t.Context(), col.ID, []rag.Upload{{ExternalID: externalID, SHA256: "00", Metadata: metadata}}))
	l := must[*rag.Lease](t)(c.LeaseJob(t.Context(), "w", time.Minute))
	v := version(l.Job.Documents[0], metadata, words...)
	must[[]rag.ChunkID](t)(c.Publish(t.Context(), l.Job.ID, l.Token, 0, v))
	if err := c.FinishJob(t.Context(), l.Job.ID, l.Token, rag.JobSucceeded, rag.StagePublish, rag.Progress{Done: 1, Total: 1}, nil); err != nil {
		t.Fatal(err)
	}
	return v
}
