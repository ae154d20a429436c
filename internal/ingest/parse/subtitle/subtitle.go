// Package subtitle reads what is said in WebVTT and SubRip files.
package subtitle

import (
	"context"
	"html"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"footnote/internal/ingest/parse/document"
	"footnote/internal/rag"
	"footnote/internal/text"
)

var timing = regexp.MustCompile(`^(?:\d+:)?\d{1,2}:\d{2}[.,]\d{1,3}\s+-->\s+(?:\d+:)?\d{1,2}:\d{2}[.,]\d{1,3}`)

// paragraphLength is how many code points a paragraph has after which it ends with the next sentence.
const paragraphLength = 400

// longestParagraph ends a paragraph wherever it is.
const longestParagraph = 4 * paragraphLength

// longestTag is of a tag, in bytes, with the name of who speaks.
const longestTag = 512

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
		s, name := spoken(s)
		s = strings.Join(strings.Fields(html.UnescapeString(s)), " ")
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

// spoken is a cue's text without its tags (`<i>`, `</c.loud>`, `<00:01.000>`, and `{\an8}` of SubRip files), and who says it: the first voice tag (`<v.class name>`), or "".
func spoken(cue string) (said, who string) {
	var out strings.Builder
	for cue != "" {
		i := strings.IndexAny(cue, "<{")
		if i < 0 {
			break
		}
		out.WriteString(cue[:i])
		cue = cue[i:]
		closing := byte('>')
		if cue[0] == '{' {
			closing = '}'
		}
		end := strings.IndexByte(cue[:min(len(cue), longestTag)], closing) // bounded: a cue of nothing but `<` must not cost its length squared
		if end < 0 || !isTag(cue[:end]) {
			out.WriteByte(cue[0])
			cue = cue[1:]
			continue
		}
		if kind, name, ok := strings.Cut(cue[1:end], " "); ok && who == "" && (kind == "v" || strings.HasPrefix(kind, "v.")) {
			who = strings.TrimSpace(name)
		}
		cue = cue[end+1:]
	}
	out.WriteString(cue)
	return out.String(), who
}

// isTag tells `<i`, `</c.loud` and `{\an8` from a sign that was meant as one (`a < b`).
func isTag(s string) bool {
	if s[0] == '{' {
		return strings.HasPrefix(s, `{\`)
	}
	name := strings.TrimPrefix(s[1:], "/")
	return name != "" && (name[0] < utf8.RuneSelf && (unicode.IsLetter(rune(name[0])) || unicode.IsDigit(rune(name[0]))) || name[0] == '.')
}
