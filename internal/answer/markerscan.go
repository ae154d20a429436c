package answer

import (
	"strings"
	"unicode/utf8"
)

// Bounds of what is held back until it is clear what it is, in bytes.
const (
	maxMarker = 96
	maxTarget = 300  // of the link behind a marker
	maxMaths  = 300  // on one line
	maxQuoted = 1000 // code in a line, displayed maths, the first line of a fence
)

type pieceKind int

const (
	plainPiece pieceKind = iota
	markerPiece
	definedPiece // of the definition of a footnote, or a marker that was cut off by the text's end
)

// piece is a part of a text: a marker, or something else.
type piece struct {
	kind     pieceKind
	text     string
	passages []int // that a marker names
	index    bool  // brackets behind the name of a variable
}

// scanner cuts a text that may not have come whole into pieces. What it says does not depend on how the text came: it waits where more could change its mind.
type scanner struct {
	rest string // what has come and is not yet cut

	tail     string // the end of what was cut
	indented bool   // something other than white space was cut since the last line end
	fence    string // what closes the block of code that is open
	defining bool   // inside the definition of a footnote
	indexed  bool   // the last piece was an index such as the [1] of a[1]
}

// next cuts the next piece off. final says that nothing more will come. Without a piece, more must come, or nothing is left.
func (s *scanner) next(final bool) (piece, bool) {
	if s.rest == "" {
		return piece{}, false
	}
	if s.defining && !s.indented && s.rest[0] != ' ' && s.rest[0] != '\t' {
		s.defining = false // a line that is not indented is no more of it
	}
	var n int
	var p piece
	switch {
	case s.defining:
		n, p.kind, s.indented = s.definition(), definedPiece, true
	case s.fence != "":
		n = s.fenced(final)
	default:
		n, p = s.prose(final)
	}
	if n == 0 {
		return piece{}, false
	}
	p.text = s.rest[:n]
	s.rest = s.rest[n:]
	s.tail += p.text
	if len(s.tail) > 64 {
		s.tail = s.tail[len(s.tail)-64:]
	}
	if i := strings.LastIndexByte(p.text, '\n'); i >= 0 {
		s.indented = strings.TrimLeft(p.text[i:], " \t\r\n") != ""
	} else {
		s.indented = s.indented || strings.TrimLeft(p.text, " \t\r") != ""
	}
	s.indexed = p.index
	return p, true
}

// prose is the length of the next piece outside of blocks of code, and what it is.
func (s *scanner) prose(final bool) (int, piece) {
	i := strings.IndexAny(s.rest, "[【［`~$\\")
	switch {
	case i < 0 && final:
		return len(s.rest), piece{}
	case i < 0:
		return completeRunes(s.rest), piece{}
	case i > 0:
		return i, piece{}
	}
	switch s.rest[0] {
	case '`', '~':
		return s.code(final), piece{}
	case '$':
		return s.maths(final), piece{}
	case '\\':
		return s.escaped(final)
	}
	return s.bracket(final)
}

// bracket is the length of what begins with a bracket. It is a marker when what the brackets hold reads as one.
func (s *scanner) bracket(final bool) (int, piece) {
	_, open := utf8.DecodeRuneInString(s.rest)
	if strings.HasPrefix(s.rest, "[[") {
		open = 2
	}
	came := s.rest
	if !final {
		came = came[:completeRunes(came)]
	}
	end := -1
	for i, r := range came {
		if i < open {
			continue
		}
		if r == '\n' || r == '[' || r == '【' || r == '［' || i > maxMarker {
			return 1 + continuation(s.rest), piece{}
		}
		if r == ']' || r == '】' || r == '］' {
			end = i
			break
		}
	}
	if end < 0 {
		if !final {
			return 0, piece{}
		}
		if _, ok := parseMarker(s.rest[open:]); ok {
			return len(s.rest), piece{kind: definedPiece}
		}
		return 1 + continuation(s.rest), piece{}
	}
	inner := s.rest[open:end]
	passages, ok := parseMarker(inner)
	if !ok {
		return 1 + continuation(s.rest), piece{}
	}
	_, width := utf8.DecodeRuneInString(s.rest[end:])
	end += width
	if open == 2 && strings.HasPrefix(s.rest, "[[") {
		switch {
		case end == len(s.rest) && !final:
			return 0, piece{}
		case !strings.HasPrefix(s.rest[end:], "]"):
			return 1, piece{}
		}
		end++
	}
	if s.isIndex(passages) {
		return end, piece{index: true}
	}
	more, defines, known := s.behind(end, strings.Contains(inner, "^"), final)
	switch {
	case !known:
		return 0, piece{}
	case defines:
		s.defining = true
		return end + more, piece{kind: definedPiece}
	}
	return end + more, piece{kind: markerPiece, passages: passages}
}

// continuation is how many bytes the first code point of s has after its first.
func continuation(s string) int {
	_, n := utf8.DecodeRuneInString(s)
	return n - 1
}

// behind looks at what follows a marker that ends at end: the target of a link goes with it, and a colon at the beginning of a line makes it the definition of a footnote.
func (s *scanner) behind(end int, caret, final bool) (more int, defines, known bool) {
	after := s.rest[end:]
	if !final && (after == "" || !utf8.FullRuneInString(after)) {
		return 0, false, false
	}
	switch {
	case !s.indented && caret && (strings.HasPrefix(after, ":") || strings.HasPrefix(after, "：")):
		return 1 + continuation(after), true, true
	case !s.indented && strings.HasPrefix(after, ":"):
		to := strings.TrimLeft(after[1:], " \t")
		if !final && len(to) < len("https://") && !strings.Contains(to, "\n") {
			return 0, false, false
		}
		return 0, strings.HasPrefix(to, "http://") || strings.HasPrefix(to, "https://") || strings.HasPrefix(to, "<http"), true
	case strings.HasPrefix(after, "("):
		i := strings.IndexAny(after, ") \t\r\n")
		if i < 0 && !final && len(after) <= maxTarget {
			return 0, false, false
		}
		if i > 0 && i <= maxTarget && after[i] == ')' && isTarget(after[1:i]) {
			return i + 1, false, true
		}
	}
	return 0, false, true
}

// isTarget tells whether what stands in parentheses behind a marker is where a link leads. Models make them up.
func isTarget(s string) bool {
	for _, start := range []string{"http://", "https://", "www.", "#", "/", "./"} {
		if strings.HasPrefix(s, start) {
			return true
		}
	}
	return false
}

// isIndex tells whether brackets with a number stand behind a variable's name: a[1], my_list[2], data[0], grid[0][1]. A word of prose may have its marker right behind it.
func (s *scanner) isIndex(numbers []int) bool {
	if s.indexed {
		return true
	}
	from := len(s.tail)
	for from > 0 && isNameByte(s.tail[from-1]) {
		from--
	}
	name := s.tail[from:]
	switch {
	case name == "":
		return false
	case strings.Contains(name, "_"), len(numbers) == 1 && numbers[0] == 0:
		return true
	case len(name) > 1 || name[0] < 'a':
		return false
	}
	return from == 0 || strings.IndexByte(" \t\n=+-*/(,{<>&|!;:", s.tail[from-1]) >= 0
}

func isNameByte(b byte) bool {
	return b == '_' || b >= '0' && b <= '9' || b|0x20 >= 'a' && b|0x20 <= 'z'
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
