package office

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"footnote/internal/ingest/parse/document"
	"footnote/internal/rag"
)

// Presentation adds the text of a PowerPoint file: a slide is a page, its title a heading, its notes a quote after it. Shapes come in the order in which they were drawn, the title
// first.
func Presentation(ctx context.Context, b *document.Builder, content []byte) error {
	z, err := document.OpenZip(content, b.Limits)
	if err != nil {
		return err
	}
	if err := properties(z, b); err != nil {
		return err
	}
	main, err := mainPart(z, "ppt/presentation.xml", b.Limits)
	if err != nil {
		return err
	}
	slides, err := slideParts(z, main, b.Limits)
	if err != nil {
		return err
	}
	if b.Limits.Pages > 0 && len(slides) > b.Limits.Pages {
		return rag.Errorf(rag.TooLarge, "The presentation has %d slides; at most %d are read.", len(slides), b.Limits.Pages)
	}
	for i, part := range slides {
		if err := ctx.Err(); err != nil {
			return err
		}
		b.Page(i + 1)
		if err := addSlide(z, part, b); err != nil {
			if rag.CodeOf(err) == rag.TooLarge {
				return err
			}
			b.Warn("slide %d could not be read: %v", i+1, err)
		}
	}
	return nil
}

// slideParts lists the slides' parts in the order in which they are shown.
func slideParts(z *document.Zip, main string, limits document.Limits) ([]string, error) {
	content, err := z.Read(main)
	if err != nil {
		return nil, err
	}
	rels, err := relations(z, main, limits)
	if err != nil {
		return nil, err
	}
	var out []string
	x := document.NewXML(content, limits)
	return out, x.Children(func(document.Element) error {
		return x.Children(func(e document.Element) error {
			if e.Name != "sldIdLst" {
				return nil
			}
			return x.Children(func(e document.Element) error {
				if part := rels[relationID(e)]; z.Has(part) {
					out = append(out, part)
				}
				return nil
			}, nil)
		}, nil)
	}, nil)
}

// relationID is the attribute r:id, whose local name another attribute may share.
func relationID(e document.Element) string { return e.AttrIn("relationships", "id") }

// shape is what a slide's shape holds.
type shape struct {
	title bool
	lines []shapeLine
	rows  [][]string
}

type shapeLine struct {
	text   string
	level  int
	bullet bool
}

func addSlide(z *document.Zip, part string, b *document.Builder) error {
	shapes, err := readShapes(z, part, b.Limits)
	if err != nil {
		return err
	}
	slices.SortStableFunc(shapes, func(a, b shape) int {
		switch {
		case a.title == b.title:
			return 0
		case a.title:
			return -1
		}
		return 1
	})
	for _, s := range shapes {
		addShape(b, s)
	}
	if err := charts(z, part, b); err != nil {
		return err
	}
	rels, err := relations(z, part, b.Limits)
	if err != nil {
		return err
	}
	for _, name := range rels {
		if strings.HasPrefix(name, "ppt/comments/") && z.Has(name) {
			if err := addComments(z, name, b); err != nil {
				b.Warn("the comments of a slide could not be read: %v", err)
			}
		}
		if !strings.HasPrefix(name, "ppt/notesSlides/") || !z.Has(name) {
			continue
		}
		notes, err := readShapes(z, name, b.Limits)
		if err != nil {
			b.Warn("the notes of a slide could not be read: %v", err)
			continue
		}
		for _, s := range notes {
			var text []string
			for _, l := range s.lines {
				text = append(text, l.text)
			}
			b.Add(rag.BlockQuote, 0, strings.Join(text, "\n"))
		}
	}
	return nil
}

// addComments adds the comments on a slide as quotes, each with its author.
func addComments(z *document.Zip, part string, b *document.Builder) error {
	authors := map[string]string{}
	for _, name := range []string{"ppt/commentAuthors.xml", "ppt/authors.xml"} {
		if !z.Has(name) {
			continue
		}
		content, err := z.Read(name)
		if err != nil {
			return err
		}
		x := document.NewXML(content, b.Limits)
		if err := x.Children(func(document.Element) error {
			return x.Children(func(e document.Element) error {
				authors[e.Attr("id")] = e.Attr("name")
				return nil
			}, nil)
		}, nil); err != nil {
			return err
		}
	}
	content, err := z.Read(part)
	if err != nil {
		return err
	}
	x := document.NewXML(content, b.Limits)
	author := ""
	var said []string
	flush := func() {
		if s := strings.TrimSpace(strings.Join(said, "")); s != "" {
			if author != "" {
				s = author + ": " + s
			}
			b.Add(rag.BlockQuote, 0, s)
		}
		said = nil
	}
	var walk func(e document.Element) error
	walk = func(e document.Element) error {
		switch e.Name {
		case "cm", "reply":
			flush()
			author = authors[e.Attr("authorId")]
		case "t", "text":
			s, err := x.Text()
			said = append(said, s)
			return err
		}
		return x.Children(walk, nil)
	}
	err = x.Children(walk, nil)
	flush()
	return err
}

func addShape(b *document.Builder, s shape) {
	if s.rows != nil {
		head := 0
		if len(s.rows) > 1 {
			head = 1
		}
		b.Table(s.rows, head)
		return
	}
	if s.title {
		var parts []string
		for _, l := range s.lines {
			parts = append(parts, l.text)
		}
		b.Add(rag.BlockHeading, 2, strings.Join(strings.Fields(strings.Join(parts, " ")), " "))
		return
	}
	var list []string
	flush := func() {
		if len(list) > 0 {
			b.Add(rag.BlockList, 1, strings.Join(list, "\n"))
			b.LeadIn()
		}
		list = nil
	}
	for _, l := range s.lines {
		if strings.TrimSpace(l.text) == "" {
			continue
		}
		if l.bullet {
			list = append(list, strings.Repeat("  ", min(l.level, 8))+"- "+strings.TrimSpace(strings.ReplaceAll(l.text, "\n", " ")))
			continue
		}
		flush()
		b.Add(rag.BlockParagraph, 0, l.text)
	}
	flush()
}

// readShapes lists what the shapes of a slide or of its notes hold.
func readShapes(z *document.Zip, part string, limits document.Limits) ([]shape, error) {
	content, err := z.Read(part)
	if err != nil {
		return nil, err
	}
	r := slideReader{x: document.NewXML(content, limits), notes: strings.HasPrefix(part, "ppt/notesSlides/")}
	err = r.x.Children(r.element, nil)
	return r.shapes, err
}

type slideReader struct {
	x      *document.XML
	notes  bool
	shapes []shape
}

func (r *slideReader) element(e document.Element) error {
	switch e.Name {
	case "sp":
		return r.shape()
	case "graphicFrame":
		return r.x.Children(r.element, nil)
	case "tbl":
		var g document.Grid
		err := r.x.Children(func(e document.Element) error {
			if e.Name != "tr" {
				return nil
			}
			g.Row()
			return r.x.Children(func(e document.Element) error {
				if e.Name != "tc" || on(e.Attr("hMerge")) && e.Attr("hMerge") != "" || on(e.Attr("vMerge")) && e.Attr("vMerge") != "" {
					return nil // it is covered by another
				}
				columns, _ := strconv.Atoi(e.Attr("gridSpan"))
				down, _ := strconv.Atoi(e.Attr("rowSpan"))
				lines, err := r.lines(false)
				var parts []string
				for _, l := range lines {
					parts = append(parts, l.text)
				}
				g.Cell(strings.Join(parts, " "), columns, down)
				return err
			}, nil)
		}, nil)
		r.shapes = append(r.shapes, shape{rows: g.Rows()})
		return err
	case "AlternateContent":
		chosen := false
		return r.x.Children(func(e document.Element) error {
			if chosen {
				return nil
			}
			chosen = true
			return r.x.Children(r.element, nil)
		}, nil)
	case "nvGrpSpPr", "grpSpPr", "timing", "transition", "pic":
		return nil
	}
	return r.x.Children(r.element, nil)
}

// shape reads the element p:sp that was opened last. Placeholders of dates, numbers, headers and footers say nothing of the slide.
func (r *slideReader) shape() error {
	var s shape
	kind, placeholder := "", false
	err := r.x.Children(func(e document.Element) error {
		switch e.Name {
		case "nvSpPr":
			return r.x.Children(func(e document.Element) error {
				if e.Name != "nvPr" {
					return nil
				}
				return r.x.Children(func(e document.Element) error {
					if e.Name == "ph" {
						kind, placeholder = e.Attr("type"), true
					}
					return nil
				}, nil)
			}, nil)
		case "txBody":
			var err error
			s.lines, err = r.lines(placeholder && (kind == "" || kind == "body" || kind == "obj"))
			return err
		}
		return nil
	}, nil)
	s.title = kind == "title" || kind == "ctrTitle"
	switch kind {
	case "dt", "sldNum", "ftr", "hdr", "sldImg":
		return err
	}
	if r.notes && kind != "body" {
		return err
	}
	if len(s.lines) > 0 {
		r.shapes = append(r.shapes, s)
	}
	return err
}

// lines reads the paragraphs a:p below the element that was opened last. In a body, paragraphs have bullets unless they say otherwise; elsewhere only those that say so.
func (r *slideReader) lines(body bool) (out []shapeLine, err error) {
	var child func(e document.Element) error
	child = func(e document.Element) error {
		switch e.Name {
		case "p":
			l := shapeLine{bullet: body}
			var b strings.Builder
			var inline func(e document.Element) error
			inline = func(e document.Element) error {
				switch e.Name {
				case "pPr":
					if v := e.Attr("lvl"); len(v) == 1 {
						l.level = int(v[0] - '0')
					}
					return r.x.Children(func(e document.Element) error {
						switch e.Name {
						case "buNone":
							l.bullet = false
						case "buChar", "buAutoNum", "buBlip":
							l.bullet = true
						}
						return nil
					}, nil)
				case "t":
					s, err := r.x.Text()
					b.WriteString(s)
					return err
				case "br":
					b.WriteByte('\n')
				case "rPr", "endParaRPr":
				default:
					return r.x.Children(inline, nil)
				}
				return nil
			}
			err := r.x.Children(inline, nil)
			if l.text = strings.TrimSpace(strings.ReplaceAll(b.String(), "\v", "\n")); l.text != "" {
				out = append(out, l)
			}
			return err
		case "bodyPr", "lstStyle", "tcPr":
			return nil
		}
		return r.x.Children(child, nil)
	}
	err = r.x.Children(child, nil)
	return out, err
}
