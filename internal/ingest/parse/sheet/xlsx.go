package sheet

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
		if err := sheet(ctx, b, f, name); err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			b.Warn("sheet %q could not be read: %v", rag.Clip(name, 80), err)
		}
	}
	return nil
}

func sheet(ctx context.Context, b *document.Builder, f *excelize.File, name string) error {
	rows, err := f.Rows(name)
	if err != nil {
		return err
	}
	defer rows.Close()
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
		add(b, table)
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
	return rows.Error()
}

// add writes a run of rows: those with one cell before and after the table are its titles and notes.
func add(b *document.Builder, rows [][]string) {
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
