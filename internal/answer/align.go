package answer

import (
	"context"
	"slices"

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
}

// align finds, for each pair, the sentence of the passage that says most of what the statement says, and scores how far it bears the statement out: half by the
// statement's vocabulary, half by the vector; across languages by the vector alone. Numbers must be there as such, and a negation on one side only contradicts,
// whatever the score: neither vocabulary nor vector can see them. The alignments are in the pairs' order. Every sentence is embedded once.
func (s *Service) align(ctx context.Context, statements []statement, passages []rag.Passage, pairs []pair) ([]alignment, error) {
	if len(pairs) == 0 {
		return nil, nil
	}
	spans := make([][]rag.Span, len(passages))
	place := map[string]int{}
	var texts []string
	add := func(sentence string) {
		if _, ok := place[sentence]; !ok {
			place[sentence] = len(texts)
			texts = append(texts, sentence)
		}
	}
	for _, p := range pairs {
		add(statements[p.statement].Text)
		if spans[p.passage] == nil {
			chunk := passages[p.passage].Hit.Chunk
			spans[p.passage] = sentences(chunk)
			for _, span := range spans[p.passage] {
				add(inChunk(chunk, span))
			}
		}
	}
	vectors, err := s.sentenceVectors(ctx, texts)
	if err != nil {
		return nil, err
	}
	out := make([]alignment, len(pairs))
	for i, p := range pairs {
		out[i] = alignOne(statements[p.statement], passages[p.passage], spans[p.passage], func(sentence string) rag.Embedding { return vectors[place[sentence]] })
	}
	return out, nil
}

// inChunk is the text at a span of the document inside a chunk.
func inChunk(c rag.Chunk, span rag.Span) string {
	return text.Slice(c.Text, span.Start-c.Span.Start, span.End-c.Span.Start)
}

func alignOne(claim statement, p rag.Passage, spans []rag.Span, vector func(sentence string) rag.Embedding) alignment {
	chunk := p.Hit.Chunk
	if len(spans) == 0 {
		return alignment{Source: chunk.Span, Verdict: rag.VerdictUnsupported}
	}
	terms := termSet(claim.Text)
	foreign := text.Language(claim.Text) != text.Language(chunk.Text)
	scores := make([]float64, len(spans))
	for i, span := range spans {
		sentence := inChunk(chunk, span)
		scores[i] = min(max((dot(vector(claim.Text), vector(sentence))-unrelatedCosine)/(sameCosine-unrelatedCosine), 0), 1)
		if !foreign {
			scores[i] = (scores[i] + coverage(terms, termSet(sentence))) / 2
		}
	}
	best := slices.Index(scores, slices.Max(scores))
	a := alignment{Source: spans[best], Support: scores[best]}
	sentence := inChunk(chunk, spans[best])
	switch {
	case !numbersIn(claim.Text, chunk.Embedded(p.Hit.Document.Title)):
		a.Support, a.Verdict = min(a.Support, weakFrom-0.01), rag.VerdictUnsupported
	case a.Support >= weakFrom && !foreign && negated(claim.Text) != negated(sentence):
		a.Support, a.Verdict = min(a.Support, weakFrom-0.01), rag.VerdictContradicted
		a.Mismatches = []rag.Mismatch{{Kind: rag.MismatchNegation, Claim: claim.Text, Source: sentence, ClaimSpan: claim.Span, SourceSpan: a.Source}}
	case a.Support >= supportedFrom:
		a.Verdict = rag.VerdictSupported
	case a.Support >= weakFrom:
		a.Verdict = rag.VerdictWeak
	default:
		a.Verdict = rag.VerdictUnsupported
	}
	return a
}
