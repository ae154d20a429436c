package qdrant

import (
	"context"
	"encoding/hex"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/qdrant/go-client/qdrant"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// point is a stored point. Dense vectors are normalised, as Qdrant stores them under cosine.
type point struct {
	id      string // a canonical UUID
	dense   map[string][]float32
	sparse  map[string]map[uint32]float32
	payload map[string]*qdrant.Value
}

type points struct {
	qdrant.UnimplementedPointsServer
	s *Server
}

func invalid(format string, args ...any) error {
	return status.Errorf(codes.InvalidArgument, format, args...)
}

// idOf is a point id in canonical form. Integers are not needed here and are refused.
func idOf(p *qdrant.PointId) (string, error) {
	raw := strings.ToLower(strings.Trim(strings.TrimPrefix(p.GetUuid(), "urn:uuid:"), "{}"))
	raw = strings.ReplaceAll(raw, "-", "")
	if b, err := hex.DecodeString(raw); err != nil || len(b) != 16 {
		return "", invalid("Unable to parse UUID: %s", p.GetUuid())
	}
	return raw[:8] + "-" + raw[8:12] + "-" + raw[12:16] + "-" + raw[16:20] + "-" + raw[20:], nil
}

// result answers a write: applied at once with wait, else after a while.
func result(wait bool, apply func()) *qdrant.PointsOperationResponse {
	if wait {
		apply()
		return &qdrant.PointsOperationResponse{Result: &qdrant.UpdateResult{Status: qdrant.UpdateStatus_Completed}}
	}
	go func() {
		time.Sleep(50 * time.Millisecond)
		apply()
	}()
	return &qdrant.PointsOperationResponse{Result: &qdrant.UpdateResult{Status: qdrant.UpdateStatus_Acknowledged}}
}

// Upsert takes a batch whole or, when one point of it is bad, not at all. NaN and zero vectors are taken, as the real server takes them.
func (p points) Upsert(_ context.Context, r *qdrant.UpsertPoints) (*qdrant.PointsOperationResponse, error) {
	c, err := p.s.find(r.GetCollectionName())
	if err != nil {
		return nil, err
	}
	batch := make([]*point, 0, len(r.GetPoints()))
	for _, in := range r.GetPoints() {
		q := &point{dense: map[string][]float32{}, sparse: map[string]map[uint32]float32{}, payload: in.GetPayload()}
		if q.id, err = idOf(in.GetId()); err != nil {
			return nil, err
		}
		if err := finite(q.payload); err != nil {
			return nil, err
		}
		for name, v := range in.GetVectors().GetVectors().GetVectors() {
			switch {
			case c.dense[name] != nil:
				data := v.GetDense().GetData()
				if len(data) != int(c.dense[name].GetSize()) {
					return nil, invalid("Wrong input: Vector dimension error: expected dim: %d, got %d", c.dense[name].GetSize(), len(data))
				}
				q.dense[name] = normalised(data)
			case c.sparse[name] != nil:
				if q.sparse[name], err = sparseOf(v.GetSparse()); err != nil {
					return nil, err
				}
			default:
				return nil, invalid("Wrong input: Not existing vector name error: %s", name)
			}
		}
		batch = append(batch, q)
	}
	return result(r.GetWait(), func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		for _, q := range batch {
			c.points[q.id] = q
		}
	}), nil
}

func finite(values map[string]*qdrant.Value) error {
	for _, v := range values {
		switch k := v.GetKind().(type) {
		case *qdrant.Value_DoubleValue:
			if math.IsNaN(k.DoubleValue) || math.IsInf(k.DoubleValue, 0) {
				return invalid("Malformed payload: not a JSON number")
			}
		case *qdrant.Value_StructValue:
			if err := finite(k.StructValue.GetFields()); err != nil {
				return err
			}
		}
	}
	return nil
}

func normalised(v []float32) []float32 {
	var sum float64
	for _, x := range v {
		sum += float64(x) * float64(x)
	}
	out := slices.Clone(v)
	if length := math.Sqrt(sum); length > 0 {
		for i := range out {
			out[i] = float32(float64(v[i]) / length)
		}
	}
	return out
}

func sparseOf(v *qdrant.SparseVector) (map[uint32]float32, error) {
	if len(v.GetIndices()) != len(v.GetValues()) {
		return nil, invalid("Validation error: [values: must be the same length as indices]")
	}
	out := make(map[uint32]float32, len(v.GetIndices()))
	for i, id := range v.GetIndices() {
		if _, double := out[id]; double {
			return nil, invalid("Validation error: [indices: must be unique]")
		}
		out[id] = v.GetValues()[i]
	}
	return out, nil
}

// Delete removes points by id or by filter; ids that are not there are passed over.
func (p points) Delete(_ context.Context, r *qdrant.DeletePoints) (*qdrant.PointsOperationResponse, error) {
	c, err := p.s.find(r.GetCollectionName())
	if err != nil {
		return nil, err
	}
	gone := map[string]bool{}
	for _, id := range r.GetPoints().GetPoints().GetIds() {
		canonical, err := idOf(id)
		if err != nil {
			return nil, err
		}
		gone[canonical] = true
	}
	filter := r.GetPoints().GetFilter()
	return result(r.GetWait(), func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		maps.DeleteFunc(c.points, func(id string, q *point) bool { return gone[id] || filter != nil && matches(filter, q) })
	}), nil
}

func (p points) CreateFieldIndex(_ context.Context, r *qdrant.CreateFieldIndexCollection) (*qdrant.PointsOperationResponse, error) {
	c, err := p.s.find(r.GetCollectionName())
	if err != nil {
		return nil, err
	}
	return result(r.GetWait(), func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.indexes[r.GetFieldName()] = r.GetFieldType() // over an index of another type, without a word
	}), nil
}

func (p points) DeleteFieldIndex(_ context.Context, r *qdrant.DeleteFieldIndexCollection) (*qdrant.PointsOperationResponse, error) {
	c, err := p.s.find(r.GetCollectionName())
	if err != nil {
		return nil, err
	}
	return result(r.GetWait(), func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.indexes, r.GetFieldName())
	}), nil
}

func (p points) Count(_ context.Context, r *qdrant.CountPoints) (*qdrant.CountResponse, error) {
	c, err := p.s.find(r.GetCollectionName())
	if err != nil {
		return nil, err
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	var n uint64
	for _, q := range c.points {
		if matches(r.GetFilter(), q) {
			n++
		}
	}
	return &qdrant.CountResponse{Result: &qdrant.CountResult{Count: n}}, nil
}

// Scroll lists points by id from the offset on; the id after the page comes with it.
func (p points) Scroll(_ context.Context, r *qdrant.ScrollPoints) (*qdrant.ScrollResponse, error) {
	c, err := p.s.find(r.GetCollectionName())
	if err != nil {
		return nil, err
	}
	limit := 10
	if r.Limit != nil {
		if limit = int(r.GetLimit()); limit == 0 {
			return nil, invalid("Validation error: [limit: value 0 invalid, must be 1 or larger]")
		}
	}
	from := ""
	if r.GetOffset() != nil {
		if from, err = idOf(r.GetOffset()); err != nil {
			return nil, err
		}
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	out := &qdrant.ScrollResponse{}
	for _, id := range slices.Sorted(maps.Keys(c.points)) {
		q := c.points[id]
		if id < from || !matches(r.GetFilter(), q) {
			continue
		}
		if len(out.Result) == limit {
			out.NextPageOffset = qdrant.NewIDUUID(id)
			break
		}
		out.Result = append(out.Result, &qdrant.RetrievedPoint{Id: qdrant.NewIDUUID(id), Payload: selected(q.payload, r.GetWithPayload(), true)})
	}
	return out, nil
}

// Get drops missing ids silently and folds doubles.
func (p points) Get(_ context.Context, r *qdrant.GetPoints) (*qdrant.GetResponse, error) {
	c, err := p.s.find(r.GetCollectionName())
	if err != nil {
		return nil, err
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	out, seen := &qdrant.GetResponse{}, map[string]bool{}
	for _, in := range r.GetIds() {
		id, err := idOf(in)
		if err != nil {
			return nil, err
		}
		if q := c.points[id]; q != nil && !seen[id] {
			seen[id] = true
			out.Result = append(out.Result, &qdrant.RetrievedPoint{Id: qdrant.NewIDUUID(id), Payload: selected(q.payload, r.GetWithPayload(), true)})
		}
	}
	return out, nil
}

func selected(payload map[string]*qdrant.Value, s *qdrant.WithPayloadSelector, byDefault bool) map[string]*qdrant.Value {
	switch s := s.GetSelectorOptions().(type) {
	case nil:
		if byDefault {
			return payload
		}
	case *qdrant.WithPayloadSelector_Enable:
		if s.Enable {
			return payload
		}
	case *qdrant.WithPayloadSelector_Include:
		out := map[string]*qdrant.Value{}
		for _, field := range s.Include.GetFields() {
			if v, ok := payload[field]; ok {
				out[field] = v
			}
		}
		return out
	}
	return nil
}
