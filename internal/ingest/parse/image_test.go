package parse

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"footnote/internal/ingest/parse/document"
	"footnote/internal/rag"
)

const aPNG = "\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"

func TestReader_Images(t *testing.T) {
	t.Parallel()
	said := "收據 Receipt\n\nTotal | 12"
	r := Reader{Limits: document.DefaultLimits, Transcribe: func(_ context.Context, mediaType string, image []byte) (string, error) {
		if mediaType != "image/png" || string(image) != aPNG {
			t.Errorf("got %s, %q", mediaType, image)
		}
		return said, nil
	}}
	read := func(name string, content []byte) (rag.Parsed, error) {
		kind, err := r.MediaType(name, "", content)
		if err != nil {
			t.Fatal(err)
		}
		return r.Parse(t.Context(), content, name, kind)
	}
	p, err := read("a.png", []byte(aPNG))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"paragraph: 收據 Receipt", "paragraph: Total | 12"}, outline(t, p)); diff != "" || p.MediaType != "image/png" {
		t.Error(diff, p.MediaType)
	}
	if p, err = read("a.zip", zipped(t, "in/a.png", aPNG)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"heading1: in/a.png", "paragraph: 收據 Receipt", "paragraph: Total | 12"}, outline(t, p)); diff != "" {
		t.Error(diff)
	}
	said = ""
	if _, err := read("a.png", []byte(aPNG)); rag.CodeOf(err) != rag.Invalid || !strings.Contains(err.Error(), "No text") {
		t.Errorf("got %v for an image without text", err)
	}
	if _, err := (Reader{}).MediaType("a.png", "", []byte(aPNG)); rag.CodeOf(err) != rag.Unsupported {
		t.Errorf("got %v where nothing reads images", err)
	}
}
