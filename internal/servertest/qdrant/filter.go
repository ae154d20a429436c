package qdrant

import (
	"slices"
	"strings"

	"github.com/qdrant/go-client/qdrant"
)

// matches tells whether a point satisfies a filter; an empty filter lets all pass.
func matches(f *qdrant.Filter, p *point) bool { return holds(f, p.payload, p.id) }

func holds(f *qdrant.Filter, payload map[string]*qdrant.Value, id string) bool {
	test := func(c *qdrant.Condition) bool { return satisfied(c, payload, id) }
	for _, c := range f.GetMust() {
		if !test(c) {
			return false
		}
	}
	return !slices.ContainsFunc(f.GetMustNot(), test) && (len(f.GetShould()) == 0 || slices.ContainsFunc(f.GetShould(), test))
}

func satisfied(c *qdrant.Condition, payload map[string]*qdrant.Value, id string) bool {
	switch c := c.GetConditionOneOf().(type) {
	case *qdrant.Condition_Filter:
		return holds(c.Filter, payload, id)
	case *qdrant.Condition_HasId:
		return slices.ContainsFunc(c.HasId.GetHasId(), func(p *qdrant.PointId) bool { own, err := idOf(p); return err == nil && own == id })
	case *qdrant.Condition_IsEmpty:
		return len(values(payload, c.IsEmpty.GetKey())) == 0
	case *qdrant.Condition_Nested:
		// Each object of the list by itself.
		return slices.ContainsFunc(values(payload, c.Nested.GetKey()), func(v *qdrant.Value) bool {
			return v.GetStructValue() != nil && holds(c.Nested.GetFilter(), v.GetStructValue().GetFields(), id)
		})
	case *qdrant.Condition_Field:
		return slices.ContainsFunc(values(payload, c.Field.GetKey()), func(v *qdrant.Value) bool { return field(c.Field, v) })
	}
	return false
}

// values finds what stands at a path such as a.b or a[].b; lists stand for their items.
func values(payload map[string]*qdrant.Value, path string) []*qdrant.Value {
	name, rest, deeper := strings.Cut(path, ".")
	v := payload[strings.TrimSuffix(name, "[]")]
	var out []*qdrant.Value
	items := []*qdrant.Value{v}
	if list := v.GetListValue(); list != nil {
		items = list.GetValues()
	}
	for _, item := range items {
		switch {
		case item == nil:
		case deeper:
			out = append(out, values(item.GetStructValue().GetFields(), rest)...)
		default:
			out = append(out, item)
		}
	}
	return out
}

func field(c *qdrant.FieldCondition, v *qdrant.Value) bool {
	if m := c.GetMatch(); m != nil {
		switch m := m.GetMatchValue().(type) {
		case *qdrant.Match_Keyword:
			s, ok := v.GetKind().(*qdrant.Value_StringValue)
			return ok && s.StringValue == m.Keyword
		case *qdrant.Match_Keywords:
			s, ok := v.GetKind().(*qdrant.Value_StringValue)
			return ok && slices.Contains(m.Keywords.GetStrings(), s.StringValue)
		case *qdrant.Match_Integer:
			n, ok := v.GetKind().(*qdrant.Value_IntegerValue)
			return ok && n.IntegerValue == m.Integer
		case *qdrant.Match_Boolean:
			b, ok := v.GetKind().(*qdrant.Value_BoolValue)
			return ok && b.BoolValue == m.Boolean
		}
		return false
	}
	if r := c.GetRange(); r != nil {
		var x float64
		switch k := v.GetKind().(type) {
		case *qdrant.Value_DoubleValue:
			x = k.DoubleValue
		case *qdrant.Value_IntegerValue:
			x = float64(k.IntegerValue)
		default:
			return false
		}
		return (r.Gt == nil || x > *r.Gt) && (r.Gte == nil || x >= *r.Gte) && (r.Lt == nil || x < *r.Lt) && (r.Lte == nil || x <= *r.Lte)
	}
	return false
}
