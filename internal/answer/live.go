package answer

import (
	"strings"
	"unicode"

	"footnote/internal/rag"
	"footnote/internal/text"
)

// lookStep is how many bytes an answer grows before it is looked at again.
const lookStep = 48

// settledBehind is how many code points, white space aside, stand behind a part whose end and kind no further text can change: what text.Sentences and segment look ahead.
const settledBehind = 48

// live checks an answer claim by claim while it is being written, and says what is kept of it. Nothing is said before a claim is supported, for without one the answer is withheld.
type live struct {
	*writer
	say func(delta string) error

	looked int     // bytes of the answer
	ties   [][]tie // of the claims that are settled
	bad    []bool  // of them
	good   bool    // one of them is supported
	said   string
}

// look checks the claims that have been settled since, and says what can be said.
func (l *live) look() error {
	a := l.answer
	if len(a.Text) < l.looked+lookStep {
		return nil
	}
	l.looked = len(a.Text)
	marks := spansOf(l.notes)
	parts := segment(a.Text, marks)
	n := fixed(parts, []rune(blank(a.Text, marks)), l.notes)
	owner := owners(parts, l.notes)
	parts = parts[:n]
	spans, q := l.toAttribute(parts, l.notes, owner)
	if len(spans) <= len(l.ties) {
		return nil
	}
	ties, _, err := l.attribute(l.ctx, q.from(len(l.ties)))
	if err != nil {
		return err
	}
	for i, ts := range ties {
		span, verified := spans[len(l.ties)], make([]bool, len(ts))
		for j, t := range ts {
			c, err := l.citation(0, a.Passages[t.passage], span, t.alignment, by(t))
			if err != nil {
				return err
			}
			verified[j] = c.Verified
		}
		claim := claimOf(span, ts, nil, verified, l.question.Verify)
		l.ties, l.bad = append(l.ties, ties[i]), append(l.bad, bad(claim.Verdict))
		l.good = l.good || claim.Verdict == rag.VerdictSupported
	}
	return l.catchUp(parts, spans, marks)
}

// catchUp says what is left of the text up to the end of the last claim that is kept.
func (l *live) catchUp(parts []part, spans, marks []rag.Span) error {
	if !l.good {
		return nil
	}
	last, gone, orphans, byNumber := rag.Span{}, map[rag.Span]bool{}, map[int]bool{}, map[int]rag.Span{}
	for i, m := range marks {
		byNumber[i+1] = m
	}
	for i, span := range spans {
		if !l.bad[i] {
			last = span
			continue
		}
		gone[span] = true
		for _, t := range l.ties[i] {
			if t.marker > 0 {
				orphans[t.marker] = true
			}
		}
	}
	left, at, _ := cutOut(l.answer.Text, parts, byNumber, gone, orphans)
	left = text.Slice(left, 0, at(last).End)
	if len(left) <= len(l.said) {
		return nil
	}
	if !strings.HasPrefix(left, l.said) {
		return rag.Errorf(rag.Internal, "What was streamed is not how the answer goes on.")
	}
	delta := left[len(l.said):]
	l.said = left
	return l.say(delta)
}

// fixed is how many of the first parts of a text stay as they are whatever is written after it. r is the text with its markers blanked.
func fixed(parts []part, r []rune, notes []footnote) int {
	limit, behind := len(r), 0
	for limit > 0 && behind < settledBehind {
		limit--
		if !unicode.IsSpace(r[limit]) {
			behind++
		}
	}
	if behind < settledBehind {
		return 0
	}
	n := 0
	for n < len(parts) && parts[n].span.End <= limit && linesKnown(r, parts[n].span.End) {
		n++
	}
	// A marker in what leads in speaks for a claim that may not be there yet.
	for _, note := range notes {
		for i, p := range parts[:n] {
			if p.claim || note.at < p.span.Start || note.at >= p.span.End || p.kind != leadPart && p.kind != labelPart && p.kind != headingPart {
				continue
			}
			if c := governed(parts, i); c < 0 || c >= n {
				n = i
				break
			}
		}
	}
	return n
}

// linesKnown tells whether the lines are whole that decide whether the one at a place is a row of a table, a title, or leads in to either.
func linesKnown(r []rune, at int) bool {
	start := at
	for start > 0 && r[start-1] != '\n' {
		start--
	}
	var lines []string // the one at the place and those after it that are not blank
	whole := 0         // of them
	for start < len(r) && len(lines) < 3 {
		end := start
		for end < len(r) && r[end] != '\n' {
			end++
		}
		if line := strings.TrimSpace(string(r[start:end])); line != "" {
			lines = append(lines, line)
			if end < len(r) {
				whole++
			}
		}
		start = end + 1
	}
	for _, line := range lines[:min(len(lines), 2)] {
		if strings.Contains(line, "|") {
			return whole == 3
		}
	}
	return whole >= 2 || len(lines) < 2 || strings.Trim(lines[1], "-=: ") != ""
}
