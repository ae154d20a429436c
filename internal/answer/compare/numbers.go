package compare

import "footnote/internal/rag"

// numbers compares the claim's numbers, dates and units with those of the source. A number that stands elsewhere in the passage is not contradicted; one that stands nowhere
// is missing; it is contradicted where the source has another number in its place.
func (c *comparison) numbers() {
	taken := map[int]bool{}
	for _, i := range c.claim.numbers {
		if j := c.to[i]; j >= 0 && c.source.tokens[j].number != nil {
			taken[j] = true
		}
	}
	var open []int
	for _, i := range c.claim.numbers {
		q := c.claim.tokens[i].number
		if q.vague {
			if c.to[i] < 0 {
				open = append(open, i)
			}
			continue
		}
		c.out.Numbers.Asked++
		j, wrongUnit := c.find(i, c.source)
		switch {
		case j >= 0:
			c.out.Numbers.Found++
			taken[j] = true
		case wrongUnit >= 0 && c.out.Coverage >= sameMatter && (c.inFrame(i, wrongUnit) || !c.standsWithUnit(i)):
			c.unit(i, wrongUnit)
			taken[wrongUnit] = true
		case c.stands(i):
			c.out.Numbers.Elsewhere++
			open = append(open, i)
		default:
			open = append(open, i)
		}
	}
	if c.out.Coverage < sameMatter && !c.out.Foreign {
		return
	}
	for _, i := range open {
		if j := c.rival(i, taken); j >= 0 {
			taken[j] = true
			kind := rag.MismatchNumber
			if c.claim.tokens[i].number.class.isDate() {
				kind = rag.MismatchDate
			} else if q, o := c.claim.tokens[i].number, c.source.tokens[j].number; q.class != o.class && o.class.isDate() {
				kind = rag.MismatchDate
			}
			c.differ(kind, c.claim.tokens[i].span, c.source.tokens[j].span)
		}
	}
}

// find looks for the claim's number i in t, its own match first. Where the value is there with another unit only, wrongUnit is where.
func (c *comparison) find(i int, t *Text) (at, wrongUnit int) {
	q := c.claim.tokens[i].number
	wrongUnit = -1
	try := func(j int) bool {
		o := t.tokens[j].number
		if o == nil || !q.same(*o) && q.value != o.value {
			return false
		}
		if q.class != o.class && (q.class == percent && o.unit != "" || o.class == percent && q.unit != "") {
			wrongUnit = j
			return false
		}
		if q.class != o.class && q.class != decade && !(q.class == year && o.class == plain && !listed(o.unit) || q.class == plain && !listed(q.unit) && o.class == year) {
			return false
		}
		if listed(q.unit) && listed(o.unit) && q.unit != o.unit && !q.same(*o) {
			wrongUnit = j
			return false
		}
		return true
	}
	if t == c.source && c.to[i] >= 0 && try(c.to[i]) {
		return c.to[i], -1
	}
	own := wrongUnit
	for _, j := range t.numbers {
		if try(j) {
			return j, -1
		}
	}
	if own >= 0 {
		wrongUnit = own
	}
	return -1, wrongUnit
}

// listed tells whether a unit is one of the list.
func listed(u string) bool { return u != "" && u[0] != '~' }

// stands tells whether the claim's number i is anywhere in the passage.
func (c *comparison) stands(i int) bool {
	if c.passage == c.source {
		return false
	}
	j, _ := c.find(i, c.passage)
	return j >= 0
}

// inFrame tells whether the same words stand before the claim's number i and after its unit as in the source: then it is this number that has another unit, wherever else the claim's may stand.
func (c *comparison) inFrame(i, j int) bool {
	return c.to[i] == j && i > 0 && j > 0 && c.to[i-1] == j-1 && i+2 < len(c.to) && j+2 < len(c.from) && c.to[i+2] == j+2
}

// standsWithUnit tells whether the passage has the claim's number i with its unit.
func (c *comparison) standsWithUnit(i int) bool {
	q := c.claim.tokens[i].number
	for _, j := range c.passage.numbers {
		if o := c.passage.tokens[j].number; listed(o.unit) && q.same(*o) {
			return true
		}
	}
	return false
}

// unit says that a number has another unit than in the source.
func (c *comparison) unit(i, j int) {
	c.differ(rag.MismatchUnit, c.claim.withUnit(i), c.source.withUnit(j))
}

// withUnit is the span of a number and what it counts.
func (t *Text) withUnit(i int) rag.Span {
	q := t.tokens[i].number
	if i+1 < len(t.tokens) && (t.tokens[i+1].key == "u:"+q.unit || q.unit == "%" && t.tokens[i+1].span.Start-t.tokens[i].span.End <= 1) {
		return t.spanOf(i, i+1)
	}
	return t.tokens[i].span
}

// rival is the number of the source that stands in the place of the claim's number i; -1: there is none.
func (c *comparison) rival(i int, taken map[int]bool) int {
	q := c.claim.tokens[i].number
	rivals := func(j int, inPlace bool) bool {
		o := c.source.tokens[j].number
		if o == nil || taken[j] || q.same(*o) || o.value == q.value {
			return false
		}
		if inPlace {
			if (q.class == ordinal) != (o.class == ordinal) && (q.class.isDate() || o.class.isDate()) || q.class == decade != (o.class == decade) {
				return false
			}
			return !(o.vague && q.vague)
		}
		if q.class != o.class && (q.class.isDate() || o.class.isDate() || q.class == ordinal || o.class == ordinal) {
			return q.class == plain && o.class == year && q.unit == "" || q.class == year && o.class == plain && o.unit == ""
		}
		if q.class == percent != (o.class == percent) && q.unit != "" && o.unit != "" {
			return false
		}
		if listed(q.unit) && listed(o.unit) && units[q.unit].dimension != units[o.unit].dimension {
			return false
		}
		return !(o.vague && q.vague)
	}
	// In the same place.
	from, to := c.gap(i)
	for j := from; j < to; j++ {
		if rivals(j, true) {
			return j
		}
	}
	if q.vague || c.source.chinese != c.claim.chinese && q.unit == "" && !q.class.isDate() || c.stands(i) {
		return -1
	}
	// Of the same thing, among the same words.
	best, found := -1, 0
	for _, j := range c.source.numbers {
		o := c.source.tokens[j].number
		if !rivals(j, false) || o.vague {
			continue
		}
		score := 0
		if q.unit != "" && q.unit == o.unit || q.class == o.class && (q.class == month || q.class == percent) {
			score += 2
		}
		if q.class == o.class && q.class == year {
			score++
		}
		if c.related(i, j, 3) {
			score++
		}
		if c.out.Coverage >= 0.5 {
			score++
		}
		if c.out.Coverage >= 0.8 {
			score++
		}
		if score >= 3 && score > found {
			best, found = j, score
		}
	}
	return best
}
