// Package notebook reads Jupyter notebooks (nbformat 3 and 4).
package notebook

import (
	"context"
	"encoding/json"
	"strings"

	"footnote/internal/ingest/parse/document"
	"footnote/internal/ingest/parse/markdown"
	"footnote/internal/rag"
)

// maxOutput bounds the bytes that are kept of what a cell printed.
const maxOutput = 4000

type cell struct {
	Kind    string   `json:"cell_type"`
	Source  lines    `json:"source"`
	Input   lines    `json:"input"` // nbformat 3
	Level   int      `json:"level"`
	Outputs []output `json:"outputs"`
}

type output struct {
	Text lines                      `json:"text"`
	Data map[string]json.RawMessage `json:"data"`
	Name string                     `json:"ename"`
	Says string                     `json:"evalue"`
}

// lines is a string, or a list of strings to be joined.
type lines string

// UnmarshalJSON reads either.
func (l *lines) UnmarshalJSON(b []byte) error {
	var list []string
	if json.Unmarshal(b, &list) == nil {
		*l = lines(strings.Join(list, ""))
		return nil
	}
	var s string
	err := json.Unmarshal(b, &s)
	*l = lines(s)
	return err
}

// Parse adds a notebook's cells: Markdown as what it is, code as code, and what it printed after it. Images are left out.
func Parse(ctx context.Context, b *document.Builder, content []byte) error {
	var n struct {
		Cells      []cell `json:"cells"`
		Worksheets []struct {
			Cells []cell `json:"cells"`
		} `json:"worksheets"`
		Metadata struct {
			Title string `json:"title"`
		} `json:"metadata"`
	}
	if err := json.Unmarshal(content, &n); err != nil {
		return err
	}
	b.Title = n.Metadata.Title
	cells := n.Cells
	for _, w := range n.Worksheets {
		cells = append(cells, w.Cells...)
	}
	for _, c := range cells {
		if err := ctx.Err(); err != nil {
			return err
		}
		switch c.Kind {
		case "markdown":
			markdown.Body(b, string(c.Source))
		case "heading":
			b.Add(rag.BlockHeading, min(max(c.Level, 1), 6), string(c.Source))
		case "code":
			b.Add(rag.BlockCode, 0, string(c.Source)+string(c.Input))
			for _, o := range c.Outputs {
				b.Add(rag.BlockCode, 0, printed(o))
			}
		default:
			b.Add(rag.BlockParagraph, 0, string(c.Source))
		}
	}
	return nil
}

func printed(o output) string {
	s := string(o.Text)
	var plain lines
	if s == "" && json.Unmarshal(o.Data["text/plain"], &plain) == nil {
		s = string(plain)
	}
	if o.Name != "" {
		s = o.Name + ": " + o.Says
	}
	if len(s) > maxOutput {
		s = strings.ToValidUTF8(s[:maxOutput], "") + " …"
	}
	return s
}
