package answer

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

func itoa(n int) string { return strconv.Itoa(n) }

// maxMarker bounds how long a text that may become a marker is held back, in bytes.
const maxMarker = 40

// markers turns what a model writes into what a user reads. A model's marker names a passage, in any of the forms [1], [1, 2], [^1], 【1】 or
// ［1］, whole or cut between two pieces; each becomes a footnote of its own, numbered from 1. One that names no passage disappears.
type markers struct {
	passages int
	say      func(s string) error
	footnote func(marker, passage int) error // called before the marker is said

	held  string // the start of what may be a marker
	last  int
	space string // white space held back, so that a marker that disappears takes it along
}

// write takes the next piece.
func (m *markers) write(piece string) error {
	m.held += piece
	for m.held != "" {
		i := strings.IndexAny(m.held, "[【［")
		if i < 0 {
			return m.flush(completeRunes(m.held))
		}
		if i > 0 {
			if err := m.flush(i); err != nil {
				return err
			}
			continue
		}
		end, whole := markerEnd(m.held)
		switch {
		case whole:
			numbers, ok := parseMarker(m.held[:end])
			if !ok {
				if err := m.flush(openLength(m.held)); err != nil {
					return err
				}
				continue
			}
			m.held = m.held[end:]
			if err := m.footnotes(numbers); err != nil {
				return err
			}
		case end < 0 || len(m.held) > maxMarker: // it is no marker
			if err := m.flush(openLength(m.held)); err != nil {
				return err
			}
		default:
			return nil // more may come
		}
	}
	return nil
}

// close says what was held back.
func (m *markers) close() error {
	rest := m.held
	m.held = ""
	if _, ok := parseMarker(rest + "]"); ok && rest != "" {
		rest = "" // a marker that was cut off
	}
	return m.out(rest)
}

// flush says the first n bytes.
func (m *markers) flush(n int) error {
	s := m.held[:n]
	m.held = m.held[n:]
	return m.out(s)
}

// out says s but holds white space at its end back.
func (m *markers) out(s string) error {
	if s == "" {
		return nil
	}
	s = m.space + s
	body := strings.TrimRight(s, " ")
	m.space = s[len(body):]
	if body == "" {
		return nil
	}
	return m.say(body)
}

func (m *markers) footnotes(passages []int) error {
	said := false
	for _, p := range passages {
		if p < 1 || p > m.passages {
			continue
		}
		m.last++
		if err := m.footnote(m.last, p); err != nil {
			return err
		}
		lead := m.space
		if said {
			lead = ""
		}
		said = true
		m.space = ""
		if err := m.say(lead + "[" + itoa(m.last) + "]"); err != nil {
			return err
		}
	}
	if !said {
		m.space = ""
	}
	return nil
}

func openLength(s string) int {
	_, n := utf8.DecodeRuneInString(s)
	return n
}

// completeRunes is the length of s without a code point that is cut at its end.
func completeRunes(s string) int {
	for i := 1; i <= 3 && i <= len(s); i++ {
		if b := s[len(s)-i]; utf8.RuneStart(b) {
			if !utf8.FullRuneInString(s[len(s)-i:]) {
				return len(s) - i
			}
			break
		}
	}
	return len(s)
}

// markerEnd finds the end of what starts as a marker: whole when its bracket closes; -1 when it can no longer be one.
func markerEnd(s string) (end int, whole bool) {
	for i, r := range s {
		switch {
		case i == 0:
		case r == ']' || r == '】' || r == '］':
			return i + utf8.RuneLen(r), true
		case r >= '0' && r <= '9' || r >= '０' && r <= '９' || strings.ContainsRune(" ,，、;^-–", r):
		case r == utf8.RuneError && !utf8.FullRuneInString(s[i:]):
			return i, false
		default:
			return -1, false
		}
	}
	return len(s), false
}

// parseMarker reads the numbers of a whole marker; a range such as 1-3 names all of it.
func parseMarker(s string) ([]int, bool) {
	s = strings.TrimLeft(s, "[【［")
	s = strings.TrimRight(s, "]】］")
	s = strings.Map(func(r rune) rune {
		switch {
		case r >= '０' && r <= '９':
			return r - '０' + '0'
		case r == '，' || r == '、' || r == ';':
			return ','
		case r == '–':
			return '-'
		case r == '^':
			return -1
		}
		return r
	}, s)
	var out []int
	for part := range strings.SplitSeq(s, ",") {
		from, to, isRange := strings.Cut(strings.TrimSpace(part), "-")
		a, err := strconv.Atoi(strings.TrimSpace(from))
		if err != nil {
			return nil, false
		}
		b := a
		if isRange {
			if b, err = strconv.Atoi(strings.TrimSpace(to)); err != nil || b < a || b-a > 20 {
				return nil, false
			}
		}
		for n := a; n <= b; n++ {
			out = append(out, n)
		}
	}
	return out, true
}
