// Package sheet reads tables in text whose fields a comma or another sign parts.
package sheet

import (
	"context"
	"encoding/csv"
	"errors"
	"io"
	"slices"
	"strings"

	"footnote/internal/ingest/parse/document"
)

// sniffed is how many lines are looked at to tell what parts the fields.
const sniffed = 20

// CSV adds a table of separated values, its first row the head. What parts the fields is told from the first lines: a comma, a semicolon, a tab or a bar.
func CSV(ctx context.Context, b *document.Builder, content []byte) error {
	s := document.Decode(content)
	r := csv.NewReader(strings.NewReader(s))
	r.Comma, r.FieldsPerRecord, r.LazyQuotes, r.ReuseRecord = separator(s), -1, true, false
	var rows [][]string
	for {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			line, _ := r.FieldPos(0)
			b.Warn("line %d could not be read: %v", line, err)
			if _, ok := errors.AsType[*csv.ParseError](err); ok {
				continue
			}
			return err
		}
		if rows = append(rows, row); len(rows)%4096 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
	}
	head := 0
	if len(rows) > 1 {
		head = 1
	}
	b.Table(rows, head)
	return nil
}

// separator is the sign that parts the first lines into the same number of fields, most of them; a comma where none does.
func separator(s string) rune {
	best, most := ',', 0
	for _, c := range []rune{',', ';', '\t', '|'} {
		r := csv.NewReader(strings.NewReader(s))
		r.Comma, r.FieldsPerRecord, r.LazyQuotes = c, -1, true
		var counts []int
		for range sniffed {
			row, err := r.Read()
			if err != nil {
				break
			}
			counts = append(counts, len(row))
		}
		if len(counts) == 0 {
			continue
		}
		slices.Sort(counts)
		usual := counts[len(counts)/2]
		same := 0
		for _, n := range counts {
			if n == usual {
				same++
			}
		}
		if score := (usual - 1) * same; score > most {
			best, most = c, score
		}
	}
	return best
}
