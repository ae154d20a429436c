package office

import (
	"bytes"
	"context"
	"errors"
	"strings"

	"github.com/xuri/excelize/v2"

	"footnote/internal/ingest/parse/document"
	"footnote/internal/rag"
)

// gap is how many empty rows end a table: what follows is another.
const gap = 1

// Workbook adds the sheets of an Excel workbook: each is a section, and each run of rows without an empty one a table, as cells are shown. A run of one cell in a row is its title or note, a
// paragraph. Hidden sheets are read, too.
func Workbook(ctx context.Context, b *document.Builder, content []byte) error {
	// Its own limits count what the file says of itself; these count what comes out.
	z, err := document.OpenZip(content, b.Limits)
	if err != nil {
		return err
	}
	for _, name := range z.Names() {
		if strings.HasSuffix(name, ".xml") || strings.HasSuffix(name, ".rels") {
			if _, err := z.Read(name); err != nil {
				return err
			}
		}
	}
	o := excelize.Options{}
	if n := b.Limits.ExpandedBytes; n > 0 {
		o.UnzipSizeLimit, o.UnzipXMLSizeLimit = n, n // no part goes to a temporary file
	}
	f, err := excelize.OpenReader(bytes.NewReader(content), o)
	if err != nil {
		if errors.Is(err, excelize.ErrWorkbookFileFormat) || errors.Is(err, excelize.ErrWorkbookPassword) {
			return rag.Errorf(rag.Invalid, "The workbook is encrypted or damaged; send it without a password.")
		}
		return err
	}
	defer f.Close()
	if p, err := f.GetDocProps(); err == nil {
		b.Title = strings.TrimSpace(p.Title)
		b.Meta("author", p.Creator)
		b.Meta("subject", p.Subject)
		b.Meta("keywords", p.Keywords)
		b.Meta("created", p.Created)
		b.Meta("modified", p.Modified)
	}
	for i, name := range f.GetSheetList() {
		b.Page(i + 1)
		if err := addSheet(ctx, b, f, name); err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			b.Warn("sheet %q could not be read: %v", rag.Clip(name, 80), err)
		}
	}
	return addCharts(z, "xl/charts/", b)
}

func addSheet(ctx context.Context, b *document.Builder, f *excelize.File, name string) error {
	rows, err := f.Rows(name)
	if err != nil {
		return err
	}
	defer rows.Close()
	merged, err := mergedCells(f, name)
	if err != nil {
		return err
	}
	named := false
	var table [][]string
	empty := 0
	flush := func() {
		if len(table) == 0 {
			return
		}
		if !named {
			b.Add(rag.BlockHeading, 2, name)
			named = true
		}
		addTable(b, table)
		table = nil
	}
	for n := 0; rows.Next(); n++ {
		if n%1024 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		cells, err := rows.Columns()
		if err != nil {
			return err
		}
		cells = merged.fill(cells, n+1)
		for len(cells) > 0 && strings.TrimSpace(cells[len(cells)-1]) == "" {
			cells = cells[:len(cells)-1]
		}
		if len(cells) == 0 {
			if empty++; empty >= gap {
				flush()
			}
			continue
		}
		empty = 0
		table = append(table, cells)
	}
	flush()
	if err := rows.Error(); err != nil {
		return err
	}
	comments, err := f.GetComments(name)
	if err != nil {
		return err
	}
	for _, c := range comments {
		said := c.Text
		for _, run := range c.Paragraph {
			said += run.Text
		}
		if author := strings.TrimSpace(c.Author); author != "" && !strings.HasPrefix(strings.TrimSpace(said), author) {
			said = author + ": " + said
		}
		b.Add(rag.BlockQuote, 0, c.Cell+", "+strings.TrimSpace(said))
	}
	return nil
}

// merging are a sheet's merged cells: row → column → the value of the cell that covers it.
type merging map[int]map[int]string

// mostMerged bounds the cells that merged ones cover together.
const mostMerged = 100000

func mergedCells(f *excelize.File, name string) (merging, error) {
	cells, err := f.GetMergeCells(name)
	if err != nil {
		return nil, err
	}
	out, n := merging{}, 0
	for _, m := range cells {
		left, top, err1 := excelize.CellNameToCoordinates(m.GetStartAxis())
		right, bottom, err2 := excelize.CellNameToCoordinates(m.GetEndAxis())
		if err1 != nil || err2 != nil || m.GetCellValue() == "" {
			continue
		}
		if n += (right - left + 1) * (bottom - top + 1); n > mostMerged {
			break
		}
		for r := top; r <= bottom; r++ {
			if out[r] == nil {
				out[r] = map[int]string{}
			}
			for c := left; c <= right; c++ {
				out[r][c] = m.GetCellValue()
			}
		}
	}
	return out, nil
}

// fill repeats merged cells' values in a row, which counts from 1.
func (m merging) fill(cells []string, row int) []string {
	for c, v := range m[row] {
		for len(cells) < c {
			cells = append(cells, "")
		}
		cells[c-1] = v
	}
	return cells
}

// addTable writes a run of rows: those with one cell before and after the table are its titles and notes.
func addTable(b *document.Builder, rows [][]string) {
	filled := func(row []string) (n int) {
		for _, c := range row {
			if strings.TrimSpace(c) != "" {
				n++
			}
		}
		return n
	}
	from, to := 0, len(rows)
	for from < to && filled(rows[from]) <= 1 {
		from++
	}
	for to > from && filled(rows[to-1]) <= 1 {
		to--
	}
	if to-from < 2 { // no table: a column of cells, or a single row
		from, to = 0, len(rows)
	}
	for _, row := range rows[:from] {
		b.Add(rag.BlockParagraph, 0, strings.TrimSpace(strings.Join(row, " ")))
	}
	// Columns that are empty all the way down are margins.
	left := 1 << 20
	for _, row := range rows[from:to] {
		for i, c := range row {
			if strings.TrimSpace(c) != "" {
				left = min(left, i)
				break
			}
		}
	}
	table := make([][]string, 0, to-from)
	for _, row := range rows[from:to] {
		table = append(table, row[min(left, len(row)):])
	}
	head := 0
	if len(table) > 1 {
		head = 1
	}
	b.Table(table, head)
	for _, row := range rows[to:] {
		b.Add(rag.BlockParagraph, 0, strings.TrimSpace(strings.Join(row, " ")))
	}
}
