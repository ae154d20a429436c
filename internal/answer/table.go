package answer

import (
	"strings"
	"unicode"

	"footnote/internal/rag"
)

// tableRow tells whether a line has cells.
func tableRow(s string) bool { return strings.Contains(strings.ReplaceAll(s, `\|`, ""), "|") }

// table reads the rows of a table. A cell is about its row, named by the first cell, and its column, named by the header.
func (g *segmenter) table(lines []line, i int, header bool) int {
	var columns []string
	about := ""
	if n := len(g.leads); n > 0 && g.leads[n-1].indent < 0 {
		about = g.leads[n-1].text
	}
	if header {
		block := g.block()
		for _, cell := range g.cells(lines[i]) {
			columns = append(columns, g.said(cell))
			g.add(part{span: cell, kind: labelPart, block: block, line: rag.Span{Start: lines[i].start, End: lines[i].end}})
		}
		i += 2
	}
	for ; i < len(lines) && strings.TrimSpace(g.text(lines[i])) != "" && tableRow(g.text(lines[i])); i++ {
		if delimiterRow.MatchString(g.text(lines[i])) {
			continue
		}
		cells := g.cells(lines[i])
		block := g.block()
		for n, cell := range cells {
			p := part{span: cell, kind: cellPart, block: block, line: rag.Span{Start: lines[i].start, End: lines[i].end}}
			var words []string
			if n == 0 && len(cells) > 1 {
				p.kind = labelPart
			} else if n > 0 {
				words = append(words, g.said(cells[0]))
			}
			if n < len(columns) {
				words = append(words, columns[n])
			}
			if about != "" {
				words = append(words, about)
			}
			p.context = strings.Join(nonEmpty(words), ", ")
			g.add(p)
		}
	}
	g.leads = nil
	return i
}

func nonEmpty(words []string) []string {
	out := words[:0]
	for _, w := range words {
		if w != "" {
			out = append(out, w)
		}
	}
	return out
}

// cells are the spans of a row's cells; empty ones keep their place.
func (g *segmenter) cells(l line) []rag.Span {
	start, end := l.start, l.end
	for start < end && unicode.IsSpace(g.r[start]) {
		start++
	}
	for end > start && unicode.IsSpace(g.r[end-1]) {
		end--
	}
	if start < end && g.r[start] == '|' {
		start++
	}
	if end > start && g.r[end-1] == '|' && (end-2 < start || g.r[end-2] != '\\') {
		end--
	}
	var out []rag.Span
	from := start
	for i := start; i <= end; i++ {
		if i == end || g.r[i] == '|' && (i == 0 || g.r[i-1] != '\\') {
			out = append(out, rag.Span{Start: from, End: i})
			from = i + 1
		}
	}
	return out
}
