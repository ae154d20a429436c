// Package qdrant is the index of production: dense and BM25 search in a Qdrant server, reached by its Go client.
//
// Each collection is one Qdrant collection behind an alias, with a named dense vector, a named sparse vector whose weights package lexical
// computed (Qdrant adds the IDF), and a payload that holds what filters need. It owns the translation and the manners of the
// network: deadlines, retries, bounded batches. It never sees text, and every answer it gives can be derived from the catalog again.
//
// Any method may return rag.Unavailable after Options.Attempts, rag.Timeout, rag.RateLimited, rag.StorageFull when Qdrant's disk is full, rag.NotFound for a collection that the server does not have,
// and rag.BadUpstream for a refused key or a failure of Qdrant's own.
package qdrant

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/qdrant/go-client/qdrant"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"

	"footnote/internal/rag"
)

// The names of a collection's two vectors.
const (
	denseVector   = "dense"
	lexicalVector = "lexical"
)

// maxReceived is the largest answer that is taken, in bytes: a page of the largest answer asked for is far below.
const maxReceived = 64 << 20

// Index is a Qdrant server. Any number of goroutines may use it.
type Index struct {
	o      Options
	client *qdrant.Client
	facts  sync.Map // rag.CollectionID → *facts
}

// New makes an Index; it connects when it is first used, so a server that starts later does no harm. Invalid for options that no client can be made of.
func New(o Options) (*Index, error) {
	if o.Port == 0 {
		o.Port = 6334
	}
	if o.Prefix == "" {
		o.Prefix = "footnote_"
	}
	o.Shards, o.Replicas = max(o.Shards, 1), max(o.Replicas, 1)
	if o.ExactBelow == 0 {
		o.ExactBelow = 50_000
	}
	if o.Timeout == 0 {
		o.Timeout = 10 * time.Second
	}
	if o.Attempts == 0 {
		o.Attempts = 3
	}
	reconnect := backoff.DefaultConfig
	reconnect.BaseDelay, reconnect.MaxDelay = 100*time.Millisecond, 2*time.Second
	client, err := qdrant.NewClient(&qdrant.Config{
		Host: o.Host, Port: o.Port, APIKey: o.APIKey, UseTLS: o.TLS != nil, TLSConfig: o.TLS,
		SkipCompatibilityCheck: true, // it logs to the global logger and connects early; Check tells what is wrong
		GrpcOptions: []grpc.DialOption{
			grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxReceived)),
			grpc.WithConnectParams(grpc.ConnectParams{Backoff: reconnect, MinConnectTimeout: 5 * time.Second}),
		},
	})
	if err != nil {
		return nil, rag.Errorf(rag.Invalid, "The Qdrant client cannot be made for %s: %w", net.JoinHostPort(o.Host, strconv.Itoa(o.Port)), err)
	}
	return &Index{o: o, client: client}, nil
}

// Close ends all use of the index.
func (x *Index) Close() error { return x.client.Close() }

// Check asks the server whether it lives and takes the key, for readiness.
func (x *Index) Check(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	// The health check passes without a key; listing needs one.
	_, err := x.client.ListCollections(ctx)
	return translate(ctx, "list collections", err)
}

// alias is the name by which a collection is reached.
func (x *Index) alias(id rag.CollectionID) string { return x.o.Prefix + string(id) }

// generation is the name of the Qdrant collection that an alias may point to.
func (x *Index) generation(id rag.CollectionID, n int) string {
	return fmt.Sprintf("%s-%d", x.alias(id), n)
}

// EnsureCollection makes the collection unless it is there, with every payload index before the first point: one made later gives fast and wrong answers
// until Qdrant has rebuilt its graph. ModelMismatch when it is there with other dimensions.
func (x *Index) EnsureCollection(ctx context.Context, id rag.CollectionID, dims int) error {
	f, err := x.fact(ctx, id)
	switch {
	case err == nil && f.dims != dims:
		return rag.Errorf(rag.ModelMismatch, "The collection's vectors in Qdrant have %d dimensions, not %d.", f.dims, dims)
	case err == nil:
		return x.complete(ctx, id)
	case rag.CodeOf(err) != rag.NotFound:
		return err
	}
	name := x.generation(id, 1)
	if err := x.create(ctx, name, dims); err != nil {
		return err
	}
	// Last, so that whoever sees the alias sees a collection that is complete. A replica that does the same at this moment does no harm.
	return x.write(ctx, "make an alias", func(ctx context.Context) error { return x.client.CreateAlias(ctx, x.alias(id), name) })
}

// create makes a Qdrant collection and its payload indexes; one that is there already is completed.
func (x *Index) create(ctx context.Context, name string, dims int) error {
	if dims < 1 || dims > 65535 {
		return rag.Errorf(rag.Invalid, "Vectors must have 1 to 65535 dimensions, got %d.", dims)
	}
	dense := &qdrant.VectorParams{Size: uint64(dims), Distance: qdrant.Distance_Cosine, OnDisk: qdrant.PtrOf(x.o.OnDisk)}
	switch x.o.Quantization {
	case ScalarQuantization:
		dense.QuantizationConfig = qdrant.NewQuantizationScalar(&qdrant.ScalarQuantization{Type: qdrant.QuantizationType_Int8, Quantile: qdrant.PtrOf(float32(0.99)), AlwaysRam: qdrant.PtrOf(true)})
	case BinaryQuantization:
		dense.QuantizationConfig = qdrant.NewQuantizationBinary(&qdrant.BinaryQuantization{AlwaysRam: qdrant.PtrOf(true)})
	}
	err := x.write(ctx, "make a collection", func(ctx context.Context) error {
		return x.client.CreateCollection(ctx, &qdrant.CreateCollection{
			CollectionName: name,
			VectorsConfig:  qdrant.NewVectorsConfigMap(map[string]*qdrant.VectorParams{denseVector: dense}),
			SparseVectorsConfig: qdrant.NewSparseVectorsConfig(map[string]*qdrant.SparseVectorParams{
				lexicalVector: {Modifier: qdrant.PtrOf(qdrant.Modifier_Idf), Index: &qdrant.SparseIndexConfig{OnDisk: qdrant.PtrOf(x.o.OnDisk)}},
			}),
			ShardNumber: qdrant.PtrOf(uint32(x.o.Shards)), ReplicationFactor: qdrant.PtrOf(uint32(x.o.Replicas)),
			WriteConsistencyFactor: qdrant.PtrOf(uint32(x.o.Replicas/2 + 1)), OnDiskPayload: qdrant.PtrOf(true),
		})
	})
	if err != nil && rag.CodeOf(err) != rag.Conflict {
		return err
	}
	return x.index(ctx, name, func(string) bool { return true })
}

// complete makes the payload indexes that a collection lacks.
func (x *Index) complete(ctx context.Context, id rag.CollectionID) error {
	var info *qdrant.CollectionInfo
	err := x.read(ctx, "look at a collection", func(ctx context.Context) (err error) {
		info, err = x.client.GetCollectionInfo(ctx, x.alias(id))
		return err
	})
	if err != nil {
		return err
	}
	return x.index(ctx, x.alias(id), func(field string) bool { return info.GetPayloadSchema()[field] == nil })
}

// index makes the payload indexes for which wanted holds.
func (x *Index) index(ctx context.Context, name string, wanted func(field string) bool) error {
	for field, kind := range payloadIndexes {
		if !wanted(field) {
			continue
		}
		err := x.write(ctx, "make a payload index", func(ctx context.Context) error {
			_, err := x.client.CreateFieldIndex(ctx, &qdrant.CreateFieldIndexCollection{CollectionName: name, FieldName: field, FieldType: qdrant.PtrOf(kind), Wait: qdrant.PtrOf(true)})
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// DropCollection removes the collection, every generation of it; removing one that is not there is no error.
func (x *Index) DropCollection(ctx context.Context, id rag.CollectionID) error {
	x.facts.Delete(id)
	names, err := x.generations(ctx, id)
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := x.drop(ctx, name); err != nil {
			return err
		}
	}
	return nil
}

func (x *Index) drop(ctx context.Context, name string) error {
	return x.write(ctx, "delete a collection", func(ctx context.Context) error {
		_, err := x.client.GetCollectionsClient().Delete(ctx, &qdrant.DeleteCollection{CollectionName: name})
		return err // the client's own DeleteCollection makes an error without a type of a collection that is gone
	})
}

// generations lists the Qdrant collections of a collection.
func (x *Index) generations(ctx context.Context, id rag.CollectionID) ([]string, error) {
	var all []string
	err := x.read(ctx, "list collections", func(ctx context.Context) (err error) {
		all, err = x.client.ListCollections(ctx)
		return err
	})
	start := x.alias(id) + "-"
	return slices.DeleteFunc(all, func(name string) bool { return !strings.HasPrefix(name, start) }), err
}

// Collections lists the ids of the collections that the server has under this service's prefix, sorted.
func (x *Index) Collections(ctx context.Context) ([]rag.CollectionID, error) {
	var all []string
	err := x.read(ctx, "list collections", func(ctx context.Context) (err error) {
		all, err = x.client.ListCollections(ctx)
		return err
	})
	var out []rag.CollectionID
	for _, name := range all {
		rest, ours := strings.CutPrefix(name, x.o.Prefix)
		if i := strings.LastIndexByte(rest, '-'); ours && i > 0 {
			out = append(out, rag.CollectionID(rest[:i]))
		}
	}
	slices.Sort(out)
	return slices.Compact(out), err
}

// facts are what is known of a collection without asking each time.
type facts struct {
	dims      int
	points    int
	quantized bool
	at        time.Time
}

// factsAge is for how long the number of points, which decides between exact and approximate search, is taken for known.
const factsAge = 15 * time.Second

// fact returns what is known of the collection; NotFound when there is none.
func (x *Index) fact(ctx context.Context, id rag.CollectionID) (*facts, error) {
	if v, ok := x.facts.Load(id); ok && time.Since(v.(*facts).at) < factsAge {
		return v.(*facts), nil
	}
	var info *qdrant.CollectionInfo
	err := x.read(ctx, "look at a collection", func(ctx context.Context) (err error) {
		info, err = x.client.GetCollectionInfo(ctx, x.alias(id))
		return err
	})
	if err != nil {
		x.facts.Delete(id)
		return nil, err
	}
	params := info.GetConfig().GetParams().GetVectorsConfig().GetParamsMap().GetMap()[denseVector]
	if params == nil {
		return nil, rag.Errorf(rag.Internal, "The Qdrant collection %s has no vector named %s; it was not made by this service.", x.alias(id), denseVector)
	}
	f := &facts{dims: int(params.GetSize()), points: int(info.GetPointsCount()), quantized: params.GetQuantizationConfig() != nil, at: time.Now()}
	x.facts.Store(id, f)
	return f, nil
}
