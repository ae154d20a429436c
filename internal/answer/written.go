package answer

import (
	"errors"
	"regexp"
	"strings"
	"unicode"

	"footnote/internal/rag"
	"footnote/internal/text"
)

// Bounds of what is taken of a model, in bytes: one that does not stop is stopped; thoughts are cut.
const (
	maxAnswerBytes   = 32 << 10
	maxThinkingBytes = 16 << 10
)

var errTooLong = errors.New("the answer is too long")

// written takes what a model writes, piece by piece, and says what of it is an answer: without invisible characters, without the fence of the prompt, and without the word
// by which it refuses.
type written struct {
	w       *writer
	markers *markers
	sieve   sieve

	notes   []footnote
	begun   bool // the model has written something, or thought
	opened  bool // and it is no refusal
	opening string
	refused bool
	cut     bool
	size    int
}

func newWritten(w *writer, passages int, fence string) *written {
	t := &written{w: w, sieve: sieve{fence: fence}}
	w.notes = nil // of a model that was asked before
	t.markers = &markers{passages: passages, say: w.say}
	t.markers.footnote = func(marker, passage int) error {
		t.notes = append(t.notes, footnote{marker, passage, text.Len(w.answer.Text)})
		w.notes = t.notes
		return nil
	}
	return t
}

// take takes the next piece.
func (t *written) take(d rag.Delta) error {
	if d.Usage != nil {
		t.w.answer.Usage = *d.Usage
	}
	if d.Thinking != "" {
		t.begun = true
		t.think(d.Thinking)
	}
	t.cut = t.cut || d.Cut
	if d.Text == "" {
		return nil
	}
	t.begun = true
	if t.size += len(d.Text); t.size > maxAnswerBytes {
		return errTooLong
	}
	piece := visible(d.Text)
	if t.opened {
		return t.pass(piece)
	}
	// The refusal is one word: nothing is said before it is clear that this is not it.
	t.opening += piece
	if mayRefuse(t.opening) {
		return nil
	}
	t.opened = true
	return t.pass(strings.TrimLeftFunc(t.opening, unicode.IsSpace))
}

func (t *written) think(s string) {
	a := t.w.answer
	if room := maxThinkingBytes - len(a.Thinking); room > 0 {
		if len(s) > room {
			s = strings.ToValidUTF8(s[:room], "") + "…"
		}
		a.Thinking += s
	}
}

func (t *written) pass(s string) error {
	return t.markers.write(t.sieve.write(s))
}

// end says what was held back.
func (t *written) end() error {
	if !t.opened {
		if t.refused = refusalOnly(t.opening); t.refused {
			return nil
		}
		t.opened = true
		if err := t.pass(strings.TrimSpace(t.opening)); err != nil {
			return err
		}
	}
	if err := t.markers.write(t.sieve.end()); err != nil {
		return err
	}
	t.refused = t.sieve.refused
	return t.markers.close()
}

// visible leaves out what nobody sees and what changes how the rest is read: control characters, byte order marks, zero-width spaces and joins of words, and the marks that turn the
// direction of writing. The joiners of emoji and of Persian stay.
func visible(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return r
		case r < ' ' || r >= 0x7F && r < 0xA0, r == 0xFEFF, r == 0x200B, r == 0x2060, r >= 0x202A && r <= 0x202E, r >= 0x2066 && r <= 0x2069, r >= 0xE0000 && r <= 0xE007F:
			return -1
		}
		return r
	}, s)
}

// sieve leaves two things out that are never part of an answer, wherever they stand and however they are cut into pieces: the tags of the fence and the word of refusal.
type sieve struct {
	fence   string
	held    string
	refused bool
}

var refusalWord = regexp.MustCompile(`NOT\\?_IN\\?_DOCUMENTS`)

// maxTag bounds a tag of the fence, in bytes.
const maxTag = 64

func (s *sieve) write(piece string) string {
	s.held += piece
	s.held = s.clean(s.held)
	// What may become one of the two is held back.
	for i := max(0, len(s.held)-maxTag); i < len(s.held); i++ {
		if s.mayBegin(s.held[i:]) {
			out := s.held[:i]
			s.held = s.held[i:]
			return out
		}
	}
	out := s.held
	s.held = ""
	return out
}

func (s *sieve) clean(text string) string {
	if s.fence != "" {
		for {
			at := strings.Index(text, "passage-"+s.fence)
			if at < 0 {
				break
			}
			from := len(strings.TrimSuffix(strings.TrimSuffix(text[:at], "/"), "<"))
			if from == at || text[from] != '<' {
				text = text[:at] + text[at+len("passage-"+s.fence):] // the mark alone
				continue
			}
			end := strings.IndexByte(text[at:], '>')
			switch {
			case end >= 0 && end < maxTag:
				text = text[:from] + text[at+end+1:]
			case end < 0 && len(text)-at < maxTag:
				return text // it may still be closed
			default:
				text = text[:from] + text[at+len("passage-"+s.fence):]
			}
		}
	}
	if refusalWord.MatchString(text) {
		s.refused = true
		text = refusalWord.ReplaceAllString(text, "")
	}
	return text
}

func (s *sieve) mayBegin(tail string) bool {
	if s.fence != "" {
		for _, lead := range []string{"</", "<", ""} {
			tag := lead + "passage-" + s.fence
			if strings.HasPrefix(tag, tail) || strings.HasPrefix(tail, tag) {
				return true
			}
		}
	}
	return strings.HasPrefix(notThere, strings.ReplaceAll(tail, `\`, ""))
}

// end is what was held back.
func (s *sieve) end() string {
	out := s.clean(s.held)
	s.held = ""
	if s.fence != "" {
		if at := strings.Index(out, "passage-"+s.fence); at >= 0 { // a tag that was cut off
			rest := out[at+len("passage-"+s.fence):]
			rest = strings.TrimLeft(strings.TrimPrefix(strings.TrimPrefix(rest, " number"), "="), "\"0123456789")
			out = strings.TrimSuffix(strings.TrimSuffix(out[:at], "/"), "<") + rest
		}
		for n := len(s.fence) - 1; n > 0; n-- { // or even in its mark
			if body, ok := strings.CutSuffix(out, "passage-"+s.fence[:n]); ok {
				return strings.TrimSuffix(strings.TrimSuffix(body, "/"), "<")
			}
		}
	}
	return out
}
