package answer

import (
	"context"
	"maps"
	"math"
	"slices"

	"footnote/internal/answer/compare"
	"footnote/internal/lexical"
	"footnote/internal/rag"
	"footnote/internal/text"
)

// statement is a claim to be borne out: Text has spaces in the place of markers, so that offsets in it are those of the answer, less Span.Start.
type statement struct {
	Text string
	Span rag.Span // of the answer
}

// pair names a statement and a passage, by their indices.
type pair struct{ statement, passage int }

// alignment is how a passage stands to a statement.
type alignment struct {
	Source     rag.Span // of the document: what bears the statement out best
	Support    float64  // 0 to 1
	Verdict    rag.Verdict
	Mismatches []rag.Mismatch // of a contradicted one there is at least one

	bearing Bearing
}

// Bounds of a span.
const (
	spanSentences = 3    // neighbouring sentences that one may take in
	spanGain      = 0.15 // of the statement's terms, by rarity, that a further sentence must add
	longSentence  = 160  // code points from which on a sentence is cut to the clauses that count; a Chinese one has a third
	closeSecond   = 1.0  // z-score within which the second sentence is compared as well
)

// align finds, for each pair, the span of the passage that says most of what the statement says, and scores how far it bears the statement out. Candidates are sentences, by the sum of the z-scores
// of their vector's cosine and of the share of the statement's terms, weighted by rarity, that they have; across languages by the cosine alone. Late interaction over token states would add
// another pass of the passages through the model, as dear as all the rest, so it is left out. The alignments are in the pairs' order. Every sentence is embedded and analysed once.
func (s *Service) align(ctx context.Context, statements []statement, passages []rag.Passage, pairs []pair) ([]alignment, error) {
	if len(pairs) == 0 {
		return nil, nil
	}
	a := aligner{Service: s, prepared: make([]*preparedPassage, len(passages)), claims: make([]*compare.Text, len(statements)), frequency: map[string]int{}, place: map[string]int{}}
	for _, p := range passages { // all of them, so that a claim's support does not depend on what else is aligned with it
		for _, span := range sentences(p.Hit.Chunk) {
			for term := range termsOf(s.analysis(inChunk(p.Hit.Chunk, span))) {
				a.frequency[term]++
			}
			a.sentences++
		}
	}
	for _, p := range pairs {
		a.add(statements[p.statement].Text)
		if a.claims[p.statement] == nil {
			a.claims[p.statement] = s.analysis(statements[p.statement].Text)
		}
		if a.prepared[p.passage] == nil {
			a.prepared[p.passage] = a.prepare(passages[p.passage])
		}
	}
	var err error
	if a.vectors, err = s.sentenceVectors(ctx, a.texts); err != nil {
		return nil, err
	}
	out := make([]alignment, len(pairs))
	for i, p := range pairs {
		if out[i], err = a.one(ctx, statements[p.statement], a.claims[p.statement], a.prepared[p.passage]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// aligner is the work of one align.
type aligner struct {
	*Service
	prepared  []*preparedPassage
	claims    []*compare.Text
	texts     []string
	place     map[string]int // of a text in texts
	vectors   []rag.Embedding
	frequency map[string]int // sentences that have a term
	sentences int
}

func (a *aligner) add(sentence string) {
	if _, ok := a.place[sentence]; !ok {
		a.place[sentence] = len(a.texts)
		a.texts = append(a.texts, sentence)
	}
}

func (a *aligner) vector(sentence string) rag.Embedding { return a.vectors[a.place[sentence]] }

// rarity weighs a term by the sentences that have it.
func (a *aligner) rarity(term string) float64 {
	return math.Max(lexical.IDF(a.sentences+20, a.frequency[term]), 0.1)
}

// weighed lists a text's terms with their rarity.
func (a *aligner) weighed(t *compare.Text) map[string]float64 {
	w := map[string]float64{}
	t.Terms(func(term string) { w[term] = a.rarity(term) })
	return w
}

// share is how much of the weighed terms some sentences have together.
func share(terms map[string]float64, has ...map[string]bool) float64 {
	var sum, all float64
	for _, term := range slices.Sorted(maps.Keys(terms)) {
		w := terms[term]
		all += w
		for _, h := range has {
			if h[term] {
				sum += w
				break
			}
		}
	}
	if all == 0 {
		return 0
	}
	return sum / all
}

// one aligns a statement with a passage.
func (a *aligner) one(ctx context.Context, claim statement, facts *compare.Text, p *preparedPassage) (alignment, error) {
	if len(p.spans) == 0 {
		return alignment{Source: p.chunk.Span, Verdict: rag.VerdictUnsupported}, nil
	}
	terms := a.weighed(facts)
	cosines, covered := make([]float64, len(p.spans)), make([]float64, len(p.spans))
	own := a.vector(claim.Text)
	for i, span := range p.spans {
		cosines[i] = dot(own, a.vector(p.slice(span)))
		if facts.Chinese() == p.analysed[i].Chinese() {
			covered[i] = share(terms, p.terms[i])
		}
	}
	scores := addScores(zScores(cosines), zScores(covered))
	best := slices.Index(scores, slices.Max(scores))
	tried := []int{best}
	second := -1
	for i := range scores {
		if i != best && scores[best]-scores[i] <= closeSecond && (second < 0 || scores[i] > scores[second]) {
			second = i
		}
	}
	if second >= 0 {
		tried = append(tried, second)
	}
	var chosen alignment
	for n, i := range tried {
		found, err := a.judge(ctx, claim, facts, p, terms, i, cosines)
		if err != nil {
			return alignment{}, err
		}
		if n == 0 || chosen.Verdict != rag.VerdictSupported && found.Verdict == rag.VerdictSupported {
			chosen = found
		}
		if chosen.Verdict == rag.VerdictSupported {
			break
		}
	}
	return chosen, nil
}

func addScores(a, b []float64) []float64 {
	for i := range a {
		a[i] += b[i]
	}
	return a
}

func zScores(values []float64) []float64 {
	out := make([]float64, len(values))
	var sum, squares float64
	for _, v := range values {
		sum += v
		squares += v * v
	}
	mean := sum / float64(len(values))
	deviation := math.Sqrt(max(squares/float64(len(values))-mean*mean, 0))
	if deviation < 1e-9 {
		return out
	}
	for i, v := range values {
		out[i] = (v - mean) / deviation
	}
	return out
}

// judge extends the sentence at best as far as the statement needs it, compares, scores, and cuts the span to what counts.
func (a *aligner) judge(ctx context.Context, claim statement, facts *compare.Text, p *preparedPassage, terms map[string]float64, best int, cosines []float64) (alignment, error) {
	from, to := extend(terms, p, best)
	source := p.analysed[best]
	span := rag.Span{Start: p.spans[from].Start, End: p.spans[to-1].End}
	if to-from > 1 {
		source = a.analysis(p.slice(span))
	}
	e := Bearing{Claim: claim.Text, Source: p.slice(span), Covered: share(terms, p.terms[from:to]...), Comparison: compare.Compare(facts, source, p.whole), claim: facts.Length(), source: source.Length(), chinese: facts.Chinese()}
	e.Cosine = slices.Max(cosines[from:to])
	e.Passage, e.Near = share(terms, p.known), dot(a.vector(claim.Text), a.centre(p))
	if e.Comparison.Foreign {
		e.Covered = 0
	}
	scores, err := a.o.Supporter.Support(ctx, []Bearing{e})
	if err != nil {
		return alignment{}, err
	}
	out := alignment{Source: span, Support: min(max(scores[0], 0), 1), bearing: e}
	for _, d := range e.Comparison.Differences {
		m := rag.Mismatch{Kind: d.Kind, ClaimSpan: d.Claim.Shift(claim.Span.Start), SourceSpan: d.Source.Shift(span.Start)}
		if !d.Claim.Empty() {
			m.Claim = text.Slice(claim.Text, d.Claim.Start, d.Claim.End)
		} else {
			m.ClaimSpan = rag.Span{}
		}
		if !d.Source.Empty() {
			m.Source = source.Slice(d.Source)
		} else {
			m.SourceSpan = rag.Span{}
		}
		out.Mismatches = append(out.Mismatches, m)
	}
	out.settle()
	if to-from == 1 {
		out.Source = a.tighten(p, span, source, terms, out.Mismatches)
	}
	return out, nil
}

// settle says the verdict. Whatever the score, what is contradicted, or has a number that stands nowhere, is not supported.
func (a *alignment) settle() {
	c := a.bearing.Comparison
	switch {
	case len(a.Mismatches) > 0:
		a.Support, a.Verdict = min(a.Support, weakFrom-0.01), rag.VerdictContradicted
	case c.Numbers.Missing() > 0:
		a.Support, a.Verdict = min(a.Support, weakFrom-0.01), rag.VerdictUnsupported
	case a.Support >= supportedFrom:
		a.Verdict = rag.VerdictSupported
	case a.Support >= weakFrom:
		a.Verdict = rag.VerdictWeak
	default:
		a.Verdict = rag.VerdictUnsupported
	}
}

func termsOf(t *compare.Text) map[string]bool {
	set := map[string]bool{}
	t.Terms(func(term string) { set[term] = true })
	return set
}

// extend is the range of sentences around best that the statement needs: a neighbour is taken in when it adds enough of the statement's terms.
func extend(terms map[string]float64, p *preparedPassage, best int) (from, to int) {
	from, to = best, best+1
	have := share(terms, p.terms[best])
	for to-from < spanSentences {
		before, after := 0.0, 0.0
		if from > 0 {
			before = share(terms, p.terms[from-1:to]...) - have
		}
		if to < len(p.spans) {
			after = share(terms, p.terms[from:to+1]...) - have
		}
		gain := max(before, after)
		if gain < spanGain {
			break
		}
		have += gain
		if before > after {
			from--
		} else {
			to++
		}
	}
	return from, to
}
