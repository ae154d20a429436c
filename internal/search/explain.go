package search

import (
	"context"
	"slices"

	"footnote/internal/lexical"
	"footnote/internal/rag"
)

// mark says of each hit what each list said of it.
func (r *request) mark(hits []rag.Hit) {
	at := make(map[rag.ChunkID]*rag.Hit, len(hits))
	for i := range hits {
		at[hits[i].Chunk.ID] = &hits[i]
	}
	for i, c := range r.dense {
		if h := at[c.ID]; h != nil {
			h.Dense = &rag.Stage{Rank: i + 1, Score: c.Score}
		}
	}
	for i, c := range r.lexical {
		if h := at[c.ID]; h != nil {
			h.Lexical = &rag.Stage{Rank: i + 1, Score: c.Score}
		}
	}
	if !r.query.Explain {
		return
	}
	asked := map[uint32]string{}
	for _, t := range lexical.Terms(r.text) {
		asked[lexical.Hash(t.Text)] = t.Text
	}
	for i := range hits {
		if h := &hits[i]; h.Lexical != nil {
			h.Lexical.Terms = matched(asked, h.Chunk.Embedded(h.Document.Title))
		}
	}
}

func ranks(list []rag.Candidate) map[rag.ChunkID]int {
	m := make(map[rag.ChunkID]int, len(list))
	for i, c := range list {
		m[c.ID] = i + 1
	}
	return m
}

// matched lists the asked terms that text has, sorted.
func matched(asked map[uint32]string, text string) []string {
	seen := map[string]bool{}
	var out []string
	for _, t := range lexical.Terms(text) {
		if term, ok := asked[lexical.Hash(t.Text)]; ok && !seen[term] {
			seen[term] = true
			out = append(out, term)
		}
	}
	slices.Sort(out)
	return out
}

// explanation lists each stage's best candidates with what became of them.
func (r *request) explanation(ctx context.Context, hits []rag.Hit) (*rag.Explanation, error) {
	out := &rag.Explanation{}
	for _, s := range []struct {
		name, timing string
		runs         bool
		list         []rag.Candidate
	}{
		{"dense", "dense", r.query.Mode != rag.Lexical, r.dense},
		{"lexical", "lexical", r.query.Mode != rag.Dense, r.lexical},
		{"fused", "fuse", true, r.fused},
		{"rerank", "rerank", r.reranked != nil, r.reranked},
	} {
		if !s.runs {
			continue
		}
		top := s.list[:min(len(s.list), rag.MaxExplained)]
		if err := r.hydrate(ctx, top); err != nil {
			return nil, err
		}
		stage := rag.ExplainedStage{Name: s.name, Found: len(s.list), Duration: r.timings[s.timing], Candidates: make([]rag.ExplainedCandidate, len(top))}
		for i, c := range top {
			e := rag.ExplainedCandidate{Rank: i + 1, Score: c.Score, Chunk: c.ID, Collection: r.collections[r.home[c.ID]].Name, Outcome: r.outcome(c.ID)}
			if h := r.hydrated[c.ID]; h != nil {
				e.Document, e.ExternalID = h.Document.ID, h.Document.ExternalID
			}
			stage.Candidates[i] = e
		}
		out.Stages = append(out.Stages, stage)
	}
	if r.query.ExplainDocument != "" {
		d, err := r.explainDocument(ctx, hits)
		if err != nil {
			return nil, err
		}
		out.Document = &d
	}
	return out, nil
}

// outcome is what became of a candidate. Those below the ones that were looked at could only have been cut.
func (r *request) outcome(id rag.ChunkID) rag.Outcome {
	if o, ok := r.outcomes[id]; ok {
		return o
	}
	if _, o := r.look(id); o != "" {
		return o
	}
	return rag.OutcomeTopK
}
