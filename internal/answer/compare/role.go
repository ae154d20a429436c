package compare

import (
	"slices"

	"footnote/internal/rag"
)

// connectives stand between things that may change places.
var connectives = setOf("and or , & with 和 与 及 以及 或 跟 同 、")

// roles finds two names, or two stretches of words, that have changed places: each stands among the other's words.
func (c *comparison) roles() {
	for x, a := range c.tiles {
		if !c.movable(a) {
			continue
		}
		for _, b := range c.tiles[x+1:] {
			if !c.movable(b) || b.source >= a.source || c.coordinated(a, b) {
				continue
			}
			if c.stands2(a, b)+c.stands2(b, a) >= 3 && c.stands2(a, b) >= 1 && c.stands2(b, a) >= 1 {
				c.differ(rag.MismatchRole, c.claim.spanOf(a.claim, b.claim+b.length-1), c.source.spanOf(b.source, a.source+a.length-1))
				return
			}
		}
	}
}

// movable tells whether a tile may be a party to something: short, and with something to call it by.
func (c *comparison) movable(t tile) bool {
	if t.length > 10 {
		return false
	}
	content := 0.0
	for i := t.claim; i < t.claim+t.length; i++ {
		if k := &c.claim.tokens[i]; !k.stop && !k.negates {
			content += k.weight()
		}
	}
	return content >= 1
}

// stands2 counts the sides, 0 to 2, on which a tile of the claim has the neighbours that the other has in the source.
func (c *comparison) stands2(a, other tile) int {
	n := 0
	left, right := a.claim-1, a.claim+a.length
	switch l := other.source - 1; {
	case left < 0 && l < 0:
		n++
	case left >= 0 && l >= 0 && c.to[left] == l:
		n++
	}
	switch r := other.source + other.length; {
	case right == len(c.to) && r == len(c.from):
		n++
	case right < len(c.to) && r < len(c.from) && c.to[right] == r:
		n++
	}
	return n
}

// coordinated tells whether only a connective stands between the two, on one side: A and B are B and A.
func (c *comparison) coordinated(a, b tile) bool {
	only := func(t *Text, from, to int) bool {
		if to < from {
			return false
		}
		if from == to { // a comma, or nothing, between them
			return true
		}
		return !slices.ContainsFunc(t.tokens[from:to], func(k token) bool { return !connectives[k.word] })
	}
	return only(c.claim, a.claim+a.length, b.claim) || only(c.source, b.source+b.length, a.source)
}
