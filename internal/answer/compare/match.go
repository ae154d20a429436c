package compare

import "slices"

// matching pairs the tokens of a claim with those of its source.
type matching struct {
	claim, source *Text
	to            []int // claim token → source token, or -1
	from          []int // source token → claim token, or -1
	tiles         []tile
}

// tile is a run of tokens that claim and source share.
type tile struct{ claim, source, length int }

// match tiles the claim with runs of the source, the weightiest first (greedy string tiling: Wise, "String similarity via greedy string tiling", 1993), so that
// clauses may change places. What is left over is then matched token by token where its neighbours are.
func match(claim, source *Text) *matching {
	m := &matching{claim: claim, source: source, to: fill(len(claim.tokens)), from: fill(len(source.tokens))}
	runs := m.runs()
	slices.SortStableFunc(runs, func(a, b run) int {
		switch {
		case a.weight > b.weight:
			return -1
		case a.weight < b.weight:
			return 1
		}
		return abs(a.claim-a.source) - abs(b.claim-b.source)
	})
	for _, r := range runs {
		m.place(r.tile)
	}
	slices.SortFunc(m.tiles, func(a, b tile) int { return a.claim - b.claim })
	m.fillGaps()
	return m
}

func fill(n int) []int {
	s := make([]int, n)
	for i := range s {
		s[i] = -1
	}
	return s
}

func abs(n int) int { return max(n, -n) }

type run struct {
	tile
	weight float64
}

// weight is how much a shared token says.
func (k *token) weight() float64 {
	switch {
	case k.number != nil:
		return 1
	case k.han && len(k.word) <= 3: // one character
		if k.stop {
			return 0.2
		}
		return 0.5
	case k.stop:
		return 0.3
	}
	return 1
}

// runs lists the maximal runs of equal tokens.
func (m *matching) runs() []run {
	var out []run
	width := len(m.source.tokens)
	last, here := make([]int, width+1), make([]int, width+1)
	for i := range m.claim.tokens {
		for j := range m.source.tokens {
			here[j+1] = 0
			if m.same(i, j) {
				here[j+1] = last[j] + 1
				if i+1 == len(m.claim.tokens) || j+1 == width || !m.same(i+1, j+1) {
					n := here[j+1]
					r := run{tile: tile{i - n + 1, j - n + 1, n}}
					for k := r.claim; k <= i; k++ {
						r.weight += m.claim.tokens[k].weight()
					}
					if r.weight >= 1 {
						out = append(out, r)
					}
				}
			}
		}
		last, here = here, last
	}
	return out
}

func (m *matching) same(i, j int) bool {
	a, b := &m.claim.tokens[i], &m.source.tokens[j]
	return a.key == b.key || a.number != nil && b.number != nil && a.number.class == b.number.class && a.number.same(*b.number)
}

// place accepts what is free of a run.
func (m *matching) place(r tile) {
	for k := 0; k < r.length; {
		if m.to[r.claim+k] >= 0 || m.from[r.source+k] >= 0 {
			k++
			continue
		}
		n, weight := 0, 0.0
		for k+n < r.length && m.to[r.claim+k+n] < 0 && m.from[r.source+k+n] < 0 {
			weight += m.claim.tokens[r.claim+k+n].weight()
			n++
		}
		if weight >= 1 {
			for x := range n {
				m.to[r.claim+k+x], m.from[r.source+k+x] = r.source+k+x, r.claim+k+x
			}
			m.tiles = append(m.tiles, tile{r.claim + k, r.source + k, n})
		}
		k += n
	}
}

// fillGaps pairs equal tokens that say too little to be matched anywhere, between matched ones.
func (m *matching) fillGaps() {
	for i := range m.to {
		if m.to[i] >= 0 {
			continue
		}
		from, to := m.gap(i)
		for j := from; j < to; j++ {
			if m.from[j] < 0 && m.same(i, j) {
				m.to[i], m.from[j] = j, i
				break
			}
		}
	}
}

// widestGap is how many tokens of the source may stand in the place of some of the claim.
const widestGap = 8

// gap is the range of source tokens [from, to) that stand where the claim's unmatched token i does: between the matches of its neighbours, or beside one of them.
func (m *matching) gap(i int) (from, to int) {
	left, right := i-1, i+1
	for left >= 0 && m.to[left] < 0 {
		left--
	}
	for right < len(m.to) && m.to[right] < 0 {
		right++
	}
	a, b := -1, len(m.from)
	if left >= 0 {
		a = m.to[left]
	}
	if right < len(m.to) {
		b = m.to[right]
	}
	if a < b && b-a-1 <= widestGap && b-a > 1 && (left >= 0 || right < len(m.to)) {
		return a + 1, b
	}
	// Out of order, or too far apart: beside the nearer neighbour only.
	if left >= 0 && i-left <= 2 {
		end := a + 1
		for end < len(m.from) && m.from[end] < 0 && end-a <= i-left+1 {
			end++
		}
		if end > a+1 {
			return a + 1, end
		}
	}
	if right < len(m.to) && right-i <= 2 {
		start := b
		for start > 0 && m.from[start-1] < 0 && b-start <= right-i {
			start--
		}
		if start < b {
			return start, b
		}
	}
	return 0, 0
}

// slot is the stretch of claim tokens [from, to) around i that have no match.
func (m *matching) slot(i int) (from, to int) {
	from, to = i, i+1
	for from > 0 && m.to[from-1] < 0 {
		from--
	}
	for to < len(m.to) && m.to[to] < 0 {
		to++
	}
	return from, to
}

// coverage is the share of the claim's content that has a match in the source.
func (m *matching) coverage() float64 {
	var have, want float64
	for i := range m.claim.tokens {
		k := &m.claim.tokens[i]
		if k.stop {
			continue
		}
		want += k.weight()
		if m.to[i] >= 0 {
			have += k.weight()
		}
	}
	if want == 0 {
		return 0
	}
	return have / want
}
