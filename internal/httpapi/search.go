package httpapi

import (
	"net/http"

	"footnote/internal/rag"
)

type searchRequest struct {
	Query           string   `json:"query"`
	Collections     []string `json:"collections"`
	Mode            *string  `json:"mode"`
	TopK            *int     `json:"top_k"`
	Filter          *filter  `json:"filter"`
	Fusion          *string  `json:"fusion"`
	Effort          *string  `json:"effort"`
	Collapse        bool     `json:"collapse"`
	MaxPerDocument  *int     `json:"max_per_document"`
	Rerank          *string  `json:"rerank"`
	RerankDepth     *int     `json:"rerank_depth"`
	Explain         bool     `json:"explain"`
	ExplainDocument *string  `json:"explain_document"`
}

// query is what is asked for. Rag takes an empty field for one that was left out, so one that was not is refused here.
func (in searchRequest) query() (rag.Query, error) {
	q := rag.Query{
		Text: in.Query, Collections: in.Collections, Filter: in.Filter.domain(), Explain: in.Explain,
		Collapse: in.Collapse,
	}
	for _, f := range []struct {
		pointer, allowed string
		given            *string
		set              func(string)
	}{
		{"/mode", "mode must be hybrid, dense or lexical", in.Mode, func(v string) { q.Mode = rag.Mode(v) }},
		{"/fusion", "fusion must be zscore, rrf or convex", in.Fusion, func(v string) { q.Fusion = rag.Fusion(v) }},
		{"/effort", "effort must be normal or high", in.Effort, func(v string) { q.Effort = rag.Effort(v) }},
		{"/rerank", "rerank must be none, late or endpoint", in.Rerank, func(v string) { q.Rerank = rag.Rerank(v) }},
		{"/explain_document", "explain_document must be a document's id or external id", in.ExplainDocument, func(v string) { q.ExplainDocument = v }},
	} {
		if f.given == nil {
			continue
		}
		if *f.given == "" {
			return q, rag.FieldErrorf(f.pointer, "%s, got \"\".", f.allowed)
		}
		f.set(*f.given)
	}
	for _, f := range []struct {
		name  string
		most  int
		given *int
		into  *int
	}{
		{"top_k", rag.MaxTopK, in.TopK, &q.TopK},
		{"max_per_document", rag.MaxTopK, in.MaxPerDocument, &q.MaxPerDocument},
		{"rerank_depth", rag.MaxRerankDepth, in.RerankDepth, &q.RerankDepth},
	} {
		if f.given == nil {
			continue
		}
		if *f.into = *f.given; *f.into == 0 {
			return q, rag.FieldErrorf("/"+f.name, "%s must be between 1 and %d, got 0.", f.name, f.most)
		}
	}
	return q, nil
}

type hit struct {
	Rank       int         `json:"rank"`
	Score      float64     `json:"score"`
	Collection string      `json:"collection"`
	Document   documentRef `json:"document"`
	Chunk      chunk       `json:"chunk"`
	Duplicates []duplicate `json:"duplicates,omitempty"`
	Explain    *explain    `json:"explain,omitempty"`
}

type duplicate struct {
	Collection string      `json:"collection"`
	Document   documentRef `json:"document"`
	ChunkID    rag.ChunkID `json:"chunk_id"`
}

type searchResponse struct {
	Hits     []hit              `json:"hits"`
	Degraded []string           `json:"degraded,omitempty"`
	Explain  *explanation       `json:"explain,omitempty"`
	Timings  map[string]float64 `json:"timings_ms"`
}

func (s *server) search(w http.ResponseWriter, r *http.Request) error {
	var in searchRequest
	if err := decode(w, r, maxJSON, &in); err != nil {
		return err
	}
	q, err := in.query()
	if err != nil {
		return err
	}
	if err := seesAll(r, q.Collections); err != nil {
		return err
	}
	found, err := s.o.Search.Search(r.Context(), q)
	if err != nil {
		return err
	}
	out := searchResponse{Hits: []hit{}, Degraded: found.Degraded, Explain: wireExplanation(found.Explanation), Timings: milliseconds(found.Timings)}
	for _, h := range found.Hits {
		wire := hit{Rank: h.Rank, Score: h.Score, Collection: h.Collection, Document: wireDocumentRef(h.Document), Chunk: wireChunk(h.Chunk)}
		for _, d := range h.Duplicates {
			wire.Duplicates = append(wire.Duplicates, duplicate{d.Collection, wireDocumentRef(d.Document), d.Chunk})
		}
		if found.Explanation != nil {
			wire.Explain = &explain{wireStage(h.Dense), wireStage(h.Lexical), wireStage(h.Fused), wireStage(h.Rerank)}
		}
		out.Hits = append(out.Hits, wire)
	}
	return reply(w, http.StatusOK, out)
}
