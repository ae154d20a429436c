package answer

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"footnote/internal/rag"
	"footnote/internal/text"
)

// allowed reports an Invalid error for a way of checking that cannot be had.
func (s *Service) allowed(v rag.Verify, p rag.Policy) error {
	switch {
	case v == rag.VerifyJudge && s.o.Judge == nil:
		return rag.FieldErrorf("/verify", "verify=judge needs a judge: set FOOTNOTE_LLM_BASE_URL and FOOTNOTE_LLM_MODEL, or FOOTNOTE_JUDGE=endpoint and FOOTNOTE_JUDGE_BASE_URL.")
	case v == rag.VerifyOff && (p == rag.PolicyDrop || p == rag.PolicyStrict):
		return rag.FieldErrorf("/policy", "policy=%s needs claims that are checked, and verify is off; ask for verify=fast.", p)
	}
	return nil
}

// held runs write with nothing said until the policy has been applied, where there is one that can take words back; then all of it is said, claim by claim. Readers of a stream of what a
// model writes get a claim as soon as it is checked, unless a judge is asked, who would keep the model waiting, or one claim decides about the whole.
func (w *writer) held(write func() error) error {
	if w.question.Policy != rag.PolicyDrop && w.question.Policy != rag.PolicyStrict {
		return write()
	}
	emit, streaming := w.emit, w.streaming
	w.emit, w.streaming = func(rag.Event) error { return nil }, false
	if streaming && w.o.Chat != nil && w.question.Policy == rag.PolicyDrop && w.question.Verify != rag.VerifyJudge {
		w.live = &live{writer: w, say: func(delta string) error {
			w.streaming = true
			return emit(rag.Event{Kind: rag.EventDelta, Delta: delta})
		}}
	}
	if err := write(); err != nil {
		return err
	}
	if err := w.apply(); err != nil {
		return err
	}
	w.emit, w.streaming = emit, streaming
	return w.release()
}

// apply leaves out what nothing bears out, or withholds the answer.
func (w *writer) apply() error {
	a := w.answer
	if a.Status == rag.Abstained {
		return nil
	}
	wrong, supported := 0, 0
	for _, c := range a.Claims {
		switch {
		case c.Verdict == rag.VerdictSupported:
			supported++
		case bad(c.Verdict):
			wrong++
		}
	}
	n := len(a.Claims)
	switch {
	case n == 0:
		return w.withhold("The answer that was written says nothing that can be checked, so it is withheld.")
	case supported == 0:
		return w.withhold(fmt.Sprintf("None of the %d claims of the answer that was written is fully borne out by the passages, so it is withheld.", n))
	case wrong > 0 && w.question.Policy == rag.PolicyStrict:
		return w.withhold(fmt.Sprintf("%d of the %d claims of the answer that was written are not borne out by the passages, so all of it is withheld (policy=strict).", wrong, n))
	case wrong > 0:
		w.drop()
		rest := strings.TrimPrefix(a.Reason, w.concluded) // such as that the model was stopped
		a.Status, a.Reason = rag.Partial, fmt.Sprintf("%d of %d claims were left out, because no passage bears them out.", wrong, n)+rest
	}
	return nil
}

// withhold takes the answer back.
func (w *writer) withhold(reason string) error {
	w.answer.Text, w.answer.Claims, w.answer.Citations = "", nil, nil
	return w.abstain(reason)
}

// release says the answer: each claim with what stands before it, then its citations.
func (w *writer) release() error {
	runes := []rune(w.answer.Text)
	said, cited := 0, 0
	if w.live != nil {
		if !strings.HasPrefix(w.answer.Text, w.live.said) {
			return rag.Errorf(rag.Internal, "What was streamed is not how the answer begins.")
		}
		said = text.Len(w.live.said)
	}
	say := func(to int) error {
		if to <= said {
			return nil
		}
		delta := string(runes[said:to])
		said = to
		return w.emit(rag.Event{Kind: rag.EventDelta, Delta: delta})
	}
	for _, c := range w.answer.Claims {
		if err := say(c.Span.End); err != nil {
			return err
		}
		for ; cited < len(w.answer.Citations) && w.answer.Citations[cited].AnswerSpan.End <= said; cited++ {
			if err := w.emit(rag.Event{Kind: rag.EventCitation, Citation: &w.answer.Citations[cited]}); err != nil {
				return err
			}
		}
	}
	if err := say(len(runes)); err != nil {
		return err
	}
	for ; cited < len(w.answer.Citations); cited++ {
		if err := w.emit(rag.Event{Kind: rag.EventCitation, Citation: &w.answer.Citations[cited]}); err != nil {
			return err
		}
	}
	return nil
}

// drop cuts the claims out that nothing bears out, with their markers and citations, and what was there for them alone: the rest of an empty list item or row, the
// lead-in of a list, a heading. Spans, markers and citations are those of what is left.
func (w *writer) drop() {
	a := w.answer
	parts, marks := w.parts, map[int]rag.Span{}
	for i, m := range w.marks {
		marks[i+1] = m
	}
	if parts == nil { // extracted: sentences are claims, with their markers at their ends
		x := text.NewIndex(a.Text)
		for _, c := range a.Claims {
			parts = append(parts, part{span: c.Span, line: c.Span, claim: true})
			for _, m := range c.Citations {
				if i := strings.LastIndex(x.Slice(c.Span), "["+itoa(m)+"]"); i >= 0 {
					start := x.Rune(x.Byte(c.Span.Start) + i)
					marks[m] = rag.Span{Start: start, End: start + len("[]") + len(itoa(m))}
				}
			}
		}
	}
	gone, orphans := map[rag.Span]bool{}, map[int]bool{} // orphans are the markers of claims that go
	for _, c := range a.Claims {
		if bad(c.Verdict) {
			gone[c.Span] = true
			for _, m := range c.Citations {
				orphans[m] = true
			}
		}
	}
	left, at, number := cutOut(a.Text, parts, marks, gone, orphans)
	last := len(number)
	for _, c := range a.Citations {
		if c.Attribution == rag.AttributionAligned && !orphans[c.Marker] {
			last++
			number[c.Marker] = last
		}
	}
	a.Text = left
	kept := []rag.Claim{}
	for _, c := range a.Claims {
		if bad(c.Verdict) {
			continue
		}
		c.Span = at(c.Span)
		c.Citations = slices.Clone(c.Citations)
		for i, m := range c.Citations {
			c.Citations[i] = number[m]
		}
		c.Mismatches = slices.Clone(c.Mismatches)
		for i := range c.Mismatches {
			c.Mismatches[i].ClaimSpan = at(c.Mismatches[i].ClaimSpan)
		}
		kept = append(kept, c)
	}
	citations := []rag.Citation{}
	for _, c := range a.Citations {
		if n := number[c.Marker]; n > 0 {
			c.Marker, c.AnswerSpan = n, at(c.AnswerSpan)
			citations = append(citations, c)
		}
	}
	a.Claims, a.Citations = kept, citations
}

func bad(v rag.Verdict) bool { return v == rag.VerdictUnsupported || v == rag.VerdictContradicted }

// cutOut is what is left of a text without the claims that are gone and the markers that are orphans, where spans of it have gone, and the new number of each marker
// that is left. marks has the markers' spans by their numbers.
func cutOut(s string, parts []part, marks map[int]rag.Span, gone map[rag.Span]bool, orphans map[int]bool) (left string, at func(rag.Span) rag.Span, number map[int]int) {
	e := newExcision(s)
	e.parts(parts, func(p part) bool { return gone[p.span] })
	number = map[int]int{}
	for _, m := range slices.Sorted(maps.Keys(marks)) {
		switch span := marks[m]; {
		case orphans[m]:
			e.cut(span)
		case e.keeps(span.Start):
			number[m] = len(number) + 1
			e.replace(span, "["+itoa(number[m])+"]")
		}
	}
	left, at = e.done()
	return left, at, number
}
