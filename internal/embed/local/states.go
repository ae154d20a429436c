package local

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"footnote/internal/rag"
)

// TokenStates returns the state of every token of each text, in order, as unit vectors, centred by nothing; the prefix and the marks of a sequence, which every text
// has, are left out, and what is beyond the model's limit is too. query says with which prefix. Somebody waits for it: it goes before documents.
// Errors: rag.Unavailable when the model's folder can no longer be read; ctx's own. No partial result is returned.
func (e *Embedder) TokenStates(ctx context.Context, texts []string, query bool) ([][]rag.Embedding, error) {
	e.gate.raise()
	defer e.gate.lower()
	prefix := e.document
	if query {
		prefix = e.query
	}
	skip := 1 // the mark of the beginning
	if before := strings.TrimRight(prefix, " "); before != "" {
		skip += e.tokenizer.count(before) // the prefix's space belongs to the text's first token
	}
	ids := make([][]int32, len(texts))
	order := make([]int, len(texts))
	for i, text := range texts {
		order[i] = i
		if ids[i] = e.tokenizer.encode(prefix + text); len(ids[i]) > e.tokens {
			ids[i] = append(ids[i][:e.tokens-1], ids[i][len(ids[i])-1])
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(len(ids[b]), len(ids[a])) })
	out := make([][]rag.Embedding, len(texts))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(e.threads)
	for _, t := range tile(order, ids, e.threads) {
		g.Go(func() error {
			sequences := make([][]int32, len(t))
			for i, at := range t {
				sequences[i] = ids[at]
			}
			err := e.encoder.forward(ctx, sequences, 1, nil, func(p *pass) {
				for i, at := range t {
					out[at] = p.states(p.starts[i]+skip, len(ids[at])-skip-1)
				}
			})
			if err != nil || e.check == nil {
				return err
			}
			for _, at := range t {
				vectors := make([][]float32, len(out[at]))
				for i, v := range out[at] {
					vectors[i] = v
				}
				if err := e.check(vectors); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	return out, nil
}

// states copies n rows from start as unit vectors.
func (p *pass) states(start, n int) []rag.Embedding {
	n = max(n, 0)
	out := make([]rag.Embedding, n)
	values := make(rag.Embedding, n*p.hidden)
	for i := range out {
		out[i] = values[i*p.hidden : (i+1)*p.hidden : (i+1)*p.hidden]
		copy(out[i], p.x.row(start+i))
		unit(out[i])
	}
	return out
}
