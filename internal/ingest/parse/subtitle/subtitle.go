// Package subtitle reads what is said in WebVTT and SubRip files.
package subtitle

import (
	"context"
	"html"
	"regexp"
	"strings"
	"unicode/utf8"

	"footnote/internal/ingest/parse/document"
	"footnote/internal/rag"
	"footnote/internal/text"
)

var (
	timing  = regexp.MustCompile(`^(?:\d+:)?\d{1,2}:\d{2}[.,]\d{1,3}\s+-->\s+(?:\d+:)?\d{1,2}:\d{2}[.,]\d{1,3}`)
	speaker = regexp.MustCompile(`<v(?:\.[^ >]*)?\s+([^>]+)>`)
	tag     = regexp.MustCompile(`</?[a-zA-Z0-9.:]+(?:\s[^>]*)?>|\{\\[^}]*\}`)
)

// paragraphLength is how many code points a paragraph has after which it ends with the next sentence.
const paragraphLength = 400

// longestParagraph ends a paragraph wherever it is.
const longestParagraph = 4 * paragraphLength

// Parse adds what is said, without times, as paragraphs: cues of one speaker are joined.
func Parse(_ context.Context, b *document.Builder, content []byte) error {
	var who string
	var said strings.Builder
	length, before := 0, rune(0) // of what is said, in code points, and the last one
	flush := func() {
		if s := said.String(); s != "" && who != "" {
			b.Add(rag.BlockParagraph, 0, who+": "+s)
		} else {
			b.Add(rag.BlockParagraph, 0, s)
		}
		said.Reset()
		length, before = 0, 0
	}
	for cue := range strings.SplitSeq(text.Normalise(document.Decode(content)), "\n\n") {
		lines := strings.Split(strings.Trim(cue, "\n"), "\n")
		at := -1
		for i, l := range lines[:min(2, len(lines))] {
			if timing.MatchString(strings.TrimSpace(l)) {
				at = i
			}
		}
		if at < 0 { // a header, a note, a style
			continue
		}
		s := strings.Join(lines[at+1:], " ")
		name := who
		if m := speaker.FindStringSubmatch(s); m != nil {
			name = strings.TrimSpace(m[1])
		} else if strings.Contains(s, "<v") || who != "" {
			name = ""
		}
		s = strings.Join(strings.Fields(html.UnescapeString(tag.ReplaceAllString(speaker.ReplaceAllString(s, ""), ""))), " ")
		if s == "" {
			continue
		}
		after, _ := utf8.DecodeRuneInString(s)
		if name != who || length > paragraphLength && strings.ContainsRune(".!?。！？", before) || length > longestParagraph {
			flush()
		}
		who = name
		if length > 0 && !(text.IsHan(before) && text.IsHan(after)) {
			said.WriteByte(' ')
			length++
		}
		said.WriteString(s)
		length += text.Len(s)
		before, _ = utf8.DecodeLastRuneInString(s)
	}
	flush()
	return nil
}
