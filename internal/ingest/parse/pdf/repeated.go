package pdf

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Headers and footers are looked for among the outermost lines of pages, in documents of so many pages or more.
const (
	edgeLines     = 3
	fewestPages   = 3
	repeatedShare = 0.4 // of the pages that have the line, its numbers aside, at the same height
)

// dropRepeated takes away the lines that repeat at the top or bottom of pages, and page numbers there, unless that would leave nothing.
func dropRepeated(pages []sheet) {
	kept, left := withoutRepeated(pages), 0
	for _, lines := range kept {
		left += len(lines)
	}
	for p := range kept {
		if left > 0 {
			pages[p].lines = kept[p]
		}
	}
}

func withoutRepeated(pages []sheet) (out [][]line) {
	for _, s := range pages {
		out = append(out, s.lines)
	}
	if len(pages) < fewestPages {
		return out
	}
	seen := map[string]int{}
	for _, s := range pages {
		for _, i := range edges(s.lines) {
			seen[edgeKey(s.lines[i])]++
		}
	}
	least := max(fewestPages, int(math.Ceil(repeatedShare*float64(len(pages)))))
	for p := range pages {
		lines := pages[p].lines
		drop := map[int]bool{}
		for _, i := range edges(lines) {
			if n := seen[edgeKey(lines[i])]; n >= least || n >= fewestPages && pageNumber(lines[i].text) {
				drop[i] = true
			}
		}
		if len(drop) == 0 {
			continue
		}
		kept := lines[:0:0]
		for i, l := range lines {
			if !drop[i] {
				kept = append(kept, l)
			}
		}
		out[p] = kept
	}
	return out
}

// edges are the indices of the highest and the lowest lines.
func edges(lines []line) []int {
	order := make([]int, len(lines))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(lines[b].bottom, lines[a].bottom) })
	if len(order) <= 2*edgeLines {
		return order
	}
	return append(order[:edgeLines:edgeLines], order[len(order)-edgeLines:]...)
}

// edgeKey is the same for lines that differ in their numbers alone and stand at one height.
func edgeKey(l line) string {
	var b strings.Builder
	digits := false
	for _, r := range l.text {
		if unicode.IsDigit(r) {
			if !digits {
				b.WriteByte('#')
			}
			digits = true
			continue
		}
		digits = false
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String() + "@" + strconv.Itoa(int(math.Round(l.bottom/4)))
}

// pageNumber tells a line that is a page's number, with or without a word for it.
func pageNumber(s string) bool {
	if utf8.RuneCountInString(s) > 24 || !strings.ContainsFunc(s, unicode.IsDigit) {
		return false
	}
	rest := strings.Map(func(r rune) rune {
		if unicode.IsDigit(r) || unicode.IsSpace(r) || strings.ContainsRune("-–—/|.·[]()第页頁共", r) {
			return -1
		}
		return unicode.ToLower(r)
	}, s)
	return rest == "" || rest == "page" || rest == "pageof" || rest == "p" || rest == "of"
}
