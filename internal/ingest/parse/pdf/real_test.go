package pdf

import (
	"bufio"
	"compress/gzip"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"footnote/internal/ingest/parse/document"
	"footnote/internal/ingest/parse/parsetest"
	"footnote/internal/rag"
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
	dir = os.Getenv("EVAL_DATA")
	if dir == "" {
		t.Skip("EVAL_DATA is not set: the PDFs of pdf.js are not read")
	}
	f, err := os.Open(filepath.Join(dir, "parsers", "pdfjs-poppler.jsonl.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	s := bufio.NewScanner(z)
	s.Buffer(nil, 64<<20)
	for s.Scan() {
		var r reference
		if err := json.Unmarshal(s.Bytes(), &r); err != nil {
			t.Fatal(err)
		}
		out = append(out, r)
	}
	if s.Err() != nil {
		t.Fatal(s.Err())
	}
	return filepath.Join(dir, "parsers"), out
}

// The 480 PDFs that pdf.js is tested with are odd or broken in every way that is known. None may crash or hang, and of those that poppler reads nearly every word is found.
func TestParse_OddAndBrokenFiles(t *testing.T) {
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
