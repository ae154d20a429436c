package answer

import (
	"cmp"
	"fmt"
	"slices"

	"footnote/internal/rag"
	"footnote/internal/text"
)

// ground ties each claim of a written answer to its sources, scores it and says how the answer stands. notes are in the order of the text.
func (w *writer) ground(notes []footnote) error {
	w.marks = spansOf(notes)
	w.parts = segment(w.answer.Text, w.marks)
	spans, a := w.toAttribute(w.parts, notes, owners(w.parts, notes))
	var known [][]tie
	if w.live != nil {
		known = w.live.ties
		a = a.from(len(known))
	}
	ties, degraded, err := w.attribute(w.ctx, a)
	if err != nil {
		return err
	}
	if degraded && !slices.Contains(w.answer.Degraded, "judge") {
		w.answer.Degraded = append(slices.Clone(w.answer.Degraded), "judge")
	}
	if err := w.citeAll(spans, slices.Concat(known, ties), len(notes)); err != nil {
		return err
	}
	return w.conclude(w.parts)
}

// spansOf are the spans of the markers in the text.
func spansOf(notes []footnote) []rag.Span {
	marks := make([]rag.Span, len(notes))
	for i, n := range notes {
		marks[i] = rag.Span{Start: n.at, End: n.at + len("[]") + len(itoa(n.marker))}
	}
	return marks
}

// toAttribute is what to ask about the claims among parts, and their spans. owner has the part of each note.
func (w *writer) toAttribute(parts []part, notes []footnote, owner []int) ([]rag.Span, attribution) {
	a := attribution{passages: w.answer.Passages, most: 1, verify: w.question.Verify, near: func(int) []int { return indices(len(w.answer.Passages)) }}
	runes := []rune(blank(w.answer.Text, spansOf(notes)))
	var spans []rag.Span
	place := make([]int, len(parts)) // of a part among the claims
	for i, p := range parts {
		if p.claim {
			place[i] = len(spans)
			spans = append(spans, p.span)
			a.claims = append(a.claims, p.statement(runes[p.span.Start:p.span.End]))
		}
	}
	a.marked = make([][]mark, len(spans))
	for i, n := range notes {
		if o := owner[i]; o >= 0 && o < len(parts) {
			a.marked[place[o]] = append(a.marked[place[o]], mark{n.marker, n.passage - 1})
		}
	}
	return spans, a
}

// citeAll makes the claims and their citations: first those of markers, then those that code found, whose numbers go on from last.
func (w *writer) citeAll(spans []rag.Span, ties [][]tie, last int) error {
	type place struct{ claim, tie, marker int }
	var order []place
	for i, ts := range ties {
		for j, t := range ts {
			order = append(order, place{i, j, t.marker})
		}
	}
	for i := range order {
		if order[i].marker == 0 {
			last++
			order[i].marker = last
		}
	}
	slices.SortFunc(order, func(a, b place) int { return cmp.Compare(a.marker, b.marker) })
	markers, verified := make([][]int, len(ties)), make([][]bool, len(ties))
	for i, ts := range ties {
		markers[i], verified[i] = make([]int, len(ts)), make([]bool, len(ts))
	}
	for _, p := range order {
		t := ties[p.claim][p.tie]
		c, err := w.cite(p.marker, w.answer.Passages[t.passage], spans[p.claim], t.alignment, by(t))
		if err != nil {
			return err
		}
		markers[p.claim][p.tie], verified[p.claim][p.tie] = c.Marker, c.Verified
	}
	for i, ts := range ties {
		w.answer.Claims = append(w.answer.Claims, claimOf(spans[i], ts, markers[i], verified[i], w.question.Verify))
	}
	return nil
}

// conclude says how far the answer is borne out.
func (w *writer) conclude(parts []part) error {
	a := w.answer
	supported, uncited := 0, 0
	for _, c := range a.Claims {
		if c.Verdict == rag.VerdictSupported {
			supported++
		}
		if len(c.Citations) == 0 {
			uncited++
		}
	}
	a.Status, a.Reason = rag.Partial, ""
	switch n := len(a.Claims); {
	case n == 0 && slices.ContainsFunc(parts, func(p part) bool { return silent(text.Slice(a.Text, p.span.Start, p.span.End)) }):
		return w.abstain("The language model found no answer in the passages.")
	case n == 0:
		a.Reason = "The answer says nothing that can be checked."
	case w.question.Verify == rag.VerifyOff && uncited > 0:
		a.Reason = fmt.Sprintf("%d of %d claims cite no passage, and with verify=off no source was looked for.", uncited, n)
	case w.question.Verify == rag.VerifyOff, supported == n:
		a.Status = rag.Answered
	case supported == 0:
		a.Reason = "No claim of the answer is fully borne out by the passages; each claim's verdict says how it stands."
	default:
		a.Reason = fmt.Sprintf("%d of %d claims are not fully borne out by the passages; each claim's verdict says which.", n-supported, n)
	}
	w.concluded = a.Reason
	return nil
}

// owners finds the part that each marker speaks for, and makes it a claim: the one that it stands in or behind; of a lead-in, a heading or the name of a row
// the first claim that is about it. -1 when there is no part at all.
func owners(parts []part, notes []footnote) []int {
	out := make([]int, len(notes))
	for i, n := range notes {
		in := slices.IndexFunc(parts, func(p part) bool { return n.at >= p.span.Start && n.at < p.span.End })
		if in < 0 {
			if in = lastBefore(parts, n.at); in < 0 && len(parts) > 0 {
				in = 0
			}
		}
		if in >= 0 && !parts[in].claim {
			if c := governed(parts, in); c >= 0 {
				in = c
			}
			parts[in].claim = true
		}
		out[i] = in
	}
	return out
}

// lastBefore is the last claim before a place, or, without one, the last part; -1 when there is neither.
func lastBefore(parts []part, at int) int {
	claim, last := -1, -1
	for i, p := range parts {
		if p.span.End > at {
			break
		}
		last = i
		if p.claim {
			claim = i
		}
	}
	if claim >= 0 {
		return claim
	}
	return last
}

// governed is the first claim that a part without a claim is about; -1 when there is none.
func governed(parts []part, i int) int {
	for j := i + 1; j < len(parts); j++ {
		p := parts[j]
		switch parts[i].kind {
		case headingPart:
			if p.kind == headingPart {
				return -1
			}
		case leadPart, labelPart:
			if p.block != parts[i].block {
				return -1
			}
		default:
			return -1
		}
		if p.claim {
			return j
		}
	}
	return -1
}

func indices(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}
