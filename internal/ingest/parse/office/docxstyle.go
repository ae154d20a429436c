package office

import (
	"strconv"
	"strings"

	"footnote/internal/ingest/parse/document"
)

type style struct {
	name    string
	basedOn string
	outline int // 1 to 9; 0: none
	numID   string
	level   string
}

func (d *docx) readStyles(x *document.XML) error {
	return x.Children(func(document.Element) error {
		return x.Children(func(e document.Element) error {
			if e.Name != "style" {
				return nil
			}
			id, s := e.Attr("styleId"), style{}
			err := x.Children(func(e document.Element) error {
				switch e.Name {
				case "name":
					s.name = strings.ToLower(e.Attr("val"))
				case "basedOn":
					s.basedOn = e.Attr("val")
				case "pPr":
					return x.Children(func(e document.Element) error {
						switch e.Name {
						case "outlineLvl":
							if n, err := strconv.Atoi(e.Attr("val")); err == nil && n < 9 {
								s.outline = n + 1
							}
						case "numPr":
							return x.Children(func(e document.Element) error {
								switch e.Name {
								case "numId":
									s.numID = e.Attr("val")
								case "ilvl":
									s.level = e.Attr("val")
								}
								return nil
							}, nil)
						}
						return nil
					}, nil)
				}
				return nil
			}, nil)
			d.styles[id] = s
			return err
		}, nil)
	}, nil)
}

// heading is the level of a style's headings, 1 to 6, or 0. Styles take from those that they are based on.
func (d *docx) heading(id string) int {
	for range 10 { // styles may be based on each other in a circle
		s, ok := d.styles[id]
		if !ok {
			break
		}
		if s.name == "title" {
			return 1
		}
		if rest, ok := strings.CutPrefix(s.name, "heading "); ok {
			if n, err := strconv.Atoi(rest); err == nil && n >= 1 {
				return min(n, 6)
			}
		}
		if s.outline > 0 {
			return min(s.outline, 6)
		}
		id = s.basedOn
	}
	return 0
}

func codeStyle(name string) bool {
	return strings.Contains(name, "code") || strings.Contains(name, "html preformatted") || strings.Contains(name, "macro text") || strings.Contains(name, "source")
}
