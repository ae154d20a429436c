package parse

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"footnote/internal/evaldata"
	"footnote/internal/ingest/parse/document"
	"footnote/internal/ingest/parse/parsetest"
	"footnote/internal/rag"
)

// expected is a real file with the Markdown that it says.
type expected struct {
	Set      string   `json:"set"`
	Kind     string   `json:"kind"`
	Source   string   `json:"source"`
	Expected []string `json:"expected"`
}

func manifest(t *testing.T) (dir string, out []expected) {
	t.Helper()
	dir = evaldata.Path(t, "parsers")
	return dir, evaldata.Lines[expected](t, filepath.Join(dir, "manifest.jsonl"))
}

var (
	ownWords      = regexp.MustCompile(`(?m)^\w+ chart$|, time: [^\]]*|\[author:`) // what the expected text says of itself: kinds of charts, times of comments
	markdownImage = regexp.MustCompile(`!\[[^\]]*\]\([^)]*\)|<!--.*?-->`)
	markdownLink  = regexp.MustCompile(`\[([^\]]*)\]\([^)]*\)`)
	entity        = strings.NewReplacer("&lt;", "<", "&gt;", ">", "&amp;", "&", `\_`, "_", `\*`, "*", "&quot;", `"`)
)

// Of real files of each format, so many of the expected words are found, on average over the files.
func TestParse_RealFiles(t *testing.T) {
	t.Parallel()
	dir, files := manifest(t)
	least := map[string]float64{"docx": 0.97, "pptx": 0.97, "xlsx": 0.97, "html": 0.97, "csv": 0.97, "odf": 0.95, "epub": 0.95, "md": 0.97}
	shares := map[string][]float64{}
	for _, f := range files {
		var want string
		for _, name := range f.Expected {
			if strings.HasSuffix(name, ".md") {
				want = name
			}
		}
		if least[f.Kind] == 0 || want == "" || f.Set != "docling" || strings.HasSuffix(f.Source, ".pdf") {
			continue
		}
		content, err := os.ReadFile(filepath.Join(dir, f.Source))
		if err != nil {
			t.Fatal(err)
		}
		markdown, err := os.ReadFile(filepath.Join(dir, want))
		if err != nil {
			t.Fatal(err)
		}
		said := entity.Replace(markdownLink.ReplaceAllString(markdownImage.ReplaceAllString(ownWords.ReplaceAllString(string(markdown), " "), " "), "$1"))
		var p rag.Parsed
		kind, err := MediaType(filepath.Base(f.Source), "", content[:min(len(content), 4096)])
		if err == nil {
			p, err = Parse(t.Context(), content, filepath.Base(f.Source), kind, document.DefaultLimits)
		}
		share := parsetest.Recall(said, p.Title+"\n"+p.Text)
		shares[f.Kind] = append(shares[f.Kind], share)
		if share < 0.97 {
			t.Logf("%.3f %s %v %v; missing %v", share, f.Source, err, p.Warnings, parsetest.Missing(said, p.Title+"\n"+p.Text))
		}
	}
	for kind, least := range least {
		if len(shares[kind]) == 0 {
			continue
		}
		mean := 0.0
		for _, s := range shares[kind] {
			mean += s / float64(len(shares[kind]))
		}
		slices.Sort(shares[kind])
		t.Logf("%s: %d files, %.4f of the expected words on average, the median %.4f", kind, len(shares[kind]), mean, shares[kind][len(shares[kind])/2])
		if mean < least {
			t.Errorf("%s: got %.4f of the expected words, want %.2f", kind, mean, least)
		}
	}
}
