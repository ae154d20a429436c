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
	Context     string   // what the text needs to be understood and does not hold: its table's head, its list's lead-in, the declaration it is inside of; usually empty
	Text        string   // the normalised text at Span, verbatim
}

// MaxEmbeddedPrefix bounds the title and heading path in the embedded text, in code points, so that they cannot crowd out the
// passage.
const MaxEmbeddedPrefix = 240

// MaxContext bounds a chunk's Context, in code points, for the same reason.
const MaxContext = 240

// Embedded is the text that is embedded and analysed for the chunk of a document with that title.
func (c Chunk) Embedded(title string) string {
	return EmbeddedText(title, c.HeadingPath, c.Context, c.Text)
}

// EmbeddedText is the text that is embedded and analysed for a passage: title and heading path, which say what it is about, its context, then the passage. Only the passage itself is
// ever quoted.
func EmbeddedText(title string, headingPath []string, context, text string) string {
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
	if context != "" {
		text = Clip(context, MaxContext) + "\n" + text
	}
	if b.Len() == 0 {
		return text
	}
	return Clip(b.String(), MaxEmbeddedPrefix) + "\n" + text
}
