package httpapi

import (
	"net/http"

	"footnote/internal/rag"
)

type searchRequest struct {
	Query       string   `json:"query"`
	Collections []string `json:"collections"`
	Mode        *string  `json:"mode"`
	TopK        *int     `json:"top_k"`
	Filter      *filter  `json:"filter"`
	Explain     bool     `json:"explain"`
}

type stage struct {
	Rank  int      `json:"rank"`
	Score float64  `json:"score"`
	Terms []string `json:"terms,omitempty"`
}

type explain struct {
	Dense   *stage `json:"dense,omitempty"`
	Lexical *stage `json:"lexical,omitempty"`
	Fused   *stage `json:"fused,omitempty"`
}

type hit struct {
	Rank       int         `json:"rank"`
	Score      float64     `json:"score"`
	Collection string      `json:"collection"`
	Document   documentRef `json:"document"`
	Chunk      chunk       `json:"chunk"`
	Explain    *explain    `json:"explain,omitempty"`
}

func wireStage(s *rag.Stage) *stage {
	if s == nil {
		return nil
	}
	return &stage{s.Rank, s.Score, s.Terms}
}

func (s *server) search(w http.ResponseWriter, r *http.Request) error {
	var in searchRequest
	if err := decode(w, r, maxJSON, &in); err != nil {
		return err
	}
	q := rag.Query{Text: in.Query, Collections: in.Collections, Filter: in.Filter.domain(), Explain: in.Explain}
	if in.Mode != nil {
		if q.Mode = rag.Mode(*in.Mode); q.Mode == "" {
			return rag.FieldErrorf("/mode", "mode must be hybrid, dense or lexical, got \"\".")
		}
	}
	if in.TopK != nil {
		if q.TopK = *in.TopK; q.TopK == 0 {
			return rag.FieldErrorf("/top_k", "top_k must be between 1 and %d, got 0.", rag.MaxTopK)
		}
	}
	if err := seesAll(r, q.Collections); err != nil {
		return err
	}
	found, err := s.o.Search.Search(r.Context(), q)
	if err != nil {
		return err
	}
	hits := []hit{}
	for _, h := range found.Hits {
		out := hit{Rank: h.Rank, Score: h.Score, Collection: h.Collection, Document: wireDocumentRef(h.Document), Chunk: wireChunk(h.Chunk)}
		if in.Explain {
			out.Explain = &explain{wireStage(h.Dense), wireStage(h.Lexical), wireStage(h.Fused)}
		}
		hits = append(hits, out)
	}
	return reply(w, http.StatusOK, map[string]any{"hits": hits, "timings_ms": milliseconds(found.Timings)})
}
