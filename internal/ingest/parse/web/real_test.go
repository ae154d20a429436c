package web

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"footnote/internal/evaldata"
	"footnote/internal/ingest/parse/document"
)

// page is a real page with the text of its main content.
type page struct {
	name string
	html []byte
	want string
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// articles are the pages of the article extraction benchmark.
func articles(t *testing.T) (out []page) {
	dir := evaldata.Path(t, "parsers", "article-extraction")
	var truth map[string]struct {
		ArticleBody string `json:"articleBody"`
	}
	if err := json.Unmarshal(read(t, filepath.Join(dir, "ground-truth.json")), &truth); err != nil {
		t.Fatal(err)
	}
	for name, x := range truth {
		z, err := gzip.NewReader(bytes.NewReader(read(t, filepath.Join(dir, "html", name+".html.gz"))))
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(z)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, page{name, content, x.ArticleBody})
	}
	return out
}

// readable are the pages that Readability is tested with. What it expects of them is HTML, which is read whole.
func readable(t *testing.T) (out []page) {
	sources, err := filepath.Glob(evaldata.Path(t, "parsers", "readability", "*", "source.html"))
	if err != nil || len(sources) == 0 {
		t.Fatal("no pages", err)
	}
	for _, source := range sources {
		dir := filepath.Dir(source)
		var want document.Builder
		if err := Whole(&want, read(t, filepath.Join(dir, "expected.html"))); err != nil {
			t.Fatal(err)
		}
		out = append(out, page{filepath.Base(dir), read(t, source), want.Text()})
	}
	return out
}

// shingles counts the runs of four words of a text; a shorter text is one run.
func shingles(s string) map[string]int {
	words := strings.FieldsFunc(s, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsNumber(r) && r != '_' })
	out := map[string]int{}
	for i := range max(1, len(words)-3) {
		if run := strings.Join(words[i:min(i+4, len(words))], " "); run != "" {
			out[run]++
		}
	}
	return out
}

// agreement is the share of got's shingles that want has, and of want's that got has; one that has no shingles gives -1 for its share, which then does not count.
func agreement(want, got string) (precision, recall float64) {
	w, g := shingles(want), shingles(got)
	var both, wanted, given float64
	for run, n := range w {
		wanted += float64(n)
		both += float64(min(n, g[run]))
	}
	for _, n := range g {
		given += float64(n)
	}
	precision, recall = -1, -1
	if given > 0 {
		precision = both / given
	}
	if wanted > 0 {
		recall = both / wanted
	}
	return precision, recall
}

// mean measures pages as the article extraction benchmark does: F1 of the mean precision and the mean recall over the pages, by shingles of four words.
func mean(t *testing.T, pages []page, read func([]byte) string) (precision, recall, f1 float64) {
	t.Helper()
	var precisions, recalls []float64
	for _, p := range pages {
		pr, re := agreement(p.want, read(p.html))
		if pr >= 0 {
			precisions = append(precisions, pr)
		}
		if re >= 0 {
			recalls = append(recalls, re)
		}
		if pr < 0.9 || re < 0.9 {
			t.Logf("%-50.50s precision %.3f recall %.3f", p.name, pr, re)
		}
	}
	average := func(values []float64) (sum float64) {
		for _, v := range values {
			sum += v / float64(len(values))
		}
		return sum
	}
	precision, recall = average(precisions), average(recalls)
	return precision, recall, 2 * precision * recall / (precision + recall)
}

func TestParse_MainContentOfRealPages(t *testing.T) {
	t.Parallel()
	for _, set := range []struct {
		name  string
		pages []page
		least float64
	}{{"article-extraction", articles(t), 0.955}, {"readability", readable(t), 0.985}} {
		precision, recall, f1 := mean(t, set.pages, func(content []byte) string {
			var b document.Builder
			if err := Parse(&b, content); err != nil {
				t.Error(err)
			}
			return b.Text()
		})
		t.Logf("%s: %d pages, precision %.4f, recall %.4f, F1 %.4f", set.name, len(set.pages), precision, recall, f1)
		if f1 < set.least {
			t.Errorf("%s: got F1 %.4f, want %.3f", set.name, f1, set.least)
		}
	}
}
