// Package markup reads reStructuredText, AsciiDoc, LaTeX and XML documents as readable text: structure is kept, markup dropped. It does not run anything: no directive, macro or entity
// fetches or expands.
package markup

import (
	"strings"

	"footnote/internal/ingest/parse/document"
	"footnote/internal/rag"
)

// lines walks the lines of a text and collects paragraphs, lists and tables until something ends them.
type lines struct {
	b    *document.Builder
	all  []string
	at   int
	text []string
	list []string
}

// flush adds the paragraph and the list in the making.
func (l *lines) flush() {
	l.b.Add(rag.BlockParagraph, 0, joined(l.text))
	l.text = nil
	if len(l.list) > 0 {
		l.b.Add(rag.BlockList, 1, strings.Join(l.list, "\n"))
		l.b.LeadIn()
	}
	l.list = nil
}

// more tells whether there is another line.
func (l *lines) more() bool { return l.at < len(l.all) }

// line is the line i further on; empty past the end.
func (l *lines) line(i int) string {
	if l.at+i < len(l.all) {
		return l.all[l.at+i]
	}
	return ""
}

// joined makes one text of a paragraph's lines; between two Chinese characters there is nothing.
func joined(parts []string) string {
	var b strings.Builder
	for i, p := range parts {
		if i > 0 {
			b.WriteString(document.Space(parts[i-1], p))
		}
		b.WriteString(p)
	}
	return b.String()
}

// indented takes the lines that are indented deeper than the line before, with the empty ones between them.
func (l *lines) indented() []string {
	var out []string
	for l.more() && (strings.TrimSpace(l.line(0)) == "" || strings.HasPrefix(l.line(0), " ") || strings.HasPrefix(l.line(0), "\t")) {
		out = append(out, l.line(0))
		l.at++
	}
	for len(out) > 0 && strings.TrimSpace(out[len(out)-1]) == "" {
		out = out[:len(out)-1]
	}
	for len(out) > 0 && strings.TrimSpace(out[0]) == "" {
		out = out[1:]
	}
	return dedent(out)
}

func dedent(all []string) []string {
	least := -1
	for _, s := range all {
		if n := len(s) - len(strings.TrimLeft(s, " \t")); strings.TrimSpace(s) != "" && (least < 0 || n < least) {
			least = n
		}
	}
	out := make([]string, len(all))
	for i, s := range all {
		out[i] = s[min(max(least, 0), len(s)):]
	}
	return out
}
