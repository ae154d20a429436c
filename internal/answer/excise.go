package answer

import (
	"slices"
	"unicode"

	"footnote/internal/rag"
)

// excision cuts spans out of a text so that what is left reads as if they had never been there, and knows where everything else has gone.
type excision struct {
	r     []rune
	gone  []bool
	other map[int]replacement // by where it starts
}

type replacement struct {
	end  int
	text []rune
}

func newExcision(s string) *excision {
	r := []rune(s)
	return &excision{r: r, gone: make([]bool, len(r)), other: map[int]replacement{}}
}

func (e *excision) keeps(at int) bool { return at < len(e.gone) && !e.gone[at] }

func (e *excision) remove(from, to int) {
	for i := from; i < to; i++ {
		e.gone[i] = true
	}
}

func (e *excision) replace(span rag.Span, by string) {
	e.other[span.Start] = replacement{span.End, []rune(by)}
}

// cut takes a span out with the space behind it, or, at the end of a line, with the space before it.
func (e *excision) cut(span rag.Span) {
	after := span.End
	for after < len(e.r) && e.r[after] != '\n' && unicode.IsSpace(e.r[after]) {
		after++
	}
	if after < len(e.r) && e.r[after] != '\n' {
		// A mark behind a marker wants no space before it.
		if before := span.Start; before == 0 || !unicode.IsSpace(e.r[before-1]) || after > span.End || !unicode.IsPunct(e.r[after]) {
			e.remove(span.Start, after)
			return
		}
	}
	from := span.Start
	for from > 0 && e.r[from-1] != '\n' && unicode.IsSpace(e.r[from-1]) {
		from--
	}
	e.remove(from, span.End)
}

// lines takes whole lines out, with their ends.
func (e *excision) lines(span rag.Span) {
	from, to := span.Start, span.End
	for from > 0 && e.r[from-1] != '\n' {
		from--
	}
	for to < len(e.r) && e.r[to] != '\n' {
		to++
	}
	e.remove(from, min(to+1, len(e.r)))
}

// parts takes out the parts that are dropped and those that are left without a claim: a part that had none before stays.
func (e *excision) parts(parts []part, dropped func(part) bool) {
	all := func(of func(part) bool) bool { // had claims, and has none left
		had := false
		for _, p := range parts {
			if p.claim && of(p) {
				if !dropped(p) {
					return false
				}
				had = true
			}
		}
		return had
	}
	for i, p := range parts {
		switch {
		case p.kind == itemPart || p.kind == cellPart || p.kind == leadPart && p.line != p.span:
			if all(func(q part) bool { return q.line == p.line }) && (p.kind == cellPart || !shelters(parts, i, dropped)) {
				e.lines(p.line)
			} else if p.claim && dropped(p) {
				if p.kind == cellPart {
					e.remove(p.span.Start, p.span.End)
				} else {
					e.cut(p.span)
				}
			}
		case p.kind == labelPart:
			if all(func(q part) bool { return q.line == p.line }) {
				e.lines(p.line)
			} else if end := tableEnd(parts, i); end > i && all(func(q part) bool { return q.span.Start > p.span.Start && q.span.End <= parts[end].span.End }) && !rowOfClaims(parts, p) {
				e.lines(rag.Span{Start: p.line.Start, End: parts[end].line.End})
			}
		case p.kind == leadPart:
			if all(func(q part) bool { return q.block == p.block }) || leadsTo(parts, i, all) {
				e.cut(p.span)
			}
		case p.kind == headingPart:
			next := slices.IndexFunc(parts[i+1:], func(q part) bool { return q.kind == headingPart })
			to := len(e.r)
			if next >= 0 {
				to = parts[i+1+next].span.Start
			}
			if all(func(q part) bool { return q.span.Start >= p.span.End && q.span.Start < to }) {
				e.lines(p.line)
			}
		case p.claim && dropped(p):
			e.cut(p.span)
		}
	}
}

// shelters tells whether the item that a part is of has nested items that stay.
func shelters(parts []part, i int, dropped func(part) bool) bool {
	for _, q := range parts[i+1:] {
		switch {
		case q.line == parts[i].line:
		case q.line == q.span || q.indent <= parts[i].indent:
			return false
		case q.claim && !dropped(q):
			return true
		}
	}
	return false
}

// tableEnd is the index of the last part of the table that a part of its header begins.
func tableEnd(parts []part, i int) int {
	end := i
	for j := i; j < len(parts) && (parts[j].kind == labelPart || parts[j].kind == cellPart); j++ {
		end = j
	}
	return end
}

// rowOfClaims tells whether a label names a row, not a column.
func rowOfClaims(parts []part, p part) bool {
	return slices.ContainsFunc(parts, func(q part) bool { return q.kind == cellPart && q.line == p.line })
}

// leadsTo tells whether a lead-in stands before a table all of whose claims go.
func leadsTo(parts []part, i int, all func(func(part) bool) bool) bool {
	if i+1 >= len(parts) || parts[i+1].kind != labelPart {
		return false
	}
	from, to := parts[i+1].span.Start, parts[tableEnd(parts, i+1)].span.End
	return all(func(q part) bool { return q.span.Start >= from && q.span.End <= to })
}

// done is what is left, and where spans of the text have gone. White space at both ends and surplus blank lines at the seams go, too.
func (e *excision) done() (string, func(rag.Span) rag.Span) {
	e.tidy()
	at := make([]int, len(e.r)+1)
	var out []rune
	for i := 0; i < len(e.r); i++ {
		at[i] = len(out)
		if by, ok := e.other[i]; ok && !e.gone[i] {
			for j := i; j < by.end; j++ {
				at[j] = len(out)
			}
			out = append(out, by.text...)
			i = by.end - 1
			continue
		}
		if !e.gone[i] {
			out = append(out, e.r[i])
		}
	}
	at[len(e.r)] = len(out)
	return string(out), func(s rag.Span) rag.Span { return rag.Span{Start: at[s.Start], End: at[s.End]} }
}

func (e *excision) tidy() {
	for i := 0; i < len(e.r) && (e.gone[i] || unicode.IsSpace(e.r[i])); i++ {
		e.gone[i] = true
	}
	for i := len(e.r) - 1; i >= 0 && (e.gone[i] || unicode.IsSpace(e.r[i])); i-- {
		e.gone[i] = true
	}
	ends, seam := 0, false
	for i, c := range e.r {
		switch {
		case e.gone[i]:
			seam = true
		case c == '\n':
			if ends++; ends > 2 && seam {
				e.gone[i] = true
			}
		case !unicode.IsSpace(c):
			ends, seam = 0, false
		}
	}
}
