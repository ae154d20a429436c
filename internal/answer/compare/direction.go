package compare

import "footnote/internal/rag"

// directions finds words of the claim in whose place the source has the opposite: rises for falls, before for after, all for some.
func (c *comparison) directions() {
	claim, source := c.claim.parity(), c.source.parity()
	for i := range c.claim.tokens {
		k := &c.claim.tokens[i]
		if c.to[i] >= 0 || len(k.senses) == 0 {
			continue
		}
		from, to := c.gap(i)
		if j, kind := c.opposite(i, from, to, claim, source, true); j >= 0 {
			c.differ(kind, k.span, c.source.tokens[j].span)
			continue
		}
		if from < to && to-from <= 3 && c.agrees(i, from, to) {
			continue
		}
		if j, kind := c.opposite(i, 0, len(c.source.tokens), claim, source, false); j >= 0 && c.out.Coverage >= 0.4 {
			c.differ(kind, k.span, c.source.tokens[j].span)
		}
	}
	c.limits()
}

// agrees tells whether the source has a word of the same side there.
func (c *comparison) agrees(i, from, to int) bool {
	for j := from; j < to; j++ {
		for _, a := range c.claim.tokens[i].senses {
			for _, b := range c.source.tokens[j].senses {
				if a.group == b.group && a.sign == b.sign {
					return true
				}
			}
		}
	}
	return false
}

// opposite looks among the source's unmatched tokens [from, to) for the opposite of the claim's token i. inPlace: they stand in its place; otherwise loose oppositions do not count, no word
// of the source may be of the claim's side, and the words around must be the same.
func (c *comparison) opposite(i, from, to int, claim, source []int, inPlace bool) (int, rag.MismatchKind) {
	at, kind := -1, rag.MismatchDirection
	for j := from; j < to; j++ {
		if c.from[j] >= 0 && inPlace {
			continue
		}
		for _, a := range c.claim.tokens[i].senses {
			for _, b := range c.source.tokens[j].senses {
				if a.group != b.group {
					continue
				}
				if a.group == quantifierGroup {
					if !inPlace || a.sign <= b.sign && !(a.sign == few && b.sign > few) || a.sign == b.sign {
						continue
					}
					if at < 0 {
						at, kind = j, rag.MismatchQuantifier
					}
					continue
				}
				if !inPlace && (a.loose || b.loose) {
					continue
				}
				x, y := a.sign, b.sign
				if claim[i]%2 == 1 {
					x = -x
				}
				if source[j]%2 == 1 {
					y = -y
				}
				if x == y {
					if !inPlace {
						return -1, kind
					}
					continue
				}
				if !inPlace && (c.from[j] >= 0 || !c.related(i, j, 4)) {
					continue
				}
				if at < 0 {
					at = j
				}
			}
		}
	}
	return at, kind
}

// limits compares numbers that are limits: at least three for at most three.
func (c *comparison) limits() {
	for _, i := range c.claim.numbers {
		j := c.to[i]
		if j < 0 || c.source.tokens[j].number == nil {
			continue
		}
		a, b := c.claim.tokens[i].number.bound, c.source.tokens[j].number.bound
		if a == atLeast && b == atMost || a == atMost && b == atLeast {
			c.differ(rag.MismatchQuantifier, c.claim.before(i), c.source.before(j))
		}
	}
}

// before is a number with the word before it.
func (t *Text) before(i int) rag.Span { return t.spanOf(max(i-1, 0), i) }
