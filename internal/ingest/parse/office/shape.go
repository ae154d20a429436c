package office

import (
	"strconv"
	"strings"

	"footnote/internal/ingest/parse/document"
)

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
		return r.x.Children(func(document.Element) error {
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
