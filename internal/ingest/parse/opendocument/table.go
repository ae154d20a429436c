package opendocument

import (
	"strconv"
	"strings"

	"footnote/internal/ingest/parse/document"
)

// Bounds of cells that a file says are repeated: sheets end with a million empty ones.
const (
	repeatedRows  = 1000
	repeatedCells = 256
	repeatedInAll = 1 << 18 // of a document
)

// table reads the rows of the table that was opened last, cells that span several repeated, and how many of them are its head: its header rows, or else the first.
func (r *reader) table() (rows [][]string, head int, err error) {
	var g document.Grid
	var child func(e document.Element) error
	inHead := false
	child = func(e document.Element) error {
		switch e.Name {
		case "table-header-rows":
			inHead = true
			err := r.x.Children(child, nil)
			inHead = false
			return err
		case "table-row":
			times, _ := strconv.Atoi(e.Attr("number-rows-repeated"))
			cells, err := r.row()
			if len(cells) == 0 {
				return err
			}
			for n := range min(max(times, 1), repeatedRows) {
				if n > 0 {
					if r.repeated += len(cells); r.repeated > repeatedInAll {
						break
					}
				}
				g.Row()
				for _, c := range cells {
					g.Cell(c.text, c.columns, c.rows)
				}
			}
			if inHead {
				head = len(g.Rows())
			}
			return err
		case "table-row-group", "table-rows":
			return r.x.Children(child, nil)
		}
		return nil
	}
	err = r.x.Children(child, nil)
	rows = g.Rows()
	if head == 0 && len(rows) > 1 {
		head = 1
	}
	return rows, head, err
}

// cell is a cell of a row, and how far it spans.
type cell struct {
	text          string
	columns, rows int
}

// row reads the cells of the row that was opened last, without those that others cover and without the empty ones at its end.
func (r *reader) row() (cells []cell, err error) {
	err = r.x.Children(func(e document.Element) error {
		if e.Name != "table-cell" {
			return nil
		}
		times, _ := strconv.Atoi(e.Attr("number-columns-repeated"))
		columns, _ := strconv.Atoi(e.Attr("number-columns-spanned"))
		rows, _ := strconv.Atoi(e.Attr("number-rows-spanned"))
		var parts []string
		var child func(e document.Element) error
		child = func(e document.Element) error {
			switch e.Name {
			case "p", "h":
				s, notes, err := r.inline()
				parts = append(append(parts, s), notes...)
				return err
			case "annotation":
				return nil
			}
			return r.x.Children(child, nil)
		}
		err := r.x.Children(child, nil)
		s := strings.Join(strings.Fields(strings.Join(parts, " ")), " ")
		for n := range min(max(times, 1), repeatedCells) {
			if n > 0 && s != "" {
				if r.repeated++; r.repeated > repeatedInAll {
					break
				}
			}
			cells = append(cells, cell{s, columns, rows})
		}
		return err
	}, nil)
	for len(cells) > 0 && cells[len(cells)-1].text == "" {
		cells = cells[:len(cells)-1]
	}
	return cells, err
}
