package pdf

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"footnote/internal/evaldata"
	"footnote/internal/ingest/parse/document"
	"footnote/internal/ingest/parse/parsetest"
	"footnote/internal/rag"
	"footnote/internal/text"
)

// reference is what poppler's pdftotext makes of a file.
type reference struct {
	File  string `json:"file"`
	RC    int    `json:"rc"`
	Pages int    `json:"pages"`
	Text  string `json:"text"`
}

func references480(t testing.TB) (dir string, out []reference) {
	t.Helper()
	dir = evaldata.Path(t, "parsers")
	return dir, evaldata.Lines[reference](t, filepath.Join(dir, "pdfjs-poppler.jsonl.gz"))
}

// The 480 PDFs that pdf.js is tested with are odd or broken in every way that is known. None may crash or hang, and of those that poppler reads nearly every word is found.
func TestQuality_OddAndBrokenFiles(t *testing.T) {
	evaldata.Quality(t)
	dir, files := references480(t)
	if testing.Short() {
		files = files[:60]
	}
	var shares []float64
	outcomes := map[string]int{}
	for _, f := range files {
		content, err := os.ReadFile(filepath.Join(dir, f.File))
		if err != nil {
			t.Fatal(err)
		}
		b := &document.Builder{Limits: document.DefaultLimits}
		ctx, cancel := context.WithTimeout(t.Context(), document.DefaultLimits.Time)
		err = Parse(ctx, b, content)
		if ctx.Err() != nil {
			t.Errorf("%s: not read within %s", f.File, document.DefaultLimits.Time)
		}
		cancel()
		switch {
		case err == nil:
			outcomes["read"]++
		case rag.CodeOf(err) == rag.Invalid || rag.CodeOf(err) == rag.TooLarge:
			m, _, _ := strings.Cut(err.Error(), ":")
			outcomes[m]++
		default:
			t.Errorf("%s: %v", f.File, err)
		}
		if f.RC == 0 && strings.TrimSpace(f.Text) != "" {
			share := parsetest.Recall(f.Text, b.Text())
			shares = append(shares, share)
			if share < 0.9 {
				t.Logf("%.3f %s %v", share, f.File, err)
			}
		}
	}
	slices.Sort(shares)
	median := shares[len(shares)/2]
	var mean float64
	for _, s := range shares {
		mean += s / float64(len(shares))
	}
	t.Logf("%d files that poppler reads: recall of its words: median %.4f, mean %.4f, lower quartile %.4f; %v", len(shares), median, mean, shares[len(shares)/4], outcomes)
	if median < 0.985 {
		t.Errorf("got a median recall of %.4f of poppler's words, want 0.985", median)
	}
}

// Of files with several pages, each page's part of the text has the words that poppler has on that page; what goes on over a page's end is parted at the right place.
func TestQuality_PagesOfRealFiles(t *testing.T) {
	evaldata.Quality(t)
	dir, files := references480(t)
	pages, inside := 0, 0
	mean, whole := 0.0, 0.0 // whole: were each block on its first page
	for _, f := range files {
		if f.RC != 0 || f.Pages < 2 {
			continue
		}
		content, err := os.ReadFile(filepath.Join(dir, f.File))
		if err != nil {
			t.Fatal(err)
		}
		b := &document.Builder{Limits: document.DefaultLimits}
		if Parse(t.Context(), b, content) != nil || parsetest.Recall(f.Text, b.Text()) < 0.95 {
			continue // another test's
		}
		p := b.Parsed("")
		parts := func() map[int]string {
			out := map[int]string{}
			for _, s := range p.Pages() {
				out[s.Number] += text.Slice(p.Text, s.Span.Start, s.Span.End)
			}
			return out
		}
		exact := parts()
		for i := range p.Blocks {
			inside += len(p.Blocks[i].Turns)
			p.Blocks[i].Turns = nil
		}
		rough := parts()
		for i, want := range strings.Split(f.Text, "\f") {
			if strings.TrimSpace(want) != "" {
				pages++
				mean += parsetest.Recall(want, exact[i+1])
				whole += parsetest.Recall(want, rough[i+1])
			}
		}
	}
	mean, whole = mean/float64(pages), whole/float64(pages)
	t.Logf("%d pages have %.4f of poppler's words on average, %.4f if each block were on its first page; %d pages begin inside a block", pages, mean, whole, inside)
	if mean < 0.965 || mean <= whole || inside == 0 {
		t.Errorf("got %.4f of each page's words, %.4f with blocks whole", mean, whole)
	}
}
