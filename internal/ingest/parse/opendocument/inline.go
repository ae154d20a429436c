package opendocument

import (
	"strconv"
	"strings"

	"footnote/internal/ingest/parse/document"
	"footnote/internal/rag"
)

// inline is the text of the paragraph that was opened last, and of the footnotes in it.
func (r *reader) inline() (string, []string, error) {
	var b strings.Builder
	var notes []string
	var child func(e document.Element) error
	write := func(s string) { b.WriteString(strings.NewReplacer("\n", " ", "\r", " ", "\t", " ").Replace(s)) }
	child = func(e document.Element) error {
		switch e.Name {
		case "s":
			n, _ := strconv.Atoi(e.Attr("c"))
			b.WriteString(strings.Repeat(" ", min(max(n, 1), 200)))
		case "tab":
			b.WriteByte('\t')
		case "line-break":
			b.WriteByte('\n')
		case "note":
			return r.x.Children(func(e document.Element) error {
				if e.Name != "note-body" {
					return nil
				}
				s, err := r.x.Text()
				notes = append(notes, strings.Join(strings.Fields(s), " "))
				return err
			}, nil)
		case "object":
			return r.block(e)
		case "annotation", "annotation-end", "ruby-text", "tracked-changes", "desc", "title", "object-ole":
		case "p", "h", "list-item": // of a text box
			if b.Len() > 0 {
				b.WriteByte('\n')
			}
			return r.x.Children(child, write)
		default:
			return r.x.Children(child, write)
		}
		return nil
	}
	err := r.x.Children(child, write)
	return b.String(), notes, err
}

func (r *reader) list(depth int, lines *[]string) error {
	return r.x.Children(func(e document.Element) error {
		if e.Name != "list-item" && e.Name != "list-header" {
			return nil
		}
		first := true
		return r.x.Children(func(e document.Element) error {
			switch e.Name {
			case "list":
				return r.list(min(depth+1, 8), lines)
			case "p", "h":
				s, notes, err := r.inline()
				mark := "  "
				if first {
					mark = "- "
				}
				if s = strings.TrimSpace(s); s != "" {
					first = false
					*lines = append(*lines, strings.Repeat("  ", depth)+mark+strings.ReplaceAll(s, "\n", "\n  "))
				}
				*lines = append(*lines, notes...)
				return err
			}
			return nil
		}, nil)
	}, nil)
}

func (r *reader) addNotes(notes []string) {
	for _, n := range notes {
		r.b.Add(rag.BlockParagraph, 0, n)
	}
}
