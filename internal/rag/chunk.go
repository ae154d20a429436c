package rag

import "strings"

// Chunk is a span of one version of a document: the unit that is embedded and found.
type Chunk struct {
	ID          ChunkID
	Document    DocumentID
	Version     int
	Ordinal     int // from 0, in text order
	Span        Span
	HeadingPath []string // headings above it, outermost first
	Page        int      // from 1; 0 when the source has no pages
	Text        string   // the normalised text at Span, verbatim
}

// MaxEmbeddedPrefix bounds the title and heading path in the embedded text, in code points, so that they cannot crowd out the
// passage.
const MaxEmbeddedPrefix = 240

// EmbeddedText is the text that is embedded and analysed for a chunk: title and heading path, which say what the passage is
// about, then the passage. Only the passage itself is ever quoted.
func EmbeddedText(title string, headingPath []string, text string) string {
	var b strings.Builder
	b.WriteString(title)
	for _, h := range headingPath {
		if h == "" || h == title {
			continue
		}
		if b.Len() > 0 {
			b.WriteString(" › ")
		}
		b.WriteString(h)
	}
	if b.Len() == 0 {
		return text
	}
	return Clip(b.String(), MaxEmbeddedPrefix) + "\n" + text
}
