package qdrant

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strconv"

	"github.com/qdrant/go-client/qdrant"

	"footnote/internal/rag"
)

// The payload has a closed form, whatever keys metadata has, so that all of its indexes can be made before the first point:
//
//	document  the document's id
//	has       a token for each key ("team") and for each key with its value ("team"="hr"): equality and existence
//	order     an object for each number or string: {key, value, n} or {key, value, a, b, c, d}, where key and value are the
//	          tokens, n is the number, and a to d are the string's first 24 bytes, 6 to a number: range comparisons
//
// Qdrant compares strings only as dates, and floats only by range; tokens and numbers do all of it, exactly.
const (
	fieldDocument = "document"
	fieldHas      = "has"
	fieldOrder    = "order"
)

// rankFields are the numbers that hold the start of a string, rankBytes of it each: 48 bits, which a float64 holds exactly.
var rankFields = [4]string{"a", "b", "c", "d"}

const rankBytes = 6

var payloadIndexes = map[string]qdrant.FieldType{
	fieldDocument:         qdrant.FieldType_FieldTypeKeyword,
	fieldHas:              qdrant.FieldType_FieldTypeKeyword,
	fieldOrder + "[].key": qdrant.FieldType_FieldTypeKeyword,
	fieldOrder + "[].n":   qdrant.FieldType_FieldTypeFloat,
	fieldOrder + "[].a":   qdrant.FieldType_FieldTypeFloat,
}

// keyToken stands for a key of the metadata.
func keyToken(key string) string { return bounded(strconv.Quote(key)) }

// valueToken stands for a key with a value (string, float64 or bool).
func valueToken(key string, v any) string {
	s := strconv.Quote(key) + "="
	switch v := v.(type) {
	case string:
		s += strconv.Quote(v)
	case float64:
		s += strconv.FormatFloat(v+0, 'g', -1, 64) // -0 + 0 = 0: the two zeros are equal
	case bool:
		s += strconv.FormatBool(v)
	}
	return bounded(s)
}

// bounded keeps tokens short: a long one is replaced by its hash.
func bounded(s string) string {
	if len(s) <= 128 {
		return s
	}
	sum := sha256.Sum256([]byte(s))
	return "sha256:" + hex.EncodeToString(sum[:])
}

// ranks are the first 24 bytes of s as four numbers that compare as the bytes do; a shorter string is padded with zeros.
func ranks(s string) (r [4]float64) {
	for i := range r {
		var n uint64
		for j := range rankBytes {
			n <<= 8
			if at := i*rankBytes + j; at < len(s) {
				n |= uint64(s[at])
			}
		}
		r[i] = float64(n)
	}
	return r
}

// payloadOf makes a point's payload and tells about how many bytes it has.
func payloadOf(p rag.Point) (map[string]*qdrant.Value, int) {
	var has, order []*qdrant.Value
	size := len(p.Document) + 32
	token := func(s string) *qdrant.Value {
		size += len(s) + 8
		v := qdrant.NewValueString(s)
		has = append(has, v)
		return v
	}
	for key, value := range p.Metadata {
		k := token(keyToken(key))
		items := []any{value}
		if list, ok := value.([]string); ok {
			items = items[:0]
			for _, s := range list {
				items = append(items, s)
			}
		}
		for _, item := range items {
			v := token(valueToken(key, item))
			fields := map[string]*qdrant.Value{"key": k, "value": v}
			switch item := item.(type) {
			case float64:
				fields["n"] = qdrant.NewValueDouble(item)
			case string:
				for i, r := range ranks(item) {
					fields[rankFields[i]] = qdrant.NewValueDouble(r)
				}
			default:
				continue // booleans have no order
			}
			size += len(k.GetStringValue()) + len(v.GetStringValue()) + 64
			order = append(order, qdrant.NewValueFromFields(fields))
		}
	}
	return map[string]*qdrant.Value{
		fieldDocument: qdrant.NewValueString(string(p.Document)),
		fieldHas:      qdrant.NewValueFromList(has...),
		fieldOrder:    qdrant.NewValueFromList(order...),
	}, size
}

// filterOf translates a filter. Whatever satisfies f satisfies the translation. The reverse holds but for ranges of strings that agree in their first 24
// bytes: there the translation lets a point pass, and the caller, who knows the metadata, checks it (rag.Filter.Matches).
func filterOf(f *rag.Filter) *qdrant.Filter {
	if f == nil {
		return nil
	}
	return &qdrant.Filter{Must: []*qdrant.Condition{condition(f, true)}}
}

// condition translates a node: into one that holds at least where f does (over), or at most there. Below a not, the one turns into the
// other.
func condition(f *rag.Filter, over bool) *qdrant.Condition {
	has := func(token string) *qdrant.Condition { return qdrant.NewMatchKeyword(fieldHas, token) }
	switch f.Op {
	case rag.OpAnd:
		return all(conditions(f.Filters, over)...)
	case rag.OpOr:
		return some(conditions(f.Filters, over)...)
	case rag.OpNot:
		return none(condition(&f.Filters[0], !over))
	case rag.OpExists:
		return has(keyToken(f.Key))
	case rag.OpEq:
		return has(valueToken(f.Key, f.Value))
	case rag.OpNe:
		return none(has(valueToken(f.Key, f.Value)))
	case rag.OpIn, rag.OpNin:
		tokens := make([]string, len(f.Values))
		for i, v := range f.Values {
			tokens[i] = valueToken(f.Key, v)
		}
		c := qdrant.NewMatchKeywords(fieldHas, tokens...)
		if f.Op == rag.OpNin {
			return none(c)
		}
		return c
	}
	var compared *qdrant.Condition
	switch v := f.Value.(type) {
	case float64:
		compared = qdrant.NewRange("n", rangeOf(f.Op, v))
	case string:
		compared = compareString(f, v, over)
	}
	return qdrant.NewNestedFilter(fieldOrder, &qdrant.Filter{Must: []*qdrant.Condition{qdrant.NewMatchKeyword("key", keyToken(f.Key)), compared}})
}

func conditions(fs []rag.Filter, over bool) []*qdrant.Condition {
	out := make([]*qdrant.Condition, len(fs))
	for i := range fs {
		out[i] = condition(&fs[i], over)
	}
	return out
}

func rangeOf(op rag.FilterOp, v float64) *qdrant.Range {
	switch op {
	case rag.OpGt:
		return &qdrant.Range{Gt: &v}
	case rag.OpGte:
		return &qdrant.Range{Gte: &v}
	case rag.OpLt:
		return &qdrant.Range{Lt: &v}
	}
	return &qdrant.Range{Lte: &v}
}

// compareString compares by the four numbers, the first that differs deciding. Where all are equal, the strings may still differ further on.
func compareString(f *rag.Filter, bound string, over bool) *qdrant.Condition {
	strict := rag.OpGt
	if f.Op == rag.OpLt || f.Op == rag.OpLte {
		strict = rag.OpLt
	}
	var before, options []*qdrant.Condition // before: the numbers so far are equal
	for i, r := range ranks(bound) {
		differs := qdrant.NewRange(rankFields[i], rangeOf(strict, r))
		options = append(options, all(append(slices.Clip(before), differs)...))
		before = append(before, qdrant.NewRange(rankFields[i], &qdrant.Range{Gte: &r, Lte: &r}))
	}
	equal := qdrant.NewMatchKeyword("value", valueToken(f.Key, bound))
	switch inclusive := f.Op == rag.OpGte || f.Op == rag.OpLte; {
	case inclusive && over:
		options = append(options, all(before...))
	case inclusive:
		options = append(options, equal)
	case over:
		options = append(options, all(append(before, none(equal))...))
	}
	return some(options...)
}

func all(c ...*qdrant.Condition) *qdrant.Condition {
	return qdrant.NewFilterAsCondition(&qdrant.Filter{Must: c})
}

func some(c ...*qdrant.Condition) *qdrant.Condition {
	return qdrant.NewFilterAsCondition(&qdrant.Filter{Should: c})
}

func none(c ...*qdrant.Condition) *qdrant.Condition {
	return qdrant.NewFilterAsCondition(&qdrant.Filter{MustNot: c})
}
