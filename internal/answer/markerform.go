package answer

import (
	"regexp"
	"strconv"
	"strings"

	"footnote/internal/text"
)

// maxRange bounds how many passages a range such as 1-3 may name; a wider one is an interval of something else.
const maxRange = 20

// A part of a marker: a number or a range, perhaps with a word for a passage before it.
const markerPart = `(?:(?:passages?|sources?|documents?|docs?|references?|refs?\.?|citations?|cites?|footnotes?|文献|文獻|段落|片段|来源|來源|出处|出處|资料|資料|参考|參考|引用|引文|文档|文檔|脚注|腳註)\s*[:#]?\s*)?` +
	`(?:no\.?\s*|第|#)?\s*\^?\s*([0-9]+(?:\s*[-–—~]\s*\^?[0-9]+)?)\s*(?:[段篇条條])?`

var (
	markerForm   = regexp.MustCompile(`(?i)^\s*` + markerPart + `(?:\s*(?:[,;、&]\s*(?:and\s+)?|\band\b|[和与與及])\s*` + markerPart + `)*\s*$`)
	markerNumber = regexp.MustCompile(`([0-9]+)(?:\s*[-–—~]\s*\^?([0-9]+))?`)
	// nested is how one vendor's assistants number: the search, then its hit. It names none of our passages.
	nested = regexp.MustCompile(`^\s*[0-9]+:[0-9]+\s*$`)
)

// parseMarker reads what stands between the brackets of a marker: 1 · 1, 2 · 1 and 2 · 1-3 · ^1 · Passage 1 · 文献1、2 · 1†source. Digits and marks may be full-width.
// The numbers need not be those of passages. An interval that begins with zero is no marker, and neither is a range of more than maxRange.
func parseMarker(inner string) ([]int, bool) {
	inner = text.FoldWidth(inner)
	before, _, dagger := strings.Cut(inner, "†")
	if dagger && nested.MatchString(before) {
		return nil, true
	}
	if !markerForm.MatchString(before) {
		return nil, false
	}
	var out []int
	parts := markerNumber.FindAllStringSubmatch(before, -1)
	for _, part := range parts {
		from, err := strconv.Atoi(part[1])
		if err != nil {
			continue // greater than any passage
		}
		to := from
		if part[2] != "" {
			if to, err = strconv.Atoi(part[2]); err != nil || to < from || to-from >= maxRange {
				return nil, false
			}
		}
		if from == 0 && (len(parts) > 1 || to > from) {
			return nil, false
		}
		for n := from; n <= to; n++ {
			out = append(out, n)
		}
	}
	return out, true
}
