package office

import (
	"strconv"
	"strings"

	"footnote/internal/ingest/parse/document"
)

// table reads the element w:tbl that was opened last: its rows, merged cells repeated, and how many of them are its head, those that Word repeats on each page, or else the first.
func (d *docx) table() (rows [][]string, head int, err error) {
	var row func(e document.Element) error
	repeated := 0
	row = func(e document.Element) error {
		switch e.Name {
		case "tr":
			cells, header, err := d.row(rows)
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
	return rows, repeated, err
}

// row reads the element w:tr that was opened last; above are the rows before it, whose merged cells go on.
func (d *docx) row(above [][]string) (cells []string, header bool, err error) {
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
			s, span, merged, err := d.cell()
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
	return cells, header, err
}

// cell is the text of a cell; a table in it is written cell by cell.
func (d *docx) cell() (s string, span int, merged bool, err error) {
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
	return strings.Join(strings.Fields(strings.Join(parts, " ")), " "), span, merged, err
}
