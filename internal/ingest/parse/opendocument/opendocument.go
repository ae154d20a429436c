// Package opendocument reads the text of OpenDocument files (OASIS OpenDocument 1.3): odt, ods and odp.
package opendocument

import (
	"context"
	"path"
	"slices"
	"strconv"
	"strings"

	"footnote/internal/ingest/parse/document"
	"footnote/internal/rag"
)

// Parse adds the text of a document, a workbook or a presentation: of a workbook a sheet is a section and a table, of a presentation a slide is a page. Deleted text, annotations, headers
// and footers are left out.
func Parse(ctx context.Context, b *document.Builder, content []byte) error {
	z, err := document.OpenZip(content, b.Limits)
	if err != nil {
		return err
	}
	if err := properties(z, b); err != nil {
		return err
	}
	body, err := z.Read("content.xml")
	if err != nil {
		return err
	}
	r := reader{ctx: ctx, b: b, z: z, x: document.NewXML(body, b.Limits)}
	if err := r.x.Children(r.block, nil); err != nil {
		return err
	}
	return r.charts()
}

// charts adds the charts that were met: their titles, and the tables that they are drawn from.
func (r *reader) charts() error {
	for _, name := range r.objects {
		content, err := r.z.Read(name)
		if err != nil {
			return err
		}
		inner := reader{ctx: r.ctx, b: r.b, z: r.z, x: document.NewXML(content, r.b.Limits)}
		if err := inner.x.Children(inner.block, nil); err != nil {
			r.b.Warn("a chart could not be read: %v", err)
		}
	}
	return nil
}

func properties(z *document.Zip, b *document.Builder) error {
	if !z.Has("meta.xml") {
		return nil
	}
	content, err := z.Read("meta.xml")
	if err != nil {
		return err
	}
	x := document.NewXML(content, b.Limits)
	var keywords []string
	var walk func(e document.Element) error
	walk = func(e document.Element) error {
		switch e.Name {
		case "title", "creator", "initial-creator", "subject", "keyword", "creation-date", "date":
			s, err := x.Text()
			switch e.Name {
			case "title":
				b.Title = strings.TrimSpace(s)
			case "creator":
				b.Meta("author", s)
			case "initial-creator":
				if b.Metadata["author"] == nil {
					b.Meta("author", s)
				}
			case "subject":
				b.Meta("subject", s)
			case "keyword":
				keywords = append(keywords, s)
			case "creation-date":
				b.Meta("created", s)
			case "date":
				b.Meta("modified", s)
			}
			return err
		}
		return x.Children(walk, nil)
	}
	if err := x.Children(walk, nil); err != nil {
		b.Warn("the document's properties could not be read: %v", err)
	}
	b.Meta("keywords", strings.Join(keywords, ", "))
	return nil
}

type reader struct {
	ctx   context.Context
	b     *document.Builder
	z     *document.Zip
	x     *document.XML
	slide int

	objects []string // parts of charts that were met
	title   bool     // inside the frame of a slide's title

	repeated int // cells so far that only stand because the file says so
}

// block reads an element that holds blocks.
func (r *reader) block(e document.Element) error {
	if err := r.ctx.Err(); err != nil {
		return err
	}
	switch e.Name {
	case "object":
		if name := strings.TrimPrefix(path.Clean("/"+e.Attr("href")), "/") + "/content.xml"; r.z.Has(name) && !slices.Contains(r.objects, name) {
			r.objects = append(r.objects, name)
		}
		return nil
	case "automatic-styles", "styles", "font-face-decls", "scripts", "tracked-changes", "annotation", "forms", "sequence-decls", "variable-decls", "table-of-content-source", "settings":
		return nil
	case "h":
		level, _ := strconv.Atoi(e.Attr("outline-level"))
		s, notes, err := r.inline()
		r.b.Add(rag.BlockHeading, min(max(level, 1), 6), strings.Join(strings.Fields(s), " "))
		r.addNotes(notes)
		return err
	case "p":
		s, notes, err := r.inline()
		if r.title {
			r.b.Add(rag.BlockHeading, 2, strings.Join(strings.Fields(s), " "))
		} else {
			r.b.Add(rag.BlockParagraph, 0, s)
		}
		r.addNotes(notes)
		return err
	case "list":
		var lines []string
		err := r.list(0, &lines)
		r.b.Add(rag.BlockList, 1, strings.Join(lines, "\n"))
		r.b.LeadIn()
		return err
	case "table":
		if name := e.AttrIn("table", "name"); name != "" && r.sheet() {
			r.b.Add(rag.BlockHeading, 2, name)
		}
		rows, head, err := r.table()
		r.b.Table(rows, head)
		return err
	case "spreadsheet":
		r.slide = -1 // tables are sheets
	case "page":
		if r.slide >= 0 {
			r.slide++
			r.b.Page(r.slide)
		}
	case "frame":
		class := e.Attr("class")
		if class == "date-time" || class == "footer" || class == "header" || class == "page-number" || class == "page" {
			return nil
		}
		before := r.title
		r.title = class == "title"
		err := r.x.Children(r.block, nil)
		r.title = before
		return err
	case "notes":
		var text []string
		var walk func(e document.Element) error
		walk = func(e document.Element) error {
			switch e.Name {
			case "p":
				s, _, err := r.inline()
				text = append(text, s)
				return err
			case "page-thumbnail":
				return nil
			case "frame":
				if e.Attr("class") != "notes" {
					return nil
				}
			}
			return r.x.Children(walk, nil)
		}
		err := r.x.Children(walk, nil)
		r.b.Add(rag.BlockQuote, 0, strings.Join(text, "\n"))
		return err
	}
	return r.x.Children(r.block, nil)
}

// sheet tells whether a table is a sheet of a workbook: tables in texts have names that nobody gave them.
func (r *reader) sheet() bool { return r.slide < 0 }
