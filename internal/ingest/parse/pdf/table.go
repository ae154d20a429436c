package pdf

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// beside tells whether two lines are rows of one table: both have cells, and inner ones of them begin at the same place, or two end there. The outer edges say nothing: in a
// justified paragraph with wide gaps all lines have the same.
func beside(a, b line) bool {
	if len(a.cells) < 2 || len(b.cells) < 2 || a.bottom-b.top > 3*a.size || b.top > a.top {
		return false
	}
	starts, ends := 0, 0
	for _, c := range a.cells[1:] {
		if slices.ContainsFunc(b.cells[1:], func(d cell) bool { return near(c.left, d.left, a.size) }) {
			starts++
		}
		if slices.ContainsFunc(b.cells[1:], func(d cell) bool { return near(c.right, d.right, a.size) }) {
			ends++
		}
	}
	return starts >= 1 || ends >= 2
}

func near(a, b, size float64) bool { return a-b < 0.6*size && b-a < 0.6*size }

func cellsOf(l line) []string {
	if l.cells == nil {
		return []string{l.text}
	}
	out := make([]string, len(l.cells))
	for i, c := range l.cells {
		out[i] = c.text
	}
	return out
}

// head is how many rows are a table's head: the first, when it has no digits and one below has.
func head(rows [][]string) int {
	digits := func(row []string) bool {
		return slices.ContainsFunc(row, func(s string) bool { return strings.ContainsFunc(s, unicode.IsDigit) })
	}
	if len(rows) > 1 && !digits(rows[0]) && slices.ContainsFunc(rows[1:], digits) {
		return 1
	}
	return 0
}

// leastProse is how many code points a cell has, at least and on average, that is a piece of a column's line rather than of a table.
const leastProse = 18

// columns puts lines that run across two columns, because the file has them row by row, into the columns' order. A page is taken for one of two columns when most of its
// lines have one wide gap at the same place with prose on both sides.
func columns(lines []line) []line {
	var middle []float64
	prose := 0
	for _, l := range lines {
		if len(l.cells) == 2 && utf8.RuneCountInString(l.cells[0].text) >= leastProse && utf8.RuneCountInString(l.cells[1].text) >= leastProse {
			middle = append(middle, (l.cells[0].right+l.cells[1].left)/2)
			prose++
		}
	}
	if prose < 8 || prose*2 < len(lines) {
		return lines
	}
	slices.Sort(middle)
	at := middle[len(middle)/2]
	var out, left, right []line
	flush := func() {
		out = append(append(out, left...), right...)
		left, right = nil, nil
	}
	for _, l := range lines {
		switch {
		case l.cells != nil && splitAt(l, at) > 0:
			n := splitAt(l, at)
			left, right = append(left, part(l, l.cells[:n])), append(right, part(l, l.cells[n:]))
		case l.right <= at:
			left = append(left, l)
		case l.left >= at:
			right = append(right, l)
		default: // it runs across both
			flush()
			out = append(out, l)
		}
	}
	flush()
	return out
}

// splitAt is how many of a line's cells end before x, when one border between two lies there; else 0.
func splitAt(l line, x float64) int {
	for i := 1; i < len(l.cells); i++ {
		if l.cells[i-1].right <= x && l.cells[i].left >= x {
			return i
		}
	}
	return 0
}

func part(l line, cells []cell) line {
	texts := make([]string, len(cells))
	for i, c := range cells {
		texts[i] = c.text
	}
	out := l
	out.text, out.left, out.right = strings.Join(texts, " "), cells[0].left, cells[len(cells)-1].right
	out.hyphen = l.hyphen && cells[len(cells)-1].right == l.right
	if out.cells = cells; len(cells) < 2 {
		out.cells = nil
	}
	return out
}
