package pdf

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// bodySize is the size of most characters.
func bodySize(pages []sheet) float64 {
	count := map[float64]int{}
	for _, s := range pages {
		for _, l := range s.lines {
			count[round(l.size)] += utf8.RuneCountInString(l.text)
		}
	}
	best, most := 0.0, 0
	for size, n := range count {
		if n > most || n == most && size < best {
			best, most = size, n
		}
	}
	return best
}

func round(size float64) float64 { return math.Round(size*2) / 2 }

// headingSizes lists the sizes of lines that may be headings, the greatest first, one for each level.
func headingSizes(pages []sheet, body float64) []float64 {
	seen := map[float64]bool{}
	for _, s := range pages {
		for _, l := range s.lines {
			if isHeadingSize(l, body) {
				seen[round(l.size)] = true
			}
		}
	}
	var out []float64
	for size := range seen {
		out = append(out, size)
	}
	slices.SortFunc(out, func(a, b float64) int { return cmp.Compare(b, a) })
	// Sizes that nobody can tell apart are one level's.
	levels := out[:0]
	for _, size := range out {
		if len(levels) == 0 || size < levels[len(levels)-1]*sameLevel {
			levels = append(levels, size)
		}
	}
	return levels
}

// headingLevel is the level of a heading of a size, 1 to 6; one of the body's size, told by its weight, stands below all larger ones.
func (l *layouter) headingLevel(size float64) int {
	for i, s := range l.levels {
		if round(size) >= s*sameLevel {
			return min(i+1, 6)
		}
	}
	return min(len(l.levels)+1, 6)
}

func isHeadingSize(l line, body float64) bool {
	return body > 0 && l.size >= body*headingSize && l.cells == nil && utf8.RuneCountInString(l.text) <= headingLength && strings.ContainsFunc(l.text, unicode.IsLetter)
}

// boldHeading tells whether a line of the body's size is a heading: short, bold, no sentence, among lines that are not bold.
func boldHeading(ln line, lines []line, i int) bool {
	if !ln.bold || ln.cells != nil || bullet(ln.text) || utf8.RuneCountInString(ln.text) > 90 || endsSentence(ln.text) || !strings.ContainsFunc(ln.text, unicode.IsLetter) {
		return false
	}
	before, after := i == 0 || !lines[i-1].bold, i+1 < len(lines) && !lines[i+1].bold
	return before && after && (i == 0 || lines[i-1].bottom-ln.top > 0.25*ln.size || lines[i-1].bottom < ln.bottom || endsSentence(lines[i-1].text))
}
