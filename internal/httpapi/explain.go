package httpapi

import "footnote/internal/rag"

type stage struct {
	Rank  int      `json:"rank"`
	Score float64  `json:"score"`
	Terms []string `json:"terms,omitempty"`
}

func wireStage(s *rag.Stage) *stage {
	if s == nil {
		return nil
	}
	return &stage{s.Rank, s.Score, s.Terms}
}

type explain struct {
	Dense   *stage `json:"dense,omitempty"`
	Lexical *stage `json:"lexical,omitempty"`
	Fused   *stage `json:"fused,omitempty"`
	Rerank  *stage `json:"rerank,omitempty"`
}

type explanation struct {
	Stages   []explainedStage   `json:"stages"`
	Document *explainedDocument `json:"document,omitempty"`
}

type explainedStage struct {
	Stage      string               `json:"stage"`
	Found      int                  `json:"found"`
	Took       float64              `json:"took_ms"`
	Candidates []explainedCandidate `json:"candidates"`
}

type explainedCandidate struct {
	Rank       int            `json:"rank"`
	Score      float64        `json:"score"`
	ChunkID    rag.ChunkID    `json:"chunk_id"`
	Collection string         `json:"collection"`
	DocumentID rag.DocumentID `json:"document_id,omitempty"`
	ExternalID string         `json:"external_id,omitempty"`
	Outcome    rag.Outcome    `json:"outcome"`
}

type explainedDocument struct {
	Asked       string       `json:"asked"`
	Outcome     rag.Outcome  `json:"outcome"`
	Detail      string       `json:"detail"`
	Collection  string       `json:"collection,omitempty"`
	Document    *documentRef `json:"document,omitempty"`
	ChunkID     rag.ChunkID  `json:"chunk_id,omitempty"`
	Dense       *stage       `json:"dense,omitempty"`
	Lexical     *stage       `json:"lexical,omitempty"`
	Fused       *stage       `json:"fused,omitempty"`
	Rerank      *stage       `json:"rerank,omitempty"`
	DuplicateOf rag.ChunkID  `json:"duplicate_of,omitempty"`
}

func wireExplanation(e *rag.Explanation) *explanation {
	if e == nil {
		return nil
	}
	out := &explanation{Stages: []explainedStage{}}
	for _, s := range e.Stages {
		w := explainedStage{s.Name, s.Found, float64(s.Duration.Microseconds()) / 1000, []explainedCandidate{}}
		for _, c := range s.Candidates {
			w.Candidates = append(w.Candidates, explainedCandidate{c.Rank, c.Score, c.Chunk, c.Collection, c.Document, c.ExternalID, c.Outcome})
		}
		out.Stages = append(out.Stages, w)
	}
	if d := e.Document; d != nil {
		out.Document = &explainedDocument{
			Asked: d.Asked, Outcome: d.Outcome, Detail: d.Detail, Collection: d.Collection, ChunkID: d.Chunk,
			Dense: wireStage(d.Dense), Lexical: wireStage(d.Lexical), Fused: wireStage(d.Fused), Rerank: wireStage(d.Rerank), DuplicateOf: d.DuplicateOf,
		}
		if d.Document.ID != "" {
			ref := wireDocumentRef(d.Document)
			out.Document.Document = &ref
		}
	}
	return out
}
