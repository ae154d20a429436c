package qdrant

import (
	"context"
	"unicode/utf8"

	"github.com/qdrant/go-client/qdrant"

	"footnote/internal/rag"
)

// Bounds of one upsert.
const (
	batchPoints = 256
	batchBytes  = 4 << 20
)

// Upsert stores points, each replacing the one with its id whole. Every point is checked before the first is sent: Qdrant would take a NaN, and rank
// it first in every query. When it returns, the points can be found. After an error some may be stored; repeating it is harmless.
func (x *Index) Upsert(ctx context.Context, id rag.CollectionID, points []rag.Point) error {
	f, err := x.fact(ctx, id)
	if err != nil {
		return err
	}
	for _, p := range points {
		if err := validate(p, f.dims); err != nil {
			return err
		}
	}
	var batch []*qdrant.PointStruct
	bytes := 0
	flush := func() error {
		if len(batch) == 0 {
			return nil
		}
		err := x.write(ctx, "upsert", func(ctx context.Context) error {
			_, err := x.client.Upsert(ctx, &qdrant.UpsertPoints{CollectionName: x.alias(id), Points: batch, Wait: qdrant.PtrOf(true)})
			return err
		})
		batch, bytes = nil, 0
		return err
	}
	for _, p := range points {
		payload, size := payloadOf(p)
		size += 4*len(p.Embedding) + 8*len(p.Sparse.Indices) + 64
		if len(batch) == batchPoints || bytes+size > batchBytes {
			if err := flush(); err != nil {
				return err
			}
		}
		bytes += size
		batch = append(batch, &qdrant.PointStruct{
			Id: qdrant.NewIDUUID(string(p.ID)),
			Vectors: qdrant.NewVectorsMap(map[string]*qdrant.Vector{
				denseVector:   qdrant.NewVectorDense(p.Embedding),
				lexicalVector: qdrant.NewVectorSparse(p.Sparse.Indices, p.Sparse.Values),
			}),
			Payload: payload,
		})
	}
	return flush()
}

func validate(p rag.Point, dims int) error {
	if err := p.Embedding.Validate(dims); err != nil {
		return err
	}
	if len(p.Sparse.Indices) != len(p.Sparse.Values) {
		return rag.Errorf(rag.Internal, "A sparse vector has %d indices and %d values.", len(p.Sparse.Indices), len(p.Sparse.Values))
	}
	for i := 1; i < len(p.Sparse.Indices); i++ {
		if p.Sparse.Indices[i] <= p.Sparse.Indices[i-1] {
			return rag.Errorf(rag.Internal, "A sparse vector's indices are not ascending.")
		}
	}
	if !utf8.ValidString(string(p.Document)) {
		return rag.Errorf(rag.Internal, "A point's document id is not UTF-8.")
	}
	return p.Metadata.Validate()
}

// Delete removes points; an id that is not there is passed over.
func (x *Index) Delete(ctx context.Context, id rag.CollectionID, chunks []rag.ChunkID) error {
	const batch = 1000
	for at := 0; at < len(chunks); at += batch {
		part := chunks[at:min(at+batch, len(chunks))]
		ids := make([]*qdrant.PointId, len(part))
		for i, c := range part {
			ids[i] = qdrant.NewIDUUID(string(c))
		}
		err := x.write(ctx, "delete points", func(ctx context.Context) error {
			_, err := x.client.Delete(ctx, &qdrant.DeletePoints{CollectionName: x.alias(id), Points: qdrant.NewPointsSelectorIDs(ids), Wait: qdrant.PtrOf(true)})
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Count is the number of points.
func (x *Index) Count(ctx context.Context, id rag.CollectionID) (int, error) {
	var n uint64
	err := x.read(ctx, "count", func(ctx context.Context) (err error) {
		n, err = x.client.Count(ctx, &qdrant.CountPoints{CollectionName: x.alias(id), Exact: qdrant.PtrOf(true)})
		return err
	})
	return int(n), err
}

// EachPoint calls f with every point of the collection, by id.
func (x *Index) EachPoint(ctx context.Context, id rag.CollectionID, f func(rag.PointRef) error) error {
	var offset *qdrant.PointId
	for {
		var page []*qdrant.RetrievedPoint
		var next *qdrant.PointId
		err := x.read(ctx, "scroll", func(ctx context.Context) (err error) {
			page, next, err = x.client.ScrollAndOffset(ctx, &qdrant.ScrollPoints{
				CollectionName: x.alias(id), Offset: offset, Limit: qdrant.PtrOf(uint32(1000)), WithPayload: qdrant.NewWithPayloadInclude(fieldDocument),
			})
			return err
		})
		if err != nil {
			return err
		}
		for _, p := range page {
			if err := f(rag.PointRef{Chunk: rag.ChunkID(p.GetId().GetUuid()), Document: rag.DocumentID(p.GetPayload()[fieldDocument].GetStringValue())}); err != nil {
				return err
			}
		}
		if next == nil {
			return nil
		}
		offset = next
	}
}
