package chunk

import (
	"slices"
	"strings"
	"unicode"

	"footnote/internal/rag"
	"footnote/internal/text"
)

// context is what a chunk that begins with an atom of block needs to be understood and does not hold, as long as it leaves the embedded text within the model's limit.
func (s *splitter) context(sec section, first atom, body string) string {
	var c string
	switch b := sec.blocks[first.block]; {
	case b.Kind == rag.BlockCode:
		c = s.enclosing(sec, first)
	case !b.Header.Empty() && first.span.Start > b.Header.Start:
		c = trimmedText(s.index, b.Header)
		if b.Kind == rag.BlockList {
			c = lastSentences(c, rag.MaxContext)
		}
	}
	c = rag.Clip(c, rag.MaxContext)
	for c != "" && s.Count(rag.EmbeddedText(s.Title, sec.path, c, body)) > s.MaxTokens {
		half := text.Len(c) / 2 // a head in part still names some of its columns
		c = strings.TrimSpace(text.Slice(c, 0, half))
	}
	return c
}

func trimmedText(index *text.Index, span rag.Span) string {
	return strings.TrimSpace(index.Slice(span))
}

// lastSentences are the last sentences of s that together have at most n code points: the end of a paragraph is what leads a list in. A last one that is longer is clipped by the caller.
func lastSentences(s string, n int) string {
	if text.Len(s) <= n {
		return s
	}
	sentences := text.Sentences(s)
	for i := range sentences {
		last := rag.Span{Start: sentences[i].Start, End: text.Len(s)}
		if last.Len() <= n || i == len(sentences)-1 {
			return strings.TrimSpace(text.Slice(s, last.Start, last.End))
		}
	}
	return s
}

const (
	// codeReach is how far back, in code points, lines are looked for that enclose a piece of code.
	codeReach = 20_000
	// codeLine bounds an enclosing line, in code points, so that several fit.
	codeLine = 100
)

// enclosing are the lines before a piece of code that it is inside of, outermost first: each the nearest above that is indented less than the one below it. So it needs no grammar, and
// holds for every language that people indent. Lines without a name, such as a bracket, and comments enclose nothing.
func (s *splitter) enclosing(sec section, first atom) string {
	from := first.block
	for from > 0 && sec.blocks[from-1].Kind == rag.BlockCode {
		from--
	}
	begin := sec.blocks[from].Span.Start
	if from > 0 {
		begin = max(begin, sec.blocks[from-1].Span.End)
	}
	begin = max(begin, first.span.Start-codeReach)
	before := s.index.Slice(rag.Span{Start: begin, End: first.span.Start})
	cut := strings.LastIndexByte(before, '\n') + 1
	if strings.TrimSpace(before[cut:]) != "" {
		return "" // a piece of a line that was too long
	}
	below := indent(before[cut:])
	var lines []string
	for rest := before[:cut]; below > 0 && rest != ""; {
		rest = strings.TrimSuffix(rest, "\n")
		at := strings.LastIndexByte(rest, '\n') + 1
		line := strings.TrimRightFunc(rest[at:], unicode.IsSpace)
		rest = rest[:at]
		if n := indent(line); n < below && encloses(strings.TrimSpace(line)) {
			lines = append(lines, rag.Clip(line, codeLine))
			below = n
		}
	}
	slices.Reverse(lines)
	return strings.TrimLeftFunc(strings.Join(lines, "\n"), unicode.IsSpace)
}

// indent is the width of the white space that a line begins with, a tab counted as four.
func indent(line string) (n int) {
	for _, r := range line {
		switch r {
		case ' ':
			n++
		case '\t':
			n += 4
		default:
			return n
		}
	}
	return n
}

func encloses(line string) bool {
	for _, mark := range []string{"//", "#", "/*", "*", "--", "\"\"\"", "'''", "<!--", "@"} {
		if strings.HasPrefix(line, mark) {
			return false
		}
	}
	return strings.IndexFunc(line, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }) >= 0
}
