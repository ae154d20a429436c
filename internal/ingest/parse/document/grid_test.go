package document

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestGrid_RepeatsWhatSpans(t *testing.T) {
	t.Parallel()
	var g Grid
	g.Row()
	g.Cell("表頭 1", 1, 1)
	g.Cell("Header 2 & 3", 2, 1)
	g.Row()
	g.Cell("rows 1 & 2", 1, 2)
	g.Cell("1, 2", 1, 1)
	g.Cell("1, 3", 1, 2)
	g.Row()
	g.Cell("2, 2", 1, 1)
	g.Row()
	g.Cell("all", 3, 0)
	want := [][]string{{"表頭 1", "Header 2 & 3", "Header 2 & 3"}, {"rows 1 & 2", "1, 2", "1, 3"}, {"rows 1 & 2", "2, 2", "1, 3"}, {"all", "all", "all"}}
	if diff := cmp.Diff(want, g.Rows()); diff != "" {
		t.Error(diff)
	}
}
