package rag

import (
	"slices"
	"strconv"
)

// FilterOp is the operator of a filter node.
type FilterOp string

// The operators. A comparison with a list field holds when any item does; with an absent field only ne, nin and not hold.
const (
	OpEq     FilterOp = "eq"
	OpNe     FilterOp = "ne"
	OpGt     FilterOp = "gt"
	OpGte    FilterOp = "gte"
	OpLt     FilterOp = "lt"
	OpLte    FilterOp = "lte"
	OpIn     FilterOp = "in"
	OpNin    FilterOp = "nin"
	OpExists FilterOp = "exists"
	OpAnd    FilterOp = "and"
	OpOr     FilterOp = "or"
	OpNot    FilterOp = "not"
)

// Bounds of a filter tree.
const (
	MaxFilterDepth = 8
	MaxFilterNodes = 128
)

// Filter is a node of a typed condition on a document's metadata. Comparisons use Key and Value; in and nin use Values; and, or
// and not use Filters (not: exactly one). Values are string, float64 or bool.
type Filter struct {
	Op      FilterOp
	Key     string
	Value   any
	Values  []any
	Filters []Filter
}

// Validate reports an Invalid error naming the offending node by a JSON pointer under /filter.
func (f *Filter) Validate() error {
	if f == nil {
		return nil
	}
	nodes := 0
	return f.validate("/filter", 1, &nodes)
}

func (f *Filter) validate(at string, depth int, nodes *int) error {
	*nodes++
	if depth > MaxFilterDepth {
		return FieldErrorf(at, "The filter is nested deeper than %d.", MaxFilterDepth)
	}
	if *nodes > MaxFilterNodes {
		return FieldErrorf(at, "The filter has more than %d conditions.", MaxFilterNodes)
	}
	scalar := func(v any) bool {
		switch v.(type) {
		case string, float64, bool:
			return true
		}
		return false
	}
	switch f.Op {
	case OpAnd, OpOr, OpNot:
		if len(f.Filters) == 0 || (f.Op == OpNot && len(f.Filters) != 1) {
			return FieldErrorf(at+"/filters", "%q needs %s.", f.Op, map[bool]string{true: "exactly one filter", false: "at least one filter"}[f.Op == OpNot])
		}
		for i := range f.Filters {
			if err := f.Filters[i].validate(at+"/filters/"+strconv.Itoa(i), depth+1, nodes); err != nil {
				return err
			}
		}
		return nil
	case OpEq, OpNe, OpGt, OpGte, OpLt, OpLte, OpIn, OpNin, OpExists:
	default:
		return FieldErrorf(at+"/type", "Unknown filter type %q; use eq, ne, gt, gte, lt, lte, in, nin, exists, and, or, not.", Clip(string(f.Op), 40))
	}
	if f.Key == "" || len(f.Key) > MaxMetadataKey {
		return FieldErrorf(at+"/key", "A filter key must be 1 to %d bytes.", MaxMetadataKey)
	}
	switch f.Op {
	case OpEq, OpNe:
		if !scalar(f.Value) {
			return FieldErrorf(at+"/value", "The value of %q must be a string, a number or a boolean.", f.Op)
		}
	case OpGt, OpGte, OpLt, OpLte:
		switch f.Value.(type) {
		case string, float64:
		default:
			return FieldErrorf(at+"/value", "The value of %q must be a number or a string (such as an ISO date).", f.Op)
		}
	case OpIn, OpNin:
		if len(f.Values) == 0 || len(f.Values) > 256 {
			return FieldErrorf(at+"/value", "The value of %q must be a list of 1 to 256 strings, numbers or booleans.", f.Op)
		}
		for _, v := range f.Values {
			if !scalar(v) {
				return FieldErrorf(at+"/value", "The value of %q must hold only strings, numbers and booleans.", f.Op)
			}
		}
	}
	return nil
}

// Matches tells whether m satisfies f; a nil filter matches all. It is the reference that every index agrees with.
func (f *Filter) Matches(m Metadata) bool {
	if f == nil {
		return true
	}
	switch f.Op {
	case OpAnd:
		for i := range f.Filters {
			if !f.Filters[i].Matches(m) {
				return false
			}
		}
		return true
	case OpOr:
		for i := range f.Filters {
			if f.Filters[i].Matches(m) {
				return true
			}
		}
		return false
	case OpNot:
		return !f.Filters[0].Matches(m)
	case OpExists:
		_, ok := m[f.Key]
		return ok
	case OpNe:
		return !anyItem(m[f.Key], func(v any) bool { return v == f.Value })
	case OpEq:
		return anyItem(m[f.Key], func(v any) bool { return v == f.Value })
	case OpIn, OpNin:
		found := anyItem(m[f.Key], func(v any) bool {
			return slices.Contains(f.Values, v)
		})
		return found == (f.Op == OpIn)
	}
	return anyItem(m[f.Key], func(v any) bool {
		c, ok := compare(v, f.Value)
		if !ok {
			return false
		}
		switch f.Op {
		case OpGt:
			return c > 0
		case OpGte:
			return c >= 0
		case OpLt:
			return c < 0
		}
		return c <= 0
	})
}

func anyItem(v any, hold func(any) bool) bool {
	switch v := v.(type) {
	case nil:
		return false
	case []string:
		for _, s := range v {
			if hold(s) {
				return true
			}
		}
		return false
	}
	return hold(v)
}

// compare orders two numbers or two strings; ok is false for anything else.
func compare(a, b any) (c int, ok bool) {
	switch a := a.(type) {
	case float64:
		if b, is := b.(float64); is {
			switch {
			case a < b:
				return -1, true
			case a > b:
				return 1, true
			}
			return 0, a == b
		}
	case string:
		if b, is := b.(string); is {
			switch {
			case a < b:
				return -1, true
			case a > b:
				return 1, true
			}
			return 0, true
		}
	}
	return 0, false
}
