package llm

import "strings"

// thoughts parts what a model writes from what it thinks, where its server leaves the two in one text: <think>…</think> at the beginning of the text or of a line, with the
// tags cut anywhere between two pieces, and one inside of the other. What is still open at the end is thought, unless something was closed before: then what follows the last
// closing tag is the answer, for thoughts that speak of tags do not balance.
type thoughts struct {
	text   func(string) error
	opened bool // the text starts inside of thoughts; without a closing tag it has none

	held    string // of what may be a tag
	begun   bool
	depth   int
	closed  int             // closing tags seen
	midLine bool            // something other than white space stands before on the line
	thought strings.Builder // closed thoughts
	since   strings.Builder // since the last tag that closed something, or the beginning
}

var thinkTags = []string{"think", "thinking", "thought", "reasoning"}

// maxThoughtBytes bounds how much is kept of thoughts that are not closed.
const maxThoughtBytes = 1 << 20

// tagAt reads the tag at the beginning of s. partial: it may become one.
func tagAt(s string, closing bool) (length int, partial bool) {
	open := "<"
	if closing {
		open = "</"
	}
	for _, name := range thinkTags {
		tag := open + name + ">"
		if strings.HasPrefix(s, tag) {
			return len(tag), false
		}
		partial = partial || strings.HasPrefix(tag, s)
	}
	return 0, partial
}

// write takes the next piece.
func (t *thoughts) write(piece string) error {
	if !t.begun {
		t.begun = true
		if t.opened {
			t.depth = 1
		}
	}
	t.held += piece
	for t.held != "" {
		i := strings.IndexByte(t.held, '<')
		if i != 0 {
			if i < 0 {
				i = len(t.held)
			}
			if err := t.pass(i); err != nil {
				return err
			}
			continue
		}
		closes, maybeClosing := tagAt(t.held, true)
		opens, maybeOpening := tagAt(t.held, false)
		if t.depth == 0 && t.midLine {
			opens, maybeOpening = 0, false
		}
		switch {
		case closes > 0:
			t.close(closes)
		case opens > 0 && t.opened && t.depth == 1 && t.closed == 0 && strings.TrimSpace(t.since.String()) == "":
			t.held = t.held[opens:] // it opens what its template has opened
		case opens > 0:
			if t.depth++; t.depth > 1 {
				t.think(t.held[:opens])
			}
			t.held = t.held[opens:]
		case maybeClosing || maybeOpening:
			return nil // more may come
		default:
			if err := t.pass(1); err != nil {
				return err
			}
		}
	}
	return nil
}

// close takes a closing tag of n bytes. One that closes nothing disappears.
func (t *thoughts) close(n int) {
	tag := t.held[:n]
	t.held = t.held[n:]
	if t.depth == 0 {
		return
	}
	t.closed++
	if t.depth--; t.depth > 0 {
		t.think(tag)
	}
	t.thought.WriteString(t.since.String())
	t.since.Reset()
	t.midLine = false
}

// pass hands on the first n bytes.
func (t *thoughts) pass(n int) error {
	s := t.held[:n]
	t.held = t.held[n:]
	if t.depth > 0 {
		t.think(s)
		return nil
	}
	if i := strings.LastIndexByte(s, '\n'); i >= 0 {
		t.midLine = strings.TrimSpace(s[i:]) != ""
	} else if strings.TrimSpace(s) != "" {
		t.midLine = true
	}
	return t.text(s)
}

func (t *thoughts) think(s string) {
	if t.since.Len() < maxThoughtBytes {
		t.since.WriteString(s)
	}
}

// end says what was held back, and returns what was thought.
func (t *thoughts) end() (string, error) {
	if err := t.pass(len(t.held)); err != nil {
		return "", err
	}
	rest := t.since.String()
	if t.depth > 0 && (t.closed > 0 || t.opened) {
		t.depth = 0
		return strings.TrimSpace(t.thought.String()), t.text(rest)
	}
	return strings.TrimSpace(t.thought.String() + rest), nil
}
