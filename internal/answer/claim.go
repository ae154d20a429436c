package answer

import (
	"regexp"
	"strings"
	"unicode"

	"footnote/internal/rag"
	"footnote/internal/text"
)

type partKind int

const (
	sentencePart partKind = iota
	itemPart              // a sentence of a list item
	cellPart              // a cell of a table, but for those that only name the row
	labelPart             // a cell that names a row, or a column
	leadPart              // "There are three kinds:" before a list or a table
	headingPart
	codePart
)

// part is a piece of a text and what it is. Claims are parts, but not all parts are claims.
type part struct {
	span    rag.Span
	kind    partKind
	claim   bool
	context string   // what an item or a cell is about: its lead-in, its row, its column
	block   int      // parts that belong together have one number: a lead-in and its list, the cells of a row
	line    rag.Span // of an item: the whole of it, with its bullet; of a cell: its row
	indent  int      // of an item
}

// segment cuts a text into parts, in order. Sentences, list items and table cells are claims, unless they say nothing that can be checked; headings, code, the names of
// rows and columns, and what only leads in to a list or a table are none. marks are the spans of the markers in s, which count as white space, but the ones that follow
// a part belong to it.
func segment(s string, marks []rag.Span) []part {
	g := &segmenter{r: []rune(blank(s, marks))}
	g.lines()
	parts := g.parts
	for i := range parts {
		p := &parts[i]
		next := len(g.r)
		if i+1 < len(parts) {
			next = parts[i+1].span.Start
		}
		for _, m := range marks {
			if m.Start >= p.span.End && m.End <= next && strings.TrimSpace(string(g.r[p.span.End:m.Start])) == "" {
				p.span.End = m.End
			}
		}
	}
	return parts
}

// segmenter reads a text line by line.
type segmenter struct {
	r      []rune // the text, markers blanked
	parts  []part
	blocks int
	leads  []lead // of the lists that are open, outermost first
}

// lead is what leads in to a list, and how far the lines are indented that it stands over.
type lead struct {
	indent int
	text   string
	block  int
}

type line struct{ start, end int } // without the line end

func (g *segmenter) lines() {
	var lines []line
	start := 0
	for i := 0; i <= len(g.r); i++ {
		if i == len(g.r) || g.r[i] == '\n' {
			lines = append(lines, line{start, i})
			start = i + 1
		}
	}
	for i := 0; i < len(lines); {
		s := g.text(lines[i])
		trimmed := strings.TrimSpace(s)
		switch {
		case trimmed == "":
			i++
		case strings.HasPrefix(trimmed, "```"), strings.HasPrefix(trimmed, "~~~"):
			i = g.code(lines, i, trimmed[:3])
		case headingLine.MatchString(s):
			g.heading(lines[i])
			i++
		case titleLine.MatchString(s) && !itemStart.MatchString(s) && i+1 < len(lines) && underline.MatchString(g.text(lines[i+1])):
			g.heading(lines[i])
			i += 2
		case i+1 < len(lines) && tableRow(s) && delimiterRow.MatchString(g.text(lines[i+1])):
			i = g.table(lines, i, true)
		case strings.HasPrefix(trimmed, "|"):
			i = g.table(lines, i, false)
		case boldLine.MatchString(s) && g.follows(lines, i+1):
			g.heading(lines[i])
			i++
		case itemStart.MatchString(s):
			i = g.item(lines, i)
		default:
			i = g.prose(lines, i)
		}
	}
}

var (
	headingLine  = regexp.MustCompile(`^ {0,3}#{1,6}\s`)
	titleLine    = regexp.MustCompile(`^[^|.。!！?？;；:：]+$`)
	underline    = regexp.MustCompile(`^ {0,3}(?:={3,}|-{3,})\s*$`)
	boldLine     = regexp.MustCompile(`^\s*\*\*[^*.。!！?？;；0-9]+\*\*\s*[:：]?$`)
	delimiterRow = regexp.MustCompile(`^\s*\|?\s*:?-+:?\s*(?:\|\s*:?-+:?\s*)*\|?\s*$`)
	itemStart    = regexp.MustCompile(`^[\s>]*(?:[-*+•‣▪◦●○■□◆➢✓✔·–—]\s+|•|[0-9]{1,3}[.)．）]\s+|[0-9]{1,3}、|[(（][0-9一二三四五六七八九十]{1,3}[)）]|[一二三四五六七八九十]{1,3}、|[①-⑳]|[a-zA-Z][.)]\s+)`)
)

func (g *segmenter) text(l line) string { return string(g.r[l.start:l.end]) }

// follows tells whether something stands from line i on.
func (g *segmenter) follows(lines []line, i int) bool {
	for ; i < len(lines); i++ {
		if strings.TrimSpace(g.text(lines[i])) != "" {
			return true
		}
	}
	return false
}

// listed tells whether the first line from i on that is not blank begins a list or a table.
func (g *segmenter) listed(lines []line, i int) bool {
	for ; i < len(lines); i++ {
		if s := g.text(lines[i]); strings.TrimSpace(s) != "" {
			return itemStart.MatchString(s) || strings.HasPrefix(strings.TrimSpace(s), "|") ||
				i+1 < len(lines) && tableRow(s) && delimiterRow.MatchString(g.text(lines[i+1]))
		}
	}
	return false
}

// add appends a part of the text, trimmed of white space and of marks that say nothing, unless nothing is left.
func (g *segmenter) add(p part) {
	blankAt := func(c rune) bool { return unicode.IsSpace(c) || c == '>' && p.kind != codePart }
	for p.span.Start < p.span.End && blankAt(g.r[p.span.Start]) {
		p.span.Start++
	}
	for p.span.End > p.span.Start && unicode.IsSpace(g.r[p.span.End-1]) {
		p.span.End--
	}
	if p.span.Empty() {
		return
	}
	if p.line.Empty() {
		p.line = p.span
	}
	switch p.kind {
	case sentencePart, itemPart, cellPart:
		p.claim = checkable(g.text(line{p.span.Start, p.span.End}))
	}
	g.parts = append(g.parts, p)
}

func (g *segmenter) block() int {
	g.blocks++
	return g.blocks
}

func (g *segmenter) code(lines []line, i int, fence string) int {
	from := i
	for i++; i < len(lines); i++ {
		if s := strings.TrimSpace(g.text(lines[i])); strings.HasPrefix(s, fence) && strings.Trim(s, fence[:1]) == "" {
			i++
			break
		}
	}
	g.add(part{span: rag.Span{Start: lines[from].start, End: lines[i-1].end}, kind: codePart, block: g.block()})
	return i
}

func (g *segmenter) heading(l line) {
	g.leads = nil
	g.add(part{span: rag.Span{Start: l.start, End: l.end}, kind: headingPart, block: g.block()})
}

// prose reads a paragraph. Its last sentence leads in to what follows when it ends with a colon.
func (g *segmenter) prose(lines []line, i int) int {
	from := i
	for i++; i < len(lines); i++ {
		s := g.text(lines[i])
		if t := strings.TrimSpace(s); t == "" || strings.HasPrefix(t, "```") || strings.HasPrefix(t, "~~~") || strings.HasPrefix(t, "|") ||
			headingLine.MatchString(s) || itemStart.MatchString(s) || i+1 < len(lines) && tableRow(s) && delimiterRow.MatchString(g.text(lines[i+1])) {
			break
		}
	}
	g.leads = nil
	block := g.block()
	spans := g.sentences(lines[from].start, lines[i-1].end)
	for n, span := range spans {
		p := part{span: span, kind: sentencePart, block: block}
		if body := g.said(span); n == len(spans)-1 && endsWithColon(body) && g.follows(lines, i) {
			p.kind = leadPart
			if g.listed(lines, i) {
				p.block = g.block()
				g.leads = []lead{{-1, body, p.block}}
			}
		}
		g.add(p)
	}
	return i
}

// item reads a list item with its continuation lines. Items that are indented deeper and follow it are about what it says.
func (g *segmenter) item(lines []line, i int) int {
	from, first := i, g.text(lines[i])
	bullet := len([]rune(itemStart.FindString(first)))
	indent := len([]rune(first)) - len([]rune(strings.TrimLeft(first, " \t>")))
	for i++; i < len(lines); i++ {
		s := g.text(lines[i])
		if t := strings.TrimSpace(s); t == "" || itemStart.MatchString(s) || headingLine.MatchString(s) || strings.HasPrefix(t, "```") || strings.HasPrefix(t, "|") {
			break
		}
	}
	for len(g.leads) > 0 && g.leads[len(g.leads)-1].indent >= indent {
		g.leads = g.leads[:len(g.leads)-1]
	}
	whole := rag.Span{Start: lines[from].start, End: lines[i-1].end}
	var about []string
	block := 0
	for _, l := range g.leads {
		about = append(about, l.text)
		block = l.block
	}
	if block == 0 {
		block = g.block()
	}
	spans := g.sentences(lines[from].start+bullet, lines[i-1].end)
	for n, span := range spans {
		p := part{span: span, kind: itemPart, block: block, line: whole, indent: indent, context: strings.Join(about, " ")}
		if body := g.said(span); n == len(spans)-1 && i < len(lines) && itemStart.MatchString(g.text(lines[i])) && deeper(g.text(lines[i]), indent) {
			if endsWithColon(body) || len(termSet(body)) < shortClaim {
				p.kind = leadPart
			}
			g.leads = append(g.leads, lead{indent, body, block})
		}
		g.add(p)
	}
	return i
}

func deeper(s string, indent int) bool {
	return len([]rune(s))-len([]rune(strings.TrimLeft(s, " \t>"))) > indent
}

// sentences are the spans of the sentences between two places.
func (g *segmenter) sentences(from, to int) []rag.Span {
	spans := text.Sentences(strings.ReplaceAll(string(g.r[from:to]), "\n>", "\n "))
	for i := range spans {
		spans[i] = spans[i].Shift(from)
	}
	return spans
}

// statement is what a claim says, for alignment: emphasis and line ends are blanked, so that offsets hold, and what a short item or a cell is about follows in parentheses, where
// no offset of the claim is moved.
func (p part) statement(r []rune) statement {
	said := emphasis.ReplaceAllStringFunc(string(r), func(m string) string { return strings.Repeat(" ", text.Len(m)) })
	said = strings.ReplaceAll(said, "\n", " ")
	if p.context != "" && (p.kind == cellPart || len(termSet(said)) < shortClaim) {
		said += " (" + strings.TrimRight(p.context, ":： ") + ")"
	}
	return statement{Text: said, Span: p.span}
}

// shortClaim is how many terms a list item has that can be understood without its lead-in.
const shortClaim = 5

// said is the text of a span without the marks of emphasis and quoting.
func (g *segmenter) said(span rag.Span) string {
	return strings.TrimSpace(emphasis.ReplaceAllString(string(g.r[span.Start:span.End]), ""))
}

var emphasis = regexp.MustCompile("\\*\\*|__|`|^[\\s>]+")

func endsWithColon(s string) bool {
	return strings.HasSuffix(s, ":") || strings.HasSuffix(s, "：")
}
