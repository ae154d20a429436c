package markup

import (
	"context"
	"strings"

	"footnote/internal/ingest/parse/document"
	"footnote/internal/rag"
)

// XML adds an XML document: of articles in JATS and of DocBook the structure, of others the text of each element that has some. Elements are told by their names.
func XML(ctx context.Context, b *document.Builder, content []byte) error {
	w := xmlWalker{ctx: ctx, b: b, x: document.NewXML(content, b.Limits)}
	err := w.x.Children(w.element, nil)
	w.flush()
	return err
}

type xmlWalker struct {
	ctx   context.Context
	b     *document.Builder
	x     *document.XML
	depth int // of sections
	text  strings.Builder
}

func (w *xmlWalker) flush() {
	w.b.Add(rag.BlockParagraph, 0, strings.Join(strings.Fields(w.text.String()), " "))
	w.text.Reset()
}

// inlineNames are elements that are a part of the text around them.
var inlineNames = map[string]bool{"italic": true, "bold": true, "sup": true, "sub": true, "xref": true, "ext-link": true, "emphasis": true, "literal": true, "code": true, "link": true, "ulink": true, "sc": true, "named-content": true,
	"styled-content": true, "inline-formula": true, "i": true, "b": true, "em": true, "strong": true, "a": true, "span": true, "uri": true, "email": true, "monospace": true, "underline": true, "year": true, "surname": true, "given-names": true,
	"volume": true, "fpage": true, "lpage": true, "source": true, "quote": true, "filename": true, "command": true, "break": true, "label": true}

func (w *xmlWalker) element(e document.Element) error {
	if err := w.ctx.Err(); err != nil {
		return err
	}
	children := func() error {
		return w.x.Children(w.element, func(s string) { w.text.WriteString(s) })
	}
	switch {
	case inlineNames[e.Name]:
		return children()
	case e.Name == "title" || e.Name == "article-title" && w.b.Empty():
		w.flush()
		s, err := w.x.Text()
		if s = strings.Join(strings.Fields(s), " "); e.Name == "article-title" {
			w.b.Title = s
		}
		w.b.Add(rag.BlockHeading, min(w.depth+1, 6), s)
		return err
	case e.Name == "sec" || e.Name == "section" || strings.HasPrefix(e.Name, "sect") || e.Name == "chapter":
		w.flush()
		w.depth++
		err := children()
		w.flush()
		w.depth--
		return err
	case e.Name == "table" || e.Name == "informaltable":
		w.flush()
		return w.table()
	case e.Name == "list" || e.Name == "itemizedlist" || e.Name == "orderedlist":
		w.flush()
		var lines []string
		err := w.x.Children(func(document.Element) error {
			s, err := w.x.Text()
			if s = strings.Join(strings.Fields(s), " "); s != "" {
				lines = append(lines, "- "+s)
			}
			return err
		}, nil)
		w.b.Add(rag.BlockList, 1, strings.Join(lines, "\n"))
		w.b.LeadIn()
		return err
	case e.Name == "programlisting" || e.Name == "preformat" || e.Name == "screen":
		w.flush()
		s, err := w.x.Text()
		w.b.Add(rag.BlockCode, 0, s)
		return err
	case e.Name == "tex-math" || e.Name == "graphic" || e.Name == "permissions" || e.Name == "journal-meta" || e.Name == "history":
		return nil
	}
	w.flush()
	err := children()
	w.flush()
	return err
}

func (w *xmlWalker) table() error {
	var g document.Grid
	head, count, inHead := 0, 0, false
	var walk func(e document.Element) error
	walk = func(e document.Element) error {
		switch e.Name {
		case "thead":
			inHead = true
			err := w.x.Children(walk, nil)
			inHead = false
			return err
		case "tr", "row":
			g.Row()
			if count++; inHead {
				head = count
			}
			return w.x.Children(func(e document.Element) error {
				s, err := w.x.Text()
				g.Cell(s, number(e.Attr("colspan")), number(e.Attr("rowspan")))
				return err
			}, nil)
		}
		return w.x.Children(walk, nil)
	}
	err := w.x.Children(walk, nil)
	w.b.Table(g.Rows(), head)
	return err
}

func number(s string) int {
	n := 0
	for _, r := range s {
		if r < '0' || r > '9' || n > 1000 {
			return n
		}
		n = 10*n + int(r-'0')
	}
	return n
}
