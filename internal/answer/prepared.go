package answer

import (
	"math"
	"slices"

	"footnote/internal/answer/compare"
	"footnote/internal/rag"
	"footnote/internal/text"
)

// preparedPassage is a passage made ready: its sentences with their facts.
type preparedPassage struct {
	chunk    rag.Chunk
	index    *text.Index
	spans    []rag.Span // of the document
	analysed []*compare.Text
	whole    *compare.Text // the facts of all of it, with title and headings
	terms    []map[string]bool
	known    map[string]bool // terms of all of it, with title and headings
	mean     rag.Embedding   // of the sentences' vectors, of norm 1
}

func (a *aligner) prepare(p rag.Passage) *preparedPassage {
	t := &preparedPassage{chunk: p.Hit.Chunk, index: text.NewIndex(p.Hit.Chunk.Text)}
	t.spans = sentences(t.chunk)
	for _, span := range t.spans {
		sentence := t.slice(span)
		a.add(sentence)
		k := a.analysis(sentence)
		t.analysed = append(t.analysed, k)
		t.terms = append(t.terms, termsOf(k))
	}
	about := append([]string{p.Hit.Document.Title}, t.chunk.HeadingPath...)
	all := slices.Clone(t.analysed)
	for _, s := range about {
		if s != "" {
			all = append(all, a.analysis(s))
		}
	}
	t.whole = compare.Join(all)
	t.known = map[string]bool{}
	for _, k := range all {
		k.Terms(func(term string) { t.known[term] = true })
	}
	return t
}

// centre is the mean of a passage's sentences.
func (a *aligner) centre(p *preparedPassage) rag.Embedding {
	if p.mean != nil {
		return p.mean
	}
	sum := make(rag.Embedding, len(a.vector(p.slice(p.spans[0]))))
	for _, span := range p.spans {
		for i, x := range a.vector(p.slice(span)) {
			sum[i] += x
		}
	}
	norm := float32(math.Sqrt(dot(sum, sum)))
	for i := range sum {
		sum[i] /= max(norm, 1e-9)
	}
	p.mean = sum
	return sum
}

func (t *preparedPassage) slice(span rag.Span) string {
	return t.index.Slice(span.Shift(-t.chunk.Span.Start))
}

// inChunk is the text at a span of the document inside a chunk.
func inChunk(c rag.Chunk, span rag.Span) string {
	return text.Slice(c.Text, span.Start-c.Span.Start, span.End-c.Span.Start)
}
