package pdf

import (
	"bytes"
	"context"
	"errors"
	"image"
	_ "image/png" // what pages are drawn as
	"strings"
	"sync/atomic"
	"testing"

	"footnote/internal/ingest/parse/document"
	"footnote/internal/ingest/parse/parsetest"
	"footnote/internal/rag"
)

// scanned is a PDF of three pages, the second and the third of which are drawn without any text.
func scanned(t *testing.T) []byte {
	t.Helper()
	const drawing = "0 0 100 100 re f 10 10 50 50 re f   "
	words := "BT /F1 11 Tf 50 700 Td (\\(x\\)) Tj ET"
	content := parsetest.PDF("x", parsetest.Lines("F1", 11, 50, 700, "The first page has text of its own."), parsetest.Lines("F1", 11, 50, 700, "(x)"), parsetest.Lines("F1", 11, 50, 700, "(x)"))
	if bytes.Count(content, []byte(words)) != 2 {
		t.Fatal("the pages are not as expected")
	}
	return bytes.ReplaceAll(content, []byte(words), []byte(drawing))
}

func TestParse_ScansAreTranscribed(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	b := &document.Builder{Limits: document.DefaultLimits, Transcribe: func(_ context.Context, mediaType string, content []byte) (string, error) {
		asked.Add(1)
		c, _, err := image.DecodeConfig(bytes.NewReader(content))
		if err != nil || mediaType != "image/png" || c.Height != scanPixels || c.Width >= c.Height {
			t.Errorf("got an image of %s, %v, %v", mediaType, c, err)
		}
		return "掃描的一頁\n\nSecond paragraph.", nil
	}}
	if err := Parse(t.Context(), b, scanned(t)); err != nil {
		t.Fatal(err)
	}
	if asked.Load() != 2 || len(b.Warnings) > 0 {
		t.Errorf("%d pages were sent, want 2; warnings %q", asked.Load(), b.Warnings)
	}
	if want := "The first page has text of its own.\n\n掃描的一頁\n\nSecond paragraph.\n\n掃描的一頁\n\nSecond paragraph."; b.Text() != want {
		t.Errorf("got %q, want %q", b.Text(), want)
	}
	for i, page := range []int{1, 2, 2, 3, 3} {
		if got := b.Blocks()[i].Page; got != page {
			t.Errorf("block %d is on page %d, want %d", i, got, page)
		}
	}
}

func TestParse_ScansThatNobodyReadsAreNamed(t *testing.T) {
	t.Parallel()
	b := &document.Builder{}
	if err := Parse(t.Context(), b, scanned(t)); err != nil {
		t.Fatal(err)
	}
	if len(b.Warnings) != 1 || !strings.Contains(b.Warnings[0], "pages 2–3") || !strings.Contains(b.Warnings[0], "OCR endpoint") {
		t.Errorf("got %q", b.Warnings)
	}
	b = &document.Builder{Transcribe: func(context.Context, string, []byte) (string, error) { return "", errors.New("too blurred") }}
	if err := Parse(t.Context(), b, scanned(t)); err != nil {
		t.Fatal(err)
	}
	if all := strings.Join(b.Warnings, "\n"); !strings.Contains(all, "too blurred") || !strings.Contains(all, "pages 2–3") {
		t.Errorf("got %q", all)
	}
	b = &document.Builder{Transcribe: func(context.Context, string, []byte) (string, error) {
		return "", rag.Errorf(rag.Unavailable, "It is down.")
	}}
	if err := Parse(t.Context(), b, scanned(t)); rag.CodeOf(err) != rag.Unavailable {
		t.Errorf("got %v, want an error after which the file comes again", err)
	}
}
