package answer

import (
	"slices"
	"strconv"
	"strings"

	"footnote/internal/rag"
	"footnote/internal/text"
)

func itoa(n int) string { return strconv.Itoa(n) }

// markers turns what a model writes into what a user reads. A model's marker names a passage, in any of the forms that parseMarker knows, whole or cut between two
// pieces; each becomes a footnote of its own, [1], [2], … One that names no passage disappears with the space before it, and so do the definitions of footnotes and
// white space at the end. Code and maths are left alone. However the text is cut into pieces, what is said adds up to the same.
type markers struct {
	passages int
	say      func(s string) error
	footnote func(marker, passage int) error // called before the marker is said, when all that stands before it has been

	scan    scanner
	last    int    // the number of the last footnote
	group   []int  // passages of the markers that stand side by side here: one is enough for each
	space   string // white space held back, so that a marker that disappears takes it along
	swallow bool   // a marker at the beginning of a line disappeared: the spaces behind it go, too
	begun   bool   // something was said
}

// write takes the next piece.
func (m *markers) write(piece string) error {
	m.scan.rest += piece
	return m.drain(false)
}

// close says what was held back.
func (m *markers) close() error { return m.drain(true) }

func (m *markers) drain(final bool) error {
	for {
		p, ok := m.scan.next(final)
		if !ok {
			return nil
		}
		var err error
		switch p.kind {
		case plainPiece:
			err = m.out(p.text)
		case markerPiece:
			err = m.footnotes(p.passages)
		}
		if err != nil {
			return err
		}
	}
}

// out says s but holds white space at its end back.
func (m *markers) out(s string) error {
	if m.swallow {
		if s = strings.TrimLeft(s, " \t"); s == "" {
			return nil
		}
		m.swallow = false
	}
	s = m.space + s
	body := strings.TrimRight(s, " \t\r\n　")
	m.space = s[len(body):]
	if body == "" {
		return nil
	}
	m.begun, m.group = true, nil
	return m.say(body)
}

func (m *markers) footnotes(passages []int) error {
	before := m.last
	for _, p := range passages {
		if p < 1 || p > m.passages {
			continue
		}
		if slices.Contains(m.group, p) {
			continue
		}
		m.group = append(m.group, p)
		if m.space != "" {
			if err := m.say(m.space); err != nil {
				return err
			}
			m.space = ""
		}
		m.begun = true
		m.last++
		if err := m.footnote(m.last, p); err != nil {
			return err
		}
		if err := m.say("[" + itoa(m.last) + "]"); err != nil {
			return err
		}
	}
	if m.last == before {
		m.swallow = !m.begun && m.space == "" || strings.HasSuffix(strings.TrimRight(m.space, " \t"), "\n")
		m.space = strings.TrimRight(m.space, " \t")
	}
	return nil
}

// markerSpans are the spans, in code points, of the markers and of the definitions of footnotes in a text that somebody else wrote.
func markerSpans(s string) []rag.Span {
	var out []rag.Span
	scan := scanner{rest: s}
	at := 0
	for {
		p, ok := scan.next(true)
		if !ok {
			return out
		}
		n := text.Len(p.text)
		if p.kind != plainPiece {
			out = append(out, rag.Span{Start: at, End: at + n})
		}
		at += n
	}
}

// blank puts spaces in the place of spans, so that no offset moves. Line ends stay.
func blank(s string, spans []rag.Span) string {
	if len(spans) == 0 {
		return s
	}
	r := []rune(s)
	for _, span := range spans {
		for i := max(span.Start, 0); i < span.End && i < len(r); i++ {
			if r[i] != '\n' {
				r[i] = ' '
			}
		}
	}
	return string(r)
}

// masked puts spaces in the place of a text's markers.
func masked(s string) string { return blank(s, markerSpans(s)) }

// withoutMarkers takes the markers out that a source set itself: they are no footnotes of ours.
func withoutMarkers(s string) string {
	var b strings.Builder
	m := &markers{say: func(s string) error { b.WriteString(s); return nil }, footnote: func(int, int) error { return nil }}
	_ = m.write(s) // say does not fail
	_ = m.close()
	return b.String()
}
