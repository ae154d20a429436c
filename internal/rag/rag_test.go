package rag

import (
	"context"
	"errors"
	"fmt"
	"math"
	"regexp"
	"strings"
	"testing"
	"testing/quick"
)

func TestErrorf_KeepsTheCauseOutOfTheMessage(t *testing.T) {
	cause := errors.New("disk on fire")
	err := fmt.Errorf("save: %w", Errorf(Unavailable, "The store cannot be reached: %w", cause))
	if CodeOf(err) != Unavailable || !errors.Is(err, cause) {
		t.Fatalf("got code %q, is cause %t", CodeOf(err), errors.Is(err, cause))
	}
	var e *Error
	if !errors.As(err, &e) || e.Message != "The store cannot be reached" {
		t.Fatalf("got message %q", e.Message)
	}
	for err, want := range map[error]Code{context.Canceled: Cancelled, context.DeadlineExceeded: Timeout, cause: Internal} {
		if got := CodeOf(err); got != want {
			t.Errorf("CodeOf(%v): got %q, want %q", err, got, want)
		}
	}
}

func TestNewChunkID_IsStableAndTellsOccurrencesApart(t *testing.T) {
	canonical := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	if err := quick.Check(func(text string, n uint8) bool {
		a, b := NewChunkID("doc_a", text, int(n)), NewChunkID("doc_a", text, int(n))
		other, next := NewChunkID("doc_b", text, int(n)), NewChunkID("doc_a", text, int(n)+1)
		return a == b && a != other && a != next && canonical.MatchString(string(a))
	}, nil); err != nil {
		t.Fatal(err)
	}
}

func TestSpan_Relations(t *testing.T) {
	if err := quick.Check(func(a, n, m uint16) bool {
		s, err := NewSpan(int(a), int(a)+int(n)+1)
		if err != nil || s.Len() != int(n)+1 {
			return false
		}
		u := s.Shift(int(m))
		return u.Len() == s.Len() && s.Contains(s) && s.Overlaps(u) == (int(m) < s.Len()) && s.Overlaps(u) == u.Overlaps(s)
	}, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := NewSpan(3, 2); CodeOf(err) != Invalid {
		t.Fatalf("got %v, want invalid", err)
	}
}

func TestFilter_Matches(t *testing.T) {
	m := Metadata{"team": "人事", "year": 2024.0, "draft": false, "tags": []string{"請假", "leave"}}
	eq := func(k string, v any) Filter { return Filter{Op: OpEq, Key: k, Value: v} }
	for _, c := range []struct {
		name string
		f    Filter
		want bool
	}{
		{"eq", eq("team", "人事"), true},
		{"eq other type", eq("year", "2024"), false},
		{"eq any item", eq("tags", "leave"), true},
		{"ne", Filter{Op: OpNe, Key: "tags", Value: "leave"}, false},
		{"ne absent", Filter{Op: OpNe, Key: "none", Value: "x"}, true},
		{"gt", Filter{Op: OpGt, Key: "year", Value: 2023.0}, true},
		{"lte", Filter{Op: OpLte, Key: "year", Value: 2023.0}, false},
		{"gt absent", Filter{Op: OpGt, Key: "none", Value: 1.0}, false},
		{"in", Filter{Op: OpIn, Key: "team", Values: []any{"x", "人事"}}, true},
		{"nin absent", Filter{Op: OpNin, Key: "none", Values: []any{"x"}}, true},
		{"exists", Filter{Op: OpExists, Key: "draft"}, true},
		{"not", Filter{Op: OpNot, Filters: []Filter{eq("draft", true)}}, true},
		{"and", Filter{Op: OpAnd, Filters: []Filter{eq("draft", false), eq("team", "it")}}, false},
		{"or", Filter{Op: OpOr, Filters: []Filter{eq("draft", true), eq("tags", "請假")}}, true},
	} {
		if err := c.f.Validate(); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if got := c.f.Matches(m); got != c.want {
			t.Errorf("%s: got %t, want %t", c.name, got, c.want)
		}
	}
}

func TestFilter_ValidateNamesTheNode(t *testing.T) {
	deep := Filter{Op: OpEq, Key: "a", Value: "b"}
	for range MaxFilterDepth {
		deep = Filter{Op: OpNot, Filters: []Filter{deep}}
	}
	for at, f := range map[string]Filter{
		"/filter/type":            {Op: "like", Key: "a", Value: "b"},
		"/filter/key":             {Op: OpEq, Value: "b"},
		"/filter/value":           {Op: OpGt, Key: "a", Value: true},
		"/filter/filters/0/value": {Op: OpAnd, Filters: []Filter{{Op: OpIn, Key: "a"}}},
		"/filter" + strings.Repeat("/filters/0", MaxFilterDepth): deep,
	} {
		var e *Error
		if err := f.Validate(); !errors.As(err, &e) || e.Field != at {
			t.Errorf("got %v, want an error at %q", err, at)
		}
	}
}

func TestMetadata_RefusesWhatNoStoreKeeps(t *testing.T) {
	for _, m := range []Metadata{{"": "x"}, {"n": math.NaN()}, {"o": map[string]any{}}, {"s": "\xff"}, {"l": []string{"\xff"}}} {
		if CodeOf(m.Validate()) != Invalid {
			t.Errorf("%v: got %v, want invalid", m, m.Validate())
		}
	}
	if err := (Metadata{"a": "中文", "b": 1.5, "c": true, "d": []string{"x"}}).Validate(); err != nil {
		t.Error(err)
	}
}

func TestQuery_ValidateNamesTheField(t *testing.T) {
	ok := Query{Text: "多长？", Collections: []string{"handbook"}}.WithDefaults()
	if err := ok.Validate(); err != nil {
		t.Fatal(err)
	}
	for field, change := range map[string]func(*Query){
		"/query":         func(q *Query) { q.Text = " \n" },
		"/top_k":         func(q *Query) { q.TopK = 5000 },
		"/mode":          func(q *Query) { q.Mode = "magic" },
		"/collections":   func(q *Query) { q.Collections = nil },
		"/collections/1": func(q *Query) { q.Collections = []string{"a", "../b"} },
	} {
		q := ok
		change(&q)
		var e *Error
		if err := q.Validate(); !errors.As(err, &e) || e.Field != field {
			t.Errorf("got %v, want field %s", err, field)
		}
	}
}

func TestEmbedding_Validate(t *testing.T) {
	for _, e := range []Embedding{{1}, {0, 0}, {float32(math.NaN()), 1}, {float32(math.Inf(1)), 1}} {
		if e.Validate(2) == nil {
			t.Errorf("%v passed", e)
		}
	}
	if err := (Embedding{0.6, 0.8}).Validate(2); err != nil {
		t.Error(err)
	}
}
