package search

import (
	"context"
	"fmt"
	"slices"
	"time"

	"footnote/internal/rag"
)

// Bounds of the look below the search's depth.
const (
	explainDepth  = 10000 // of each list
	explainChunks = 2000  // of the document
)

// explainDocument says why the named document is, or is not, among the hits. It looks deeper than the search did, for this document alone.
func (r *request) explainDocument(ctx context.Context, hits []rag.Hit) (rag.ExplainedDocument, error) {
	defer r.timed("explain", time.Now())
	e := rag.ExplainedDocument{Asked: r.query.ExplainDocument}
	if r.o.Documents == nil {
		return e, rag.FieldErrorf("/explain_document", "Documents cannot be explained here.")
	}
	d, collection, err := r.named(ctx, e.Asked)
	if rag.CodeOf(err) == rag.NotFound {
		e.Outcome, e.Detail = rag.OutcomeNotFound, "None of the collections that were searched has a document with this id or external id, with a version that is active."
		return e, nil
	}
	if err != nil {
		return e, err
	}
	e.Document, e.Collection = d, collection.Name
	chunks, err := r.o.Documents.Chunks(ctx, d.ID, -1, explainChunks)
	if err != nil {
		return e, err
	}
	ids := map[rag.ChunkID]bool{}
	for _, c := range chunks {
		ids[c.ID] = true
	}
	if best := r.furthest(ids); best != "" {
		return r.explainFound(e, best, hits), nil
	}
	return r.explainUnfound(ctx, e, collection, ids)
}

// named finds a document of the searched collections by its id, or by its external id in the first that has it. One that is elsewhere is not there: whoever searches
// may not be allowed to know of it.
func (r *request) named(ctx context.Context, id string) (rag.Document, rag.Collection, error) {
	d, err := r.o.Documents.DocumentByID(ctx, rag.DocumentID(id))
	if err != nil && rag.CodeOf(err) != rag.NotFound {
		return d, rag.Collection{}, err
	}
	for _, c := range r.collections {
		if err == nil && d.Collection == c.ID {
			return d, c.Collection, nil
		}
	}
	for _, c := range r.collections {
		d, err := r.o.Documents.Document(ctx, c.ID, id)
		if err == nil || rag.CodeOf(err) != rag.NotFound {
			return d, c.Collection, err
		}
	}
	return rag.Document{}, rag.Collection{}, rag.DocumentMissing(id)
}

// furthest is the document's chunk that came furthest: a hit before what was kept, that before the best of the fused list. Empty when it was no candidate.
func (r *request) furthest(ids map[rag.ChunkID]bool) rag.ChunkID {
	var fused rag.ChunkID
	at := func(o rag.Outcome) int {
		return slices.Index([]rag.Outcome{rag.OutcomeReturned, rag.OutcomePerDocument, rag.OutcomeTopK, rag.OutcomeDuplicate, rag.OutcomePhrase, rag.OutcomeFiltered, rag.OutcomeInactive}, o)
	}
	for _, h := range r.kept { // reranked: its order is not the fused one
		if ids[h.Chunk.ID] && (fused == "" || at(r.outcome(h.Chunk.ID)) < at(r.outcome(fused))) {
			fused = h.Chunk.ID
		}
	}
	if fused != "" {
		return fused
	}
	for _, c := range r.fused {
		if ids[c.ID] && (fused == "" || at(r.outcome(c.ID)) < at(r.outcome(fused))) {
			fused = c.ID
		}
	}
	return fused
}

// explainFound explains a document by a candidate of the search.
func (r *request) explainFound(e rag.ExplainedDocument, id rag.ChunkID, hits []rag.Hit) rag.ExplainedDocument {
	e.Chunk, e.Outcome, e.DuplicateOf = id, r.outcome(id), r.twins[id]
	e.Dense, e.Lexical, e.Fused, e.Rerank = stageOf(r.dense, id), stageOf(r.lexical, id), stageOf(r.fused, id), stageOf(r.reranked, id)
	switch e.Outcome {
	case rag.OutcomeReturned:
		i := slices.IndexFunc(hits, func(h rag.Hit) bool { return h.Chunk.ID == id })
		e.Detail = fmt.Sprintf("It is hit %d.", i+1)
	case rag.OutcomeTopK:
		i := slices.IndexFunc(r.kept, func(h rag.Hit) bool { return h.Chunk.ID == id })
		if i < 0 {
			e.Detail = fmt.Sprintf("Its best chunk is at rank %d of the fused list, and top_k is %d.", e.Fused.Rank, r.query.TopK)
			break
		}
		e.Detail = fmt.Sprintf("Its best chunk is in place %d, and top_k is %d.", i+1, r.query.TopK)
	case rag.OutcomePerDocument:
		e.Detail = fmt.Sprintf("max_per_document is %d, and better chunks of the document are hits.", r.query.MaxPerDocument)
	case rag.OutcomeDuplicate:
		e.Detail = "Its text is nearly that of a hit, or a candidate, that ranks better, and that stands for it; collapse false shows both."
	case rag.OutcomePhrase:
		e.Detail = "It was found, and lacks a phrase that the query has in quotation marks."
	case rag.OutcomeFiltered:
		e.Detail = "The filter excludes it."
	case rag.OutcomeInactive:
		e.Detail = "What was found belongs to a version that is not active."
	}
	return e
}

// explainUnfound explains a document that no list reached: by its metadata, or by looking further down.
func (r *request) explainUnfound(ctx context.Context, e rag.ExplainedDocument, c rag.Collection, ids map[rag.ChunkID]bool) (rag.ExplainedDocument, error) {
	if !r.query.Filter.Matches(e.Document.Metadata) {
		e.Outcome, e.Detail = rag.OutcomeFiltered, "The filter excludes it."
		return e, nil
	}
	if r.query.Mode != rag.Lexical {
		list, err := r.o.Index.SearchDense(ctx, c.IndexID, r.vector(c.Embedding.Fingerprint), r.query.Filter, explainDepth)
		if err != nil {
			return e, err
		}
		if id := first(list, ids); id != "" {
			e.Chunk, e.Dense = id, stageOf(list, id)
		}
	}
	if r.query.Mode != rag.Dense {
		list, err := r.o.Index.SearchLexical(ctx, c.IndexID, r.terms, r.query.Filter, explainDepth)
		if err != nil {
			return e, err
		}
		if id := first(list, ids); id != "" {
			e.Lexical = stageOf(list, id)
			if e.Chunk == "" {
				e.Chunk = id
			}
		}
	}
	if e.Chunk == "" {
		e.Outcome = rag.OutcomeNever
		e.Detail = fmt.Sprintf("It is in no list, though each was looked through to rank %d.", explainDepth)
		if r.query.Mode == rag.Lexical {
			e.Detail = "It has none of the query's terms, or more than " + fmt.Sprint(explainDepth) + " chunks have more of them; mode hybrid finds what says the same in other words."
		}
		return e, nil
	}
	e.Outcome = rag.OutcomeDepth
	e.Detail = fmt.Sprintf("The search went down to rank %d of each list, and in collection %q", r.depth, c.Name)
	switch {
	case e.Dense != nil && e.Lexical != nil:
		e.Detail += fmt.Sprintf(" it is at rank %d of the dense list and at rank %d of the lexical one.", e.Dense.Rank, e.Lexical.Rank)
	case e.Dense != nil && r.query.Mode == rag.Hybrid:
		e.Detail += fmt.Sprintf(" it is at rank %d of the dense list and not in the lexical one: it has none of the query's terms.", e.Dense.Rank)
	case e.Dense != nil:
		e.Detail += fmt.Sprintf(" it is at rank %d of the dense list.", e.Dense.Rank)
	default:
		e.Detail += fmt.Sprintf(" it is at rank %d of the lexical list.", e.Lexical.Rank)
	}
	return e, nil
}

// first is the best of list that is among ids.
func first(list []rag.Candidate, ids map[rag.ChunkID]bool) rag.ChunkID {
	for _, c := range list {
		if ids[c.ID] {
			return c.ID
		}
	}
	return ""
}

// stageOf is a list's rank and score of a candidate; nil when it is not in the list.
func stageOf(list []rag.Candidate, id rag.ChunkID) *rag.Stage {
	for i, c := range list {
		if c.ID == id {
			return &rag.Stage{Rank: i + 1, Score: c.Score}
		}
	}
	return nil
}
