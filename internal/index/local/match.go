package local

import "footnote/internal/rag"

// match evaluates a filter over a segment's columns: a bit for each run, as rag.Filter.Matches has it. The caller owns the bitset.
func (s *segment) match(f *rag.Filter) bitset {
	n := len(s.runs) - 1
	switch f.Op {
	case rag.OpAnd:
		b := full(n)
		for i := range f.Filters {
			b.and(s.match(&f.Filters[i]))
		}
		return b
	case rag.OpOr:
		b := newBitset(n)
		for i := range f.Filters {
			b.or(s.match(&f.Filters[i]))
		}
		return b
	case rag.OpNot:
		b := s.match(&f.Filters[0])
		b.flip(n)
		return b
	}
	b := newBitset(n)
	k := s.columns[f.Key]
	mark := func(runs []uint32) {
		for _, r := range runs {
			b.set(int(r))
		}
	}
	compare := func(op rag.FilterOp, v any) {
		switch v := v.(type) {
		case string:
			mark(k.texts.with(op, v))
		case float64:
			mark(k.numbers.with(op, v))
		case bool:
			if op == rag.OpEq { // booleans have no order
				n := 0.0
				if v {
					n = 1
				}
				mark(k.truths.with(op, n))
			}
		}
	}
	if k != nil {
		switch f.Op {
		case rag.OpExists:
			mark(k.present)
		case rag.OpEq, rag.OpNe:
			compare(rag.OpEq, f.Value)
		case rag.OpIn, rag.OpNin:
			for _, v := range f.Values {
				compare(rag.OpEq, v)
			}
		default:
			compare(f.Op, f.Value)
		}
	}
	if f.Op == rag.OpNe || f.Op == rag.OpNin {
		b.flip(n)
	}
	return b
}

// spread turns a bit a run into a bit a point.
func (s *segment) spread(runs bitset) bitset {
	b := newBitset(s.n)
	for r := range runs.each() {
		b.setRange(int(s.runs[r]), int(s.runs[r+1]))
	}
	return b
}
