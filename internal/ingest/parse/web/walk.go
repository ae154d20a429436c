package web

import (
	"strconv"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"footnote/internal/ingest/parse/document"
	"footnote/internal/rag"
)

// domWalker adds the blocks of elements.
type domWalker struct{ *document.Builder }

// children adds the blocks below n; runs of inline content between blocks are paragraphs.
func (d domWalker) children(n *html.Node, depth int) {
	if depth > maxDepth {
		return
	}
	var inline strings.Builder
	flush := func() {
		d.Add(rag.BlockParagraph, 0, collapse(inline.String()))
		inline.Reset()
	}
	for c := range n.ChildNodes() {
		if c.Type != html.ElementNode || !block(c) {
			inlineText(&inline, c, depth)
			continue
		}
		flush()
		d.element(c, depth+1)
	}
	flush()
}

func (d domWalker) element(n *html.Node, depth int) {
	switch n.DataAtom {
	case atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6:
		d.Add(rag.BlockHeading, int(n.Data[1]-'0'), strings.ReplaceAll(collapse(textOf(n)), "\n", " "))
	case atom.Ul, atom.Ol:
		var lines []string
		list(n, 0, &lines)
		d.Add(rag.BlockList, 1, strings.Join(lines, "\n"))
		d.LeadIn()
	case atom.Table:
		d.Table(table(n))
	case atom.Pre:
		d.Add(rag.BlockCode, 0, rawText(n))
	case atom.Blockquote:
		var inner document.Builder
		domWalker{&inner}.children(n, depth)
		d.Add(rag.BlockQuote, 0, inner.Text())
	default:
		if !hidden(n) {
			d.children(n, depth)
		}
	}
}

// hidden tells the elements whose content no page shows.
func hidden(n *html.Node) bool {
	switch n.DataAtom {
	case atom.Script, atom.Style, atom.Noscript, atom.Template, atom.Head, atom.Svg, atom.Iframe:
		return true
	}
	return false
}

func list(n *html.Node, depth int, lines *[]string) {
	if depth > 32 {
		return
	}
	number := 1
	for item := range n.ChildNodes() {
		if item.DataAtom != atom.Li {
			continue
		}
		marker := "- "
		if n.DataAtom == atom.Ol {
			marker = itoa(number) + ". "
			number++
		}
		var inline strings.Builder
		flush := func() {
			for line := range strings.Lines(collapse(inline.String())) {
				*lines = append(*lines, strings.Repeat("  ", depth)+marker+strings.TrimRight(line, "\n"))
				marker = strings.Repeat(" ", len(marker))
			}
			inline.Reset()
		}
		var walk func(n *html.Node)
		walk = func(n *html.Node) {
			for c := range n.ChildNodes() {
				switch {
				case c.DataAtom == atom.Ul || c.DataAtom == atom.Ol:
					flush()
					list(c, depth+1, lines)
				case c.Type == html.ElementNode && block(c) && c.DataAtom != atom.Pre:
					walk(c)
					inline.WriteByte('\n')
				default:
					inlineText(&inline, c, depth)
				}
			}
		}
		walk(item)
		flush()
	}
}

func itoa(n int) string {
	if n < 10 {
		return string(rune('0' + n))
	}
	return itoa(n/10) + string(rune('0'+n%10))
}

// table lists the rows of a table, cells that span several repeated, and how many of them are its head: those in thead, or of th alone. A table in a cell is that cell's text.
func table(n *html.Node) (rows [][]string, header int) {
	var g document.Grid
	count := 0
	for row := range n.Descendants() {
		if row.DataAtom != atom.Tr || owner(row) != n {
			continue
		}
		begun, head := false, true
		for cell := range row.ChildNodes() {
			if cell.DataAtom != atom.Td && cell.DataAtom != atom.Th {
				continue
			}
			if !begun {
				g.Row()
				begun = true
			}
			g.Cell(textOf(cell), attribute(cell, "colspan"), attribute(cell, "rowspan"))
			head = head && cell.DataAtom == atom.Th
		}
		if !begun {
			continue
		}
		if head = head || row.Parent.DataAtom == atom.Thead; head && header == count {
			header++
		}
		count++
	}
	return g.Rows(), header
}

// owner is the table that a row is of.
func owner(row *html.Node) *html.Node {
	for n := row.Parent; n != nil; n = n.Parent {
		if n.DataAtom == atom.Table {
			return n
		}
	}
	return nil
}

// attribute is the number that an attribute has, 1 where it is none.
func attribute(n *html.Node, name string) int {
	for _, a := range n.Attr {
		if a.Key == name {
			if v, err := strconv.Atoi(strings.TrimSpace(a.Val)); err == nil {
				return v
			}
		}
	}
	return 1
}

func rawText(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data)
		}
	}
	return b.String()
}

var onlySpaces = strings.NewReplacer("\n", " ", "\r", " ", "\t", " ")

// inlineText adds the text of inline content; br is a line break, an element that is not shown nothing.
func inlineText(b *strings.Builder, n *html.Node, depth int) {
	switch {
	case depth > maxDepth:
		return
	case n.Type == html.TextNode:
		// White space in the source only parts words; collapse tells it from br's line breaks.
		b.WriteString(onlySpaces.Replace(n.Data))
		return
	case n.Type != html.ElementNode && n.Type != html.DocumentNode:
		return
	}
	switch n.DataAtom {
	case atom.Br:
		b.WriteByte('\n')
		return
	case atom.Textarea, atom.Select:
		return
	}
	if hidden(n) {
		return
	}
	for c := range n.ChildNodes() {
		inlineText(b, c, depth+1)
	}
	if block(n) {
		b.WriteByte(' ')
	}
}

// collapse folds runs of spaces and drops blank lines.
func collapse(s string) string {
	var lines []string
	for line := range strings.Lines(s) {
		if line = strings.Join(strings.FieldsFunc(line, func(r rune) bool { return r == ' ' || r == '\n' || r == '\u00a0' }), " "); line != "" {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "\n")
}

func block(n *html.Node) bool {
	switch n.DataAtom {
	case atom.A, atom.Abbr, atom.B, atom.Bdi, atom.Bdo, atom.Br, atom.Button, atom.Cite, atom.Code, atom.Data, atom.Del, atom.Dfn, atom.Em, atom.Font, atom.I,
		atom.Img, atom.Input, atom.Ins, atom.Kbd, atom.Label, atom.Mark, atom.Q, atom.Rp, atom.Rt, atom.Ruby, atom.S, atom.Samp, atom.Small, atom.Span,
		atom.Strong, atom.Sub, atom.Sup, atom.Time, atom.U, atom.Var, atom.Wbr, atom.Tt, atom.Big, atom.Strike, atom.Textarea, atom.Select, 0:
		return false
	}
	return true
}
