package qdrant

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/qdrant/go-client/qdrant"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

// collection is what the server holds of one.
type collection struct {
	mu      sync.RWMutex
	config  *qdrant.CreateCollection
	dense   map[string]*qdrant.VectorParams
	sparse  map[string]*qdrant.SparseVectorParams
	indexes map[string]qdrant.FieldType
	points  map[string]*point
}

type collections struct {
	qdrant.UnimplementedCollectionsServer
	s *Server
}

// find resolves a name or an alias.
func (s *Server) find(name string) (*collection, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if target, ok := s.aliases[name]; ok {
		name = target
	}
	if c := s.collections[name]; c != nil {
		return c, nil
	}
	return nil, status.Errorf(codes.NotFound, "Not found: Collection `%s` doesn't exist!", name)
}

func checkName(name string) error {
	if n := len(name); n < 1 || n > 255 || strings.ContainsAny(name, "/:\x00<>\"|?*\\") {
		return status.Error(codes.InvalidArgument, "Validation error in body: [collection_name: invalid]")
	}
	return nil
}

func (c collections) Create(_ context.Context, r *qdrant.CreateCollection) (*qdrant.CollectionOperationResponse, error) {
	if err := checkName(r.GetCollectionName()); err != nil {
		return nil, err
	}
	made := &collection{config: proto.CloneOf(r), dense: r.GetVectorsConfig().GetParamsMap().GetMap(), sparse: r.GetSparseVectorsConfig().GetMap(),
		indexes: map[string]qdrant.FieldType{}, points: map[string]*point{}}
	for _, v := range made.dense {
		if v.GetSize() < 1 || v.GetSize() > 65536 || v.GetDistance() == qdrant.Distance_UnknownDistance {
			return nil, status.Error(codes.InvalidArgument, "Validation error in body: [params.size: value is not in range]")
		}
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	name := r.GetCollectionName()
	if c.s.collections[name] != nil || c.s.aliases[name] != "" {
		return nil, status.Errorf(codes.AlreadyExists, "Wrong input: Collection `%s` already exists!", name)
	}
	c.s.collections[name] = made
	return &qdrant.CollectionOperationResponse{Result: true}, nil
}

func (c collections) Get(_ context.Context, r *qdrant.GetCollectionInfoRequest) (*qdrant.GetCollectionInfoResponse, error) {
	found, err := c.s.find(r.GetCollectionName())
	if err != nil {
		return nil, err
	}
	found.mu.RLock()
	defer found.mu.RUnlock()
	schema := map[string]*qdrant.PayloadSchemaInfo{}
	for field, kind := range found.indexes {
		schema[field] = &qdrant.PayloadSchemaInfo{DataType: qdrant.PayloadSchemaType(kind + 1)} // the two enumerations are one apart
	}
	n := uint64(len(found.points))
	return &qdrant.GetCollectionInfoResponse{Result: &qdrant.CollectionInfo{
		Status: qdrant.CollectionStatus_Green, PointsCount: &n, PayloadSchema: schema, SegmentsCount: 1,
		Config: &qdrant.CollectionConfig{Params: &qdrant.CollectionParams{
			VectorsConfig: found.config.GetVectorsConfig(), SparseVectorsConfig: found.config.GetSparseVectorsConfig(), ShardNumber: max(1, found.config.GetShardNumber()),
		}},
	}}, nil
}

func (c collections) List(context.Context, *qdrant.ListCollectionsRequest) (*qdrant.ListCollectionsResponse, error) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	out := &qdrant.ListCollectionsResponse{}
	for name := range c.s.collections {
		out.Collections = append(out.Collections, &qdrant.CollectionDescription{Name: name})
	}
	return out, nil
}

func (c collections) CollectionExists(_ context.Context, r *qdrant.CollectionExistsRequest) (*qdrant.CollectionExistsResponse, error) {
	_, err := c.s.find(r.GetCollectionName())
	return &qdrant.CollectionExistsResponse{Result: &qdrant.CollectionExists{Exists: err == nil}}, nil
}

// Delete takes a collection with its aliases; of a missing one, or of an alias, it says false and no error.
func (c collections) Delete(_ context.Context, r *qdrant.DeleteCollection) (*qdrant.CollectionOperationResponse, error) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	name := r.GetCollectionName()
	if c.s.collections[name] == nil {
		return &qdrant.CollectionOperationResponse{Result: false}, nil
	}
	delete(c.s.collections, name)
	maps.DeleteFunc(c.s.aliases, func(_, target string) bool { return target == name })
	return &qdrant.CollectionOperationResponse{Result: true}, nil
}

// UpdateAliases carries the actions out in turn: when one fails, those before it stay.
func (c collections) UpdateAliases(_ context.Context, r *qdrant.ChangeAliases) (*qdrant.CollectionOperationResponse, error) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	for _, a := range r.GetActions() {
		switch a := a.GetAction().(type) {
		case *qdrant.AliasOperations_CreateAlias:
			name, target := a.CreateAlias.GetAliasName(), a.CreateAlias.GetCollectionName()
			if err := checkName(name); err != nil {
				return nil, err
			}
			if c.s.collections[target] == nil {
				return nil, status.Errorf(codes.NotFound, "Not found: Collection `%s` doesn't exist!", target)
			}
			if c.s.collections[name] != nil {
				return nil, status.Errorf(codes.AlreadyExists, "Wrong input: Collection `%s` already exists!", name)
			}
			c.s.aliases[name] = target // over an existing alias, without a word
		case *qdrant.AliasOperations_DeleteAlias:
			delete(c.s.aliases, a.DeleteAlias.GetAliasName())
		case *qdrant.AliasOperations_RenameAlias:
			target, ok := c.s.aliases[a.RenameAlias.GetOldAliasName()]
			if !ok {
				return nil, status.Errorf(codes.NotFound, "Not found: Alias %s does not exists!", a.RenameAlias.GetOldAliasName())
			}
			delete(c.s.aliases, a.RenameAlias.GetOldAliasName())
			c.s.aliases[a.RenameAlias.GetNewAliasName()] = target
		}
	}
	return &qdrant.CollectionOperationResponse{Result: true}, nil
}

func (c collections) ListAliases(context.Context, *qdrant.ListAliasesRequest) (*qdrant.ListAliasesResponse, error) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	out := &qdrant.ListAliasesResponse{}
	for _, alias := range slices.Sorted(maps.Keys(c.s.aliases)) {
		out.Aliases = append(out.Aliases, &qdrant.AliasDescription{AliasName: alias, CollectionName: c.s.aliases[alias]})
	}
	return out, nil
}

func (c collections) ListCollectionAliases(ctx context.Context, r *qdrant.ListCollectionAliasesRequest) (*qdrant.ListAliasesResponse, error) {
	all, err := c.ListAliases(ctx, nil)
	if err != nil {
		return nil, err
	}
	all.Aliases = slices.DeleteFunc(all.Aliases, func(a *qdrant.AliasDescription) bool { return a.GetCollectionName() != r.GetCollectionName() })
	return all, nil
}
