package office

import (
	"strconv"
	"strings"

	"footnote/internal/ingest/parse/document"
	"footnote/internal/rag"
)

// table reads the element w:tbl that was opened last: its rows, merged cells repeated, how many of them are its head, those that Word repeats on each page, or else the first, and the rows with
// which pages begin.
func (d *docx) table() (rows [][]string, head int, turns []rag.PageTurn, err error) {
	var row func(e document.Element) error
	repeated := 0
	row = func(e document.Element) error {
		switch e.Name {
		case "tr":
			cells, header, over, err := d.row(rows)
			at := len(rows)
			if !over.first {
				at++
			}
			if over.breaks > 0 && d.pages {
				d.page += over.breaks
				turns = append(turns, rag.PageTurn{At: at, Page: d.page})
			}
			if len(cells) > 0 {
				if header && repeated == len(rows) {
					repeated++
				}
				rows = append(rows, cells)
			}
			return err
		case "tblPr", "tblGrid":
			return nil
		}
		return d.x.Children(row, nil)
	}
	err = d.x.Children(row, nil)
	if repeated == 0 && len(rows) > 1 {
		repeated = 1
	}
	return rows, repeated, turns, err
}

// over says how many pages begin in a row or a cell, and whether the first does before any of its text. A row that is cut by a page's end is so in each of its cells.
type over struct {
	breaks int
	first  bool
}

// row reads the element w:tr that was opened last; above are the rows before it, whose merged cells go on.
func (d *docx) row(above [][]string) (cells []string, header bool, o over, err error) {
	var child func(e document.Element) error
	child = func(e document.Element) error {
		switch e.Name {
		case "trPr":
			return d.x.Children(func(e document.Element) error {
				if e.Name == "tblHeader" {
					header = on(e.Attr("val"))
				}
				return nil
			}, nil)
		case "tc":
			s, span, merged, inside, err := d.cell()
			if inside.breaks > 0 && o.breaks == 0 {
				o.first = inside.first && strings.Join(cells, "") == ""
			}
			o.breaks = max(o.breaks, inside.breaks)
			for range min(span, 64) {
				if n := len(above); merged && n > 0 && len(cells) < len(above[n-1]) {
					s = above[n-1][len(cells)]
				}
				cells = append(cells, s)
			}
			return err
		case "tblPrEx":
			return nil
		}
		return d.x.Children(child, nil)
	}
	err = d.x.Children(child, nil)
	return cells, header, o, err
}

// cell is the text of a cell; a table in it is written cell by cell.
func (d *docx) cell() (s string, span int, merged bool, o over, err error) {
	var parts []string
	span = 1
	var child func(e document.Element) error
	child = func(e document.Element) error {
		switch e.Name {
		case "tcPr":
			return d.x.Children(func(e document.Element) error {
				switch n, err := strconv.Atoi(e.Attr("val")); {
				case e.Name == "gridSpan" && err == nil && n > 0:
					span = n
				case e.Name == "vMerge":
					merged = e.Attr("val") != "restart"
				}
				return nil
			}, nil)
		case "p":
			p, err := d.paragraph()
			if len(p.breaks) > 0 && o.breaks == 0 {
				o.first = strings.TrimSpace(strings.Join(parts, "")+p.text.String()[:p.breaks[0]]) == ""
			}
			o.breaks += len(p.breaks)
			s := strings.TrimSpace(d.number(p.numID, p.level, false) + strings.TrimSpace(p.text.String()))
			parts = append(parts, s)
			for _, box := range p.boxes {
				for _, q := range box {
					parts = append(parts, strings.TrimSpace(q.text.String()))
				}
			}
			return err
		case "del":
			return nil
		}
		return d.x.Children(child, nil)
	}
	err = d.x.Children(child, nil)
	return strings.Join(strings.Fields(strings.Join(parts, " ")), " "), span, merged, o, err
}
