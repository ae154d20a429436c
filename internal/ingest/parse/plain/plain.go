// Package plain reads plain text.
package plain

import (
	"strings"

	"footnote/internal/ingest/parse/document"
	"footnote/internal/rag"
	"footnote/internal/text"
)

// Parse adds the paragraphs of plain text, which blank lines part.
func Parse(b *document.Builder, s string) {
	var lines []string
	flush := func() {
		b.Add(rag.BlockParagraph, 0, strings.Join(lines, "\n"))
		lines = lines[:0]
	}
	for line := range strings.Lines(text.Normalise(s)) {
		if line = strings.TrimRight(line, " \t\n"); strings.TrimSpace(line) == "" {
			flush()
			continue
		}
		lines = append(lines, line)
	}
	flush()
}
