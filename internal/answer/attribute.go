package answer

import (
	"cmp"
	"context"
	"math"
	"slices"

	"footnote/internal/rag"
	"footnote/internal/text"
)

// mark is a footnote that an author set: its number and the index of the passage that it names.
type mark struct{ number, passage int }

// tie binds a claim to a passage.
type tie struct {
	passage int  // its index
	marker  int  // the author's footnote; 0: code found the passage
	foreign bool // it is in another language than the claim
	alignment
}

// attribution asks which passages bear claims out.
type attribution struct {
	claims   []statement
	passages []rag.Passage
	marked   [][]mark              // by claim: what its author names
	near     func(claim int) []int // indices of the passages that may bear a claim out that those named do not
	most     int                   // ties of a claim that code finds
	verify   rag.Verify
}

// from is what is asked about the claims from n on; near must not depend on the claim.
func (a attribution) from(n int) attribution {
	a.claims, a.marked = a.claims[min(n, len(a.claims)):], a.marked[min(n, len(a.marked)):]
	return a
}

// attribute ties each claim to the passages that its author names, and, where none of them supports it, to the one that does so best. Of passages that nobody named, what
// supports a claim goes before what contradicts it, and that before what is only near; one that says nothing of it is no source. When the author named
// passages, another is added only if it supports the claim. With VerifyOff nothing is looked for, and nothing scored.
// The ties of a claim are in the order of its markers, those that code found last. degraded says that the judge failed, in part at least.
func (s *Service) attribute(ctx context.Context, a attribution) (ties [][]tie, degraded bool, err error) {
	ties = make([][]tie, len(a.claims))
	found := make([][]tie, len(a.claims))
	var pairs []pair
	for i, marked := range a.marked {
		for _, m := range marked {
			ties[i] = append(ties[i], tie{passage: m.passage, marker: m.number})
			pairs = append(pairs, pair{i, m.passage})
		}
		if len(marked) == 0 && a.verify != rag.VerifyOff {
			for _, p := range a.near(i) {
				found[i] = append(found[i], tie{passage: p})
				pairs = append(pairs, pair{i, p})
			}
		}
	}
	next, err := s.aligned(ctx, a, pairs)
	if err != nil {
		return nil, false, err
	}
	languages := map[int]string{}
	foreign := func(claim, passage int) bool {
		if _, ok := languages[passage]; !ok {
			languages[passage] = text.Language(a.passages[passage].Hit.Chunk.Text)
		}
		return text.Language(a.claims[claim].Text) != languages[passage]
	}
	for i := range ties {
		for _, t := range [][]tie{ties[i], found[i]} {
			for j := range t {
				t[j].alignment, t[j].foreign = next(), foreign(i, t[j].passage)
			}
		}
	}
	if a.verify == rag.VerifyOff {
		for _, t := range ties {
			for j := range t {
				t[j].Support, t[j].Verdict, t[j].Mismatches = 0, rag.VerdictUnchecked, nil
			}
		}
		return ties, false, nil
	}
	// What its author's passages do not support, another may.
	pairs = nil
	for i, marked := range a.marked {
		if len(marked) == 0 || supports(ties[i]) {
			continue
		}
		for _, p := range a.near(i) {
			if !slices.ContainsFunc(ties[i], func(t tie) bool { return t.passage == p }) {
				found[i] = append(found[i], tie{passage: p})
				pairs = append(pairs, pair{i, p})
			}
		}
	}
	if next, err = s.aligned(ctx, a, pairs); err != nil {
		return nil, false, err
	}
	for _, p := range pairs {
		for j, t := range found[p.statement] {
			if t.passage == p.passage {
				found[p.statement][j].alignment, found[p.statement][j].foreign = next(), foreign(p.statement, p.passage)
			}
		}
	}
	for i := range found {
		slices.SortStableFunc(found[i], func(x, y tie) int { return compareTies(y, x) })
		found[i] = distinct(a.passages, ties[i], found[i])
	}
	if a.verify == rag.VerifyJudge {
		if degraded, err = s.consult(ctx, a, ties, found); err != nil {
			return nil, false, err
		}
	}
	for i := range ties {
		slices.SortStableFunc(found[i], func(x, y tie) int { return compareTies(y, x) })
		ties[i] = append(ties[i], chosen(ties[i], found[i], a.most)...)
	}
	return ties, degraded, nil
}

// aligned aligns pairs and hands the alignments out in their order. Mismatches in the words that a claim's context adds are put down to the whole claim.
func (s *Service) aligned(ctx context.Context, a attribution, pairs []pair) (next func() alignment, err error) {
	all, err := s.align(ctx, a.claims, a.passages, pairs)
	if err != nil {
		return nil, err
	}
	for i := range all {
		// Four places say all there is to say, and hide in which order floats were added up.
		all[i].Support = math.Floor(all[i].Support*1e4+1e-6) / 1e4
		whole := a.claims[pairs[i].statement].Span
		for j := range all[i].Mismatches {
			m := &all[i].Mismatches[j]
			if m.ClaimSpan.End = min(m.ClaimSpan.End, whole.End); m.ClaimSpan.Empty() || m.ClaimSpan.Start < whole.Start {
				m.ClaimSpan = whole
			}
		}
	}
	i := -1
	return func() alignment { i++; return all[i] }, nil
}

func supports(ties []tie) bool {
	return slices.ContainsFunc(ties, func(t tie) bool { return t.Verdict == rag.VerdictSupported })
}

// rank orders ties by how much they say of a claim. Across languages only vectors compare, and they see neither a negation nor who does what to whom: what contradicts a claim in its own
// language is not outweighed by what supports it in another.
func rank(t tie) int {
	switch {
	case t.Verdict == rag.VerdictSupported && !t.foreign:
		return 4
	case t.Verdict == rag.VerdictContradicted:
		return 3
	case t.Verdict == rag.VerdictSupported:
		return 2
	case t.Verdict == rag.VerdictWeak:
		return 1
	}
	return 0
}

func compareTies(x, y tie) int {
	return cmp.Or(cmp.Compare(rank(x), rank(y)), cmp.Compare(x.Support, y.Support))
}

// distinct leaves out of found, best first, what points at the same words as a better one or as one that is named: chunks overlap, and two claims' searches find one passage.
func distinct(passages []rag.Passage, named, found []tie) []tie {
	var out []tie
	same := func(x tie) func(tie) bool {
		return func(y tie) bool {
			dx, dy := passages[x.passage], passages[y.passage]
			if dx.Hit.Document.ID == "" || dx.Hit.Document.ID != dy.Hit.Document.ID {
				return x.passage == y.passage
			}
			return x.Source.Overlaps(y.Source)
		}
	}
	for _, t := range found {
		if !slices.ContainsFunc(named, same(t)) && !slices.ContainsFunc(out, same(t)) {
			out = append(out, t)
		}
	}
	return out
}

// chosen are those of found, best first, that become sources.
func chosen(named, found []tie, most int) []tie {
	switch {
	case len(found) == 0 || supports(named):
		return nil
	case found[0].Verdict == rag.VerdictSupported:
		n := 0
		for n < len(found) && n < most && found[n].Verdict == rag.VerdictSupported {
			n++
		}
		return found[:n]
	case len(named) > 0: // what supports may stand behind what contradicts
		i := slices.IndexFunc(found, func(t tie) bool { return t.Verdict == rag.VerdictSupported })
		if i < 0 {
			return nil
		}
		return found[i : i+1]
	case rank(found[0]) == 0:
		return nil
	}
	return found[:1]
}

// best is the tie that says most of a claim.
func best(ties []tie) (tie, bool) {
	if len(ties) == 0 {
		return tie{}, false
	}
	return slices.MaxFunc(ties, compareTies), true
}

// claimOf is a claim as its ties have it, with the markers of their citations. Ties that could not be verified prove nothing.
func claimOf(span rag.Span, ties []tie, markers []int, verified []bool, verify rag.Verify) rag.Claim {
	c := rag.Claim{Span: span, Verdict: rag.VerdictUnsupported, Citations: append([]int{}, markers...)}
	if verify == rag.VerifyOff {
		c.Verdict = rag.VerdictUnchecked
	}
	var proven []tie
	for i, t := range ties {
		if verified[i] {
			proven = append(proven, t)
		}
	}
	if b, ok := best(proven); ok {
		c.Support, c.Verdict, c.Mismatches, c.Attribution = b.Support, b.Verdict, b.Mismatches, by(b)
	} else if len(ties) > 0 {
		c.Attribution = by(ties[0])
	}
	return c
}

func by(t tie) rag.Attribution {
	if t.marker > 0 {
		return rag.AttributionMarker
	}
	return rag.AttributionAligned
}
