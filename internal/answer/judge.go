package answer

import (
	"context"
	"slices"
	"strings"
	"time"

	"footnote/internal/rag"
	"footnote/internal/text"
)

// Judge says what sources do for claims: a language model, or a model of textual entailment.
type Judge interface {
	// Judge returns one judgement for each case, in their order. With an error those that could not be had are zero.
	Judge(ctx context.Context, cases []rag.JudgeCase) ([]rag.Judgement, error)
}

// judgedSource is how much of a passage around its span a judge reads, in code points each way: a chunk whole, and of a long passage what fits a small model.
const judgedSource = 1500

// consult asks the judge about every tie that code leaves open, and about the best of each claim that code found, whatever it thinks of it. An outage
// leaves what code says.
func (s *Service) consult(ctx context.Context, a attribution, named, found [][]tie) (degraded bool, err error) {
	started := time.Now()
	defer func() { s.o.Observe("judge", time.Since(started)) }()
	var cases []rag.JudgeCase
	var about []*tie
	var claims []int
	for i := range a.claims {
		asked := make([]*tie, 0, len(named[i])+1)
		for j := range named[i] {
			asked = append(asked, &named[i][j])
		}
		for j := range found[i] {
			if j == 0 || j < a.most && found[i][j].Verdict == rag.VerdictSupported {
				asked = append(asked, &found[i][j])
			}
		}
		for _, t := range asked {
			if settled(t.alignment) {
				continue
			}
			cases = append(cases, rag.JudgeCase{Claim: strings.Join(strings.Fields(a.claims[i].Text), " "), Source: readBy(a.passages[t.passage], t.Source)})
			about, claims = append(about, t), append(claims, i)
		}
	}
	if len(cases) == 0 {
		return false, nil
	}
	judgements, err := s.o.Judge.Judge(ctx, cases)
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	if err != nil {
		degraded = true
		s.o.Logger.Warn("the judge failed, and code alone has scored", "error", err, "cases", len(cases))
	}
	for i, j := range judgements {
		if i < len(about) {
			about[i].alignment = judged(about[i].alignment, j, a.passages[about[i].passage].Hit.Chunk, a.claims[claims[i]])
		}
	}
	return degraded, nil
}

// settled tells a contradiction that no judge overrules: numbers, units, dates and negations are compared as such.
func settled(a alignment) bool {
	return a.Verdict == rag.VerdictContradicted && slices.ContainsFunc(a.Mismatches, func(m rag.Mismatch) bool {
		return m.Kind == rag.MismatchNumber || m.Kind == rag.MismatchUnit || m.Kind == rag.MismatchDate || m.Kind == rag.MismatchNegation
	})
}

// readBy is what a judge reads of a passage: its headings and context, and its text around a span.
func readBy(p rag.Passage, around rag.Span) string {
	c := p.Hit.Chunk
	from, to := max(around.Start-judgedSource, c.Span.Start), min(around.End+judgedSource, c.Span.End)
	return rag.EmbeddedText(p.Hit.Document.Title, c.HeadingPath, c.Context, inChunk(c, rag.Span{Start: from, End: to}))
}

// judged is what code and judge say together. Where they agree it stands; where one sees support and the other does not, it is weak. The judge alone can show
// support, or a contradiction, by quoting words that stand in the source; words that do not stand there are no evidence, and its judgement is dropped.
// A judge that does not quote is taken at its word about the span that code found.
func judged(a alignment, j rag.Judgement, c rag.Chunk, claim statement) alignment {
	quoted := a.Source
	if j.Quote != "" {
		i := strings.Index(c.Text, j.Quote)
		if i < 0 {
			return a
		}
		start := c.Span.Start + text.Len(c.Text[:i])
		quoted = rag.Span{Start: start, End: start + text.Len(j.Quote)}
	}
	switch {
	case j.Relation == rag.Entailed && a.Verdict == rag.VerdictContradicted:
		a.Support, a.Verdict, a.Mismatches = clampSupport(max(a.Support, j.Confidence), weakFrom, supportedFrom), rag.VerdictWeak, nil
	case j.Relation == rag.Entailed && a.Verdict != rag.VerdictSupported:
		a.Source, a.Support, a.Verdict = quoted, clampSupport(max(a.Support, j.Confidence), supportedFrom, 1), rag.VerdictSupported
	case j.Relation == rag.Entailed:
		a.Support = max(a.Support, (a.Support+j.Confidence)/2)
	case j.Relation == rag.Denied && a.Verdict != rag.VerdictContradicted:
		a.Source, a.Support, a.Verdict = quoted, clampSupport(a.Support, 0, weakFrom), rag.VerdictContradicted
		a.Mismatches = []rag.Mismatch{{Kind: rag.MismatchJudged, Claim: strings.TrimSpace(text.Slice(claim.Text, 0, claim.Span.Len())), Source: inChunk(c, quoted), ClaimSpan: claim.Span, SourceSpan: quoted}}
	case j.Relation == rag.NotStated && a.Verdict == rag.VerdictSupported:
		a.Support, a.Verdict = clampSupport(a.Support, weakFrom, supportedFrom), rag.VerdictWeak
	case j.Relation == rag.NotStated && a.Verdict == rag.VerdictWeak:
		a.Support, a.Verdict = clampSupport(a.Support, 0, weakFrom), rag.VerdictUnsupported
	}
	return a
}

// clampSupport keeps a support inside the range of its verdict: from and on, but below to unless that is 1.
func clampSupport(support, from, to float64) float64 {
	if to < 1 {
		to -= 0.01
	}
	return min(max(support, from), to)
}
