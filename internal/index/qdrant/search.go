package qdrant

import (
	"cmp"
	"context"
	"slices"

	"github.com/qdrant/go-client/qdrant"

	"footnote/internal/rag"
)

// slack is how many more candidates are asked for than wanted: Qdrant orders ties as it likes, and those at the end of the list are to be told apart here, by
// id, as everywhere.
const slack = 16

// SearchDense returns the k points nearest to v by cosine among those that satisfy filter, best first, ties by id. It is exact in collections of fewer than
// Options.ExactBelow points. A filter may let a few more pass (see filterOf), never fewer.
func (x *Index) SearchDense(ctx context.Context, id rag.CollectionID, v rag.Embedding, filter *rag.Filter, k int) ([]rag.Candidate, error) {
	f, err := x.fact(ctx, id)
	if err != nil {
		return nil, err
	}
	if err := v.Validate(f.dims); err != nil { // Qdrant answers a NaN with arbitrary points
		return nil, err
	}
	params := &qdrant.SearchParams{Exact: qdrant.PtrOf(f.points < x.o.ExactBelow)}
	if !params.GetExact() {
		params.HnswEf = qdrant.PtrOf(uint64(max(128, k+slack)))
	}
	if f.quantized {
		params.Quantization = &qdrant.QuantizationSearchParams{Rescore: qdrant.PtrOf(true), Oversampling: qdrant.PtrOf(3.0)}
	}
	return x.query(ctx, id, "dense search", qdrant.NewQueryDense(v), denseVector, filter, params, k)
}

// SearchLexical returns the k points with the greatest BM25 among those that satisfy filter and have a term of the query, best first, ties by id.
// query holds the frequencies of its terms; the IDF is of the collection as it is now, unfiltered.
func (x *Index) SearchLexical(ctx context.Context, id rag.CollectionID, query rag.SparseVector, filter *rag.Filter, k int) ([]rag.Candidate, error) {
	if len(query.Indices) == 0 {
		return nil, nil
	}
	return x.query(ctx, id, "lexical search", qdrant.NewQuerySparse(query.Indices, query.Values), lexicalVector, filter, nil, k)
}

func (x *Index) query(ctx context.Context, id rag.CollectionID, what string, q *qdrant.Query, using string, filter *rag.Filter, params *qdrant.SearchParams, k int) ([]rag.Candidate, error) {
	if k <= 0 {
		return nil, nil
	}
	request := &qdrant.QueryPoints{
		CollectionName: x.alias(id), Query: q, Using: qdrant.PtrOf(using), Filter: filterOf(filter), Params: params, Limit: qdrant.PtrOf(uint64(k + slack)),
	}
	var found []*qdrant.ScoredPoint
	err := x.read(ctx, what, func(ctx context.Context) (err error) {
		found, err = x.client.Query(ctx, request)
		return err
	})
	if err != nil {
		if rag.CodeOf(err) == rag.NotFound {
			x.facts.Delete(id)
		}
		return nil, err
	}
	out := make([]rag.Candidate, len(found))
	for i, p := range found {
		out[i] = rag.Candidate{ID: rag.ChunkID(p.GetId().GetUuid()), Score: float64(p.GetScore())}
	}
	slices.SortFunc(out, func(a, b rag.Candidate) int { return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.ID, b.ID)) })
	return out[:min(k, len(out))], nil
}
