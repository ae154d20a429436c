package local

import (
	"bytes"
	"slices"

	"footnote/internal/rag"
)

// found is a point that a search found, before it has a name. home is a segment's place in the snapshot, len(segments) for the head.
type found struct {
	score float64
	home  int32
	at    uint32
}

// top keeps the k best: greater score first, then smaller id. A heap whose root is the worst of them, written out because container/heap boxes
// every item.
type top struct {
	s     *snapshot
	k     int
	items []found
}

func (s *snapshot) top(k int) *top { return &top{s: s, k: max(k, 0)} }

func (s *snapshot) id(f found) pointID {
	if int(f.home) == len(s.segments) {
		return s.head.id(int(f.at))
	}
	return s.segments[f.home].ids[f.at]
}

// before tells whether a is better than b.
func (s *snapshot) before(a, b found) bool {
	if a.score != b.score {
		return a.score > b.score
	}
	x, y := s.id(a), s.id(b)
	return bytes.Compare(x[:], y[:]) < 0
}

// before tells whether the i-th item is better than the j-th. It is small enough to be inlined: the way down the heap is made of it, and equal scores are rare.
func (t *top) before(i, j int) bool {
	a, b := &t.items[i], &t.items[j]
	if a.score != b.score {
		return a.score > b.score
	}
	return t.s.before(*a, *b)
}

func (t *top) full() bool { return len(t.items) == t.k }

// least is the score that a newcomer has to reach; only when t is full.
func (t *top) least() float64 { return t.items[0].score }

func (t *top) offer(f found) {
	if t.k == 0 {
		return
	}
	if !t.full() {
		t.items = append(t.items, f)
		for i := len(t.items) - 1; i > 0; {
			parent := (i - 1) / 2
			if !t.before(parent, i) {
				break
			}
			t.items[parent], t.items[i] = t.items[i], t.items[parent]
			i = parent
		}
		return
	}
	if f.score < t.items[0].score || !t.s.before(f, t.items[0]) {
		return
	}
	t.items[0] = f
	for i := 0; ; {
		worst := i
		for child := 2*i + 1; child <= 2*i+2 && child < len(t.items); child++ {
			if t.before(worst, child) {
				worst = child
			}
		}
		if worst == i {
			return
		}
		t.items[i], t.items[worst] = t.items[worst], t.items[i]
		i = worst
	}
}

// candidates are the items, best first. unit is what one of their scores is worth.
func (t *top) candidates(unit float64) []rag.Candidate {
	slices.SortFunc(t.items, func(a, b found) int {
		if t.s.before(a, b) {
			return -1
		}
		return 1
	})
	out := make([]rag.Candidate, len(t.items))
	for i, f := range t.items {
		out[i] = rag.Candidate{ID: t.s.id(f).chunk(), Score: f.score * unit}
	}
	return out
}
