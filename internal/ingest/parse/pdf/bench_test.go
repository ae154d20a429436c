package pdf

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"footnote/internal/ingest/parse/document"
	"footnote/internal/ingest/parse/parsetest"
)

// BenchmarkParse_BesidePoppler reads the files that poppler reads, each by this parser and by pdftotext right after, which is a process of its own. It reports how many times as fast as
// pdftotext the parser was, over all files and for the median file.
func BenchmarkParse_BesidePoppler(b *testing.B) {
	program, err := exec.LookPath("pdftotext")
	if err != nil {
		b.Skip("pdftotext is not installed")
	}
	dir, files := references480(b)
	warm := &document.Builder{Limits: document.DefaultLimits}
	_ = Parse(b.Context(), warm, parsetest.PDF("x", parsetest.Lines("F1", 11, 50, 700, "Hello."))) // compiles PDFium
	var ours, theirs time.Duration
	var ratios []float64
	pages := 0
	for b.Loop() {
		for _, f := range files {
			if f.RC != 0 || strings.TrimSpace(f.Text) == "" {
				continue
			}
			path := filepath.Join(dir, f.File)
			content, err := os.ReadFile(path)
			if err != nil {
				b.Fatal(err)
			}
			begun := time.Now()
			if err := Parse(b.Context(), &document.Builder{Limits: document.DefaultLimits}, content); err != nil {
				continue
			}
			a := time.Since(begun)
			begun = time.Now()
			if err := exec.CommandContext(b.Context(), program, path, "-").Run(); err != nil {
				continue
			}
			p := time.Since(begun)
			ours, theirs = ours+a, theirs+p
			ratios = append(ratios, float64(p)/float64(a))
			pages += f.Pages
		}
	}
	if len(ratios) == 0 {
		b.Fatal("no file was read by both")
	}
	slices.Sort(ratios)
	b.ReportMetric(theirs.Seconds()/ours.Seconds(), "×poppler")
	b.ReportMetric(ratios[len(ratios)/2], "×poppler/median")
	b.ReportMetric(float64(pages)/ours.Seconds(), "pages/s")
}
