package answer

import "strings"

// What no marker is looked for in: code, maths, and the definitions of footnotes. Each function gives the length of the next piece of it, 0 where more must come.

// code is the length of what begins with backticks or tildes: the first line of a block, code in a line, or, when nothing closes it, the backticks alone.
func (s *scanner) code(final bool) int {
	run := len(s.rest) - len(strings.TrimLeft(s.rest, s.rest[:1]))
	if run == len(s.rest) && !final {
		return 0
	}
	if !s.indented && run >= 3 {
		line, _, whole := strings.Cut(s.rest, "\n")
		if !whole && !final && len(line) <= maxQuoted {
			return 0
		}
		if line = line[:min(len(line), maxQuoted)]; !strings.Contains(line[min(run, len(line)):], "`") {
			s.fence = s.rest[:run]
			return min(len(line)+1, len(s.rest))
		}
	}
	if s.rest[0] == '~' {
		return run
	}
	for i := run; i < len(s.rest); {
		switch {
		case i > maxQuoted || strings.HasPrefix(s.rest[i:], "\n\n"):
			return run
		case s.rest[i] != '`':
			i++
			continue
		}
		n := len(s.rest[i:]) - len(strings.TrimLeft(s.rest[i:], "`"))
		switch {
		case i+n == len(s.rest) && !final:
			return 0
		case n == run:
			return i + n
		}
		i += n
	}
	if final {
		return run
	}
	return 0
}

// fenced is the length of a line of a block of code, or of what has come of one that cannot be its last.
func (s *scanner) fenced(final bool) int {
	line, _, whole := strings.Cut(s.rest, "\n")
	bare := strings.TrimSpace(line)
	closes := !s.indented && len(bare) >= len(s.fence) && strings.Trim(bare, s.fence[:1]) == ""
	switch {
	case whole || final:
		if closes {
			s.fence = ""
		}
		return min(len(line)+1, len(s.rest))
	case !s.indented && strings.Trim(bare, s.fence[:1]) == "":
		return 0 // it may yet close
	}
	return completeRunes(s.rest)
}

// maths is the length of a formula between dollar signs, or of a dollar sign. As in Pandoc, what opens has no space behind it, and what closes none before it and no digit
// behind it; an amount of money with words after it opens nothing.
func (s *scanner) maths(final bool) int {
	if len(s.rest) == 1 && !final {
		return 0
	}
	if strings.HasPrefix(s.rest, "$$") {
		return s.until("$$", 2, final)
	}
	for i := 1; i < len(s.rest); i++ {
		switch c := s.rest[i]; {
		case c == '\n' || i > maxMaths || i == 1 && (c == ' ' || c == '\t'):
			return 1
		case c != '$' || i == 1 || s.rest[i-1] == ' ':
			continue
		}
		if i+1 == len(s.rest) && !final {
			return 0
		}
		if i+1 < len(s.rest) && s.rest[i+1] >= '0' && s.rest[i+1] <= '9' {
			continue
		}
		if inner := s.rest[1:i]; inner[0] >= '0' && inner[0] <= '9' && strings.Contains(inner, " ") && !strings.Contains(inner, `\`) {
			return 1
		}
		return i + 1
	}
	if final {
		return 1
	}
	return 0
}

// escaped is the length of what begins with a backslash: maths in \( \) or \[ \], where \[1\] is a marker with its brackets escaped, or an escaped mark.
func (s *scanner) escaped(final bool) (int, piece) {
	if len(s.rest) == 1 && !final {
		return 0, piece{}
	}
	switch {
	case strings.HasPrefix(s.rest, `\(`):
		return s.until(`\)`, 2, final), piece{}
	case strings.HasPrefix(s.rest, `\[`):
		n := s.until(`\]`, 2, final)
		if n > 4 {
			if passages, ok := parseMarker(s.rest[2 : n-2]); ok {
				return n, piece{kind: markerPiece, passages: passages}
			}
		}
		return n, piece{}
	case strings.HasPrefix(s.rest, "\\`"), strings.HasPrefix(s.rest, `\$`):
		return 2, piece{}
	}
	return 1, piece{}
}

// until is the length up to and with what closes; open when nothing does before a blank line.
func (s *scanner) until(closer string, open int, final bool) int {
	body := s.rest[open:]
	end, gap := strings.Index(body, closer), strings.Index(body, "\n\n")
	switch {
	case end >= 0 && (gap < 0 || end < gap) && end <= maxQuoted:
		return open + end + len(closer)
	case gap >= 0 || final || len(body) > maxQuoted+len(closer):
		return open
	}
	return 0
}

// definition is the length of what is left of a line of a footnote's definition.
func (s *scanner) definition() int {
	if i := strings.IndexByte(s.rest, '\n'); i >= 0 {
		return i + 1
	}
	return len(s.rest)
}
