package office

import (
	"strconv"
	"strings"
	"unicode"

	"footnote/internal/ingest/parse/document"
	"footnote/internal/rag"
)

// paragraph is a paragraph of a Word document as it was read.
type paragraph struct {
	text    strings.Builder
	style   string
	numID   string
	level   string
	outline int // 1 to 6; 0: as its style has it
	notes   []string
	boxes   [][]*paragraph // text boxes anchored in it
	breaks  []int          // where in text Word began a page, in bytes
}

// turns are the places in the paragraph's trimmed text at which pages begin; before is the number of the page before the first.
func (p *paragraph) turns(before int) (out []rag.PageTurn) {
	s := p.text.String()
	lead := len(s) - len(strings.TrimLeftFunc(s, unicode.IsSpace))
	size := len(strings.TrimSpace(s))
	for i, at := range p.breaks {
		out = append(out, rag.PageTurn{At: min(max(at-lead, 0), size), Page: before + i + 1})
	}
	return out
}

// paragraph reads the element w:p that was opened last.
func (d *docx) paragraph() (*paragraph, error) {
	p := &paragraph{}
	return p, d.inline(p)
}

// inline reads what stands inside a paragraph into p.
func (d *docx) inline(p *paragraph) error {
	return d.x.Children(func(e document.Element) error {
		switch e.Name {
		case "pPr":
			return d.paragraphProperties(p)
		case "t":
			s, err := d.x.Text()
			p.text.WriteString(s)
			return err
		case "tab", "ptab":
			p.text.WriteByte('\t')
		case "br", "cr":
			if e.Attr("type") == "page" {
				return nil // lastRenderedPageBreak counts it
			}
			p.text.WriteByte('\n')
		case "lastRenderedPageBreak":
			p.breaks = append(p.breaks, p.text.Len())
		case "noBreakHyphen":
			p.text.WriteByte('-')
		case "sym":
			if n, err := strconv.ParseUint(e.Attr("char"), 16, 32); err == nil && (n < 0xe000 || n > 0xf8ff) {
				p.text.WriteRune(rune(n))
			}
		case "footnoteReference":
			p.notes = append(p.notes, "footnote "+e.Attr("id"))
		case "endnoteReference":
			p.notes = append(p.notes, "endnote "+e.Attr("id"))
		case "checkBox", "checkbox":
			return d.checkBox(p)
		case "oMath":
			s, err := d.math()
			p.text.WriteString(s)
			return err
		case "txbxContent":
			var box []*paragraph
			err := d.x.Children(func(e document.Element) error { return d.boxed(e, &box) }, nil)
			p.boxes = append(p.boxes, box)
			return err
		case "AlternateContent": // the same thing twice: the newer form first
			chosen := false
			return d.x.Children(func(e document.Element) error {
				if e.Name == "Choice" || !chosen {
					chosen = true
					return d.inline(p)
				}
				return nil
			}, nil)
		case "del", "moveFrom", "delText", "instrText", "rPr", "sectPr", "commentReference", "annotationRef", "footnoteRef", "endnoteRef", "sdtPr", "sdtEndPr", "object", "ruby":
			if e.Name == "ruby" { // its base text, without the reading
				return d.x.Children(func(e document.Element) error {
					if e.Name == "rubyBase" {
						return d.inline(p)
					}
					return nil
				}, nil)
			}
		default: // runs, links, fields, content controls, drawings
			return d.inline(p)
		}
		return nil
	}, nil)
}

// boxed reads a block of a text box; what is in a table there is read cell by cell.
func (d *docx) boxed(e document.Element, box *[]*paragraph) error {
	if e.Name != "p" {
		return d.x.Children(func(e document.Element) error { return d.boxed(e, box) }, nil)
	}
	p, err := d.paragraph()
	*box = append(*box, p)
	return err
}

func (d *docx) paragraphProperties(p *paragraph) error {
	return d.x.Children(func(e document.Element) error {
		switch e.Name {
		case "pStyle":
			p.style = e.Attr("val")
		case "outlineLvl":
			if n, err := strconv.Atoi(e.Attr("val")); err == nil && n < 9 {
				p.outline = min(n+1, 6)
			}
		case "numPr":
			return d.x.Children(func(e document.Element) error {
				switch e.Name {
				case "numId":
					p.numID = e.Attr("val")
				case "ilvl":
					p.level = e.Attr("val")
				}
				return nil
			}, nil)
		}
		return nil
	}, nil)
}

func (d *docx) checkBox(p *paragraph) error {
	checked := false
	err := d.x.Children(func(e document.Element) error {
		if e.Name == "checked" || e.Name == "default" {
			checked = on(e.Attr("val"))
		}
		return nil
	}, nil)
	if checked {
		p.text.WriteString("☒ ")
	} else {
		p.text.WriteString("☐ ")
	}
	return err
}

// math writes a formula on one line: fractions as a/b, powers as a^b, roots as √(a).
func (d *docx) math() (string, error) {
	var b strings.Builder
	part := func() (string, error) { return d.math() }
	err := d.x.Children(func(e document.Element) error {
		switch e.Name {
		case "t":
			s, err := d.x.Text()
			b.WriteString(s)
			return err
		case "f", "sSup", "sSub", "rad", "sSubSup":
			parts := map[string]string{}
			if err := d.x.Children(func(c document.Element) error {
				s, err := part()
				parts[c.Name] = strings.TrimSpace(s)
				return err
			}, nil); err != nil {
				return err
			}
			switch e.Name {
			case "f":
				b.WriteString(grouped(parts["num"]) + "/" + grouped(parts["den"]))
			case "sSup":
				b.WriteString(parts["e"] + "^" + grouped(parts["sup"]))
			case "sSub":
				b.WriteString(parts["e"] + "_" + grouped(parts["sub"]))
			case "sSubSup":
				b.WriteString(parts["e"] + "_" + grouped(parts["sub"]) + "^" + grouped(parts["sup"]))
			case "rad":
				b.WriteString(parts["deg"] + "√" + grouped(parts["e"]))
			}
		case "chr":
			b.WriteString(e.Attr("val"))
		case "d":
			s, err := part()
			b.WriteString("(" + s + ")")
			return err
		case "rPr", "ctrlPr":
		default:
			s, err := part()
			b.WriteString(s)
			return err
		}
		return nil
	}, nil)
	return b.String(), err
}

func grouped(s string) string {
	if len([]rune(s)) <= 1 || strings.Trim(s, "0123456789.") == "" {
		return s
	}
	return "(" + s + ")"
}
