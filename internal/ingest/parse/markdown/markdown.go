// Package markdown reads CommonMark with GitHub's tables, and the YAML before it.
package markdown

import (
	"fmt"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	extast "github.com/yuin/goldmark/extension/ast"
	gmtext "github.com/yuin/goldmark/text"
	"golang.org/x/net/html"
	"gopkg.in/yaml.v3"

	"footnote/internal/ingest/parse/document"
	"footnote/internal/ingest/parse/plain"
	"footnote/internal/ingest/parse/web"
	"footnote/internal/rag"
	"footnote/internal/text"
)

var gfm = goldmark.New(goldmark.WithExtensions(extension.GFM))

// Parse adds the blocks of a Markdown document (CommonMark with GitHub's tables) as readable text: markup is dropped, list markers and
// table rows stay legible. YAML front matter becomes metadata, its title the title.
func Parse(b *document.Builder, s string) {
	Body(b, frontMatter(text.Normalise(s), b))
}

// What no person writes in one line, and takes the parser time that grows with its square.
const (
	maxBrackets = 2000
	maxMarks    = 100   // of quotes and lists, one in the other
	maxStars    = 10000 // of emphasis, and of code's ticks, between two blank lines
)

// overgrown tells whether a line nests so much that parsing it would take for ever.
func overgrown(s string) bool {
	stars := 0
	for line := range strings.Lines(s) {
		if strings.TrimSpace(line) == "" {
			stars = 0
		}
		if !strings.HasPrefix(line, "|") { // the cells of a table are parsed one by one
			stars += strings.Count(line, "*") + strings.Count(line, "_") + strings.Count(line, "`") + strings.Count(line, "~")
		}
		if stars > maxStars {
			return true
		}
		marks := len(line) - len(strings.TrimLeft(line, ">-+* \t"))
		if strings.Count(line, "[") > maxBrackets || marks > maxMarks && strings.Count(line[:marks], ">")+strings.Count(line[:marks], "- ")+strings.Count(line[:marks], "* ") > maxMarks {
			return true
		}
	}
	return false
}

// Body adds the blocks of Markdown that has no front matter.
func Body(b *document.Builder, s string) {
	if overgrown(s) {
		b.Warn("a line nests more brackets or marks than Markdown is read with; the text was read as plain")
		plain.Parse(b, s)
		return
	}
	source := []byte(text.Normalise(s))
	m := mdWalker{b, source}
	m.blocks(gfm.Parser().Parse(gmtext.NewReader(source)))
}

// frontMatter cuts YAML between two --- lines off the start; what is not a mapping stays text.
func frontMatter(s string, b *document.Builder) string {
	rest, ok := strings.CutPrefix(s, "---\n")
	if !ok {
		return s
	}
	head, body, ok := strings.Cut(rest, "\n---\n")
	if !ok {
		return s
	}
	var fields map[string]any
	if err := yaml.Unmarshal([]byte(head), &fields); err != nil || fields == nil {
		return s
	}
	m := rag.Metadata{}
	for k, v := range fields {
		switch v := v.(type) {
		case string:
			m[k] = v
		case bool:
			m[k] = v
		case int:
			m[k] = float64(v)
		case float64:
			m[k] = v
		case []any:
			list := make([]string, len(v))
			for i, x := range v {
				list[i] = fmt.Sprint(x)
			}
			m[k] = list
		case nil:
		default:
			m[k] = fmt.Sprint(v)
		}
		if one := (rag.Metadata{k: m[k]}); m[k] != nil && one.Validate() != nil {
			delete(m, k)
			b.Warn("front matter field %q was left out: it is over a limit of metadata", rag.Clip(k, 80))
		}
	}
	if title, ok := m["title"].(string); ok {
		b.Title = title
		delete(m, "title")
	}
	if len(m) > 0 {
		b.Metadata = m
	}
	return body
}

type mdWalker struct {
	*document.Builder
	source []byte
}

// blocks adds the child blocks of n.
func (m mdWalker) blocks(n ast.Node) {
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		switch c := c.(type) {
		case *ast.Heading:
			m.Add(rag.BlockHeading, c.Level, m.inline(c))
		case *ast.List:
			var lines []string
			m.list(c, 0, &lines)
			m.Add(rag.BlockList, 1, strings.Join(lines, "\n"))
			m.LeadIn()
		case *ast.FencedCodeBlock, *ast.CodeBlock:
			m.Add(rag.BlockCode, 0, m.lines(c))
		case *ast.Blockquote:
			m.Add(rag.BlockQuote, 0, m.nested(c))
		case *extast.Table:
			m.Table(m.table(c), 1)
		case *ast.HTMLBlock:
			m.Add(rag.BlockParagraph, 0, web.StripTags(m.lines(c)))
		case *ast.ThematicBreak:
		default:
			if c.Type() == ast.TypeBlock {
				m.Add(rag.BlockParagraph, 0, m.inline(c))
			}
		}
	}
}

// nested is the text of a container's blocks, one after the other.
func (m mdWalker) nested(n ast.Node) string {
	var inner document.Builder
	mdWalker{&inner, m.source}.blocks(n)
	return inner.Text()
}

func (m mdWalker) list(l *ast.List, depth int, lines *[]string) {
	number := l.Start
	for item := l.FirstChild(); item != nil; item = item.NextSibling() {
		marker := "- "
		if l.IsOrdered() {
			marker = fmt.Sprintf("%d%c ", number, l.Marker)
			number++
		}
		indent := strings.Repeat("  ", depth)
		for c := item.FirstChild(); c != nil; c = c.NextSibling() {
			if sub, ok := c.(*ast.List); ok {
				m.list(sub, depth+1, lines)
				continue
			}
			var s string
			switch c.Kind() {
			case ast.KindFencedCodeBlock, ast.KindCodeBlock, ast.KindHTMLBlock:
				s = m.lines(c)
			case ast.KindTextBlock, ast.KindParagraph:
				s = m.inline(c)
			default:
				s = m.nested(c)
			}
			for line := range strings.Lines(s) {
				*lines = append(*lines, indent+marker+strings.TrimRight(line, "\n"))
				marker = strings.Repeat(" ", len(marker))
			}
		}
	}
}

// table lists a table's rows, the head first.
func (m mdWalker) table(t *extast.Table) (rows [][]string) {
	for row := t.FirstChild(); row != nil; row = row.NextSibling() {
		var cells []string
		for cell := row.FirstChild(); cell != nil; cell = cell.NextSibling() {
			cells = append(cells, m.inline(cell))
		}
		rows = append(rows, cells)
	}
	return rows
}

func (m mdWalker) lines(n ast.Node) string {
	var b strings.Builder
	for i := range n.Lines().Len() {
		at := n.Lines().At(i)
		b.Write(at.Value(m.source))
	}
	return b.String()
}

// inline is the readable text of a block's inline content. A line break in the source is a space, but nothing between two Chinese characters.
func (m mdWalker) inline(n ast.Node) string {
	var b strings.Builder
	// Nothing that is called here fails, so neither does the walk.
	_ = ast.Walk(n, func(c ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch c := c.(type) {
		case *ast.Text:
			b.Write(unescape(c.Segment.Value(m.source), c.IsRaw()))
			switch {
			case c.HardLineBreak():
				b.WriteByte('\n')
			case c.SoftLineBreak():
				b.WriteByte('\x1f') // settled by join, which sees both sides
			}
		case *ast.String:
			b.Write(c.Value)
		case *ast.AutoLink:
			b.Write(c.URL(m.source))
			return ast.WalkSkipChildren, nil
		case *ast.RawHTML:
			return ast.WalkSkipChildren, nil
		}
		return ast.WalkContinue, nil
	})
	return join(b.String())
}

// unescape resolves backslash escapes and character references, which goldmark leaves in its segments.
func unescape(s []byte, raw bool) []byte {
	if raw {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) && strings.IndexByte("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~", s[i+1]) >= 0 {
			i++
		}
		b.WriteByte(s[i])
	}
	return []byte(html.UnescapeString(b.String()))
}

// join puts a space for each soft break, or nothing between two Chinese characters.
func join(s string) string {
	if !strings.ContainsRune(s, '\x1f') {
		return s
	}
	runes := []rune(s)
	var b strings.Builder
	for i, r := range runes {
		if r != '\x1f' {
			b.WriteRune(r)
		} else if i == 0 || i+1 == len(runes) || !text.IsHan(runes[i-1]) && !cjkPunctuation(runes[i-1]) || !text.IsHan(runes[i+1]) {
			b.WriteByte(' ')
		}
	}
	return b.String()
}

func cjkPunctuation(r rune) bool { return r >= 0x3000 && r <= 0x303f || r >= 0xff00 && r <= 0xff65 }
