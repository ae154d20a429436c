package compare

import (
	"cmp"
	"slices"

	"footnote/internal/rag"
)

// Difference is a point on which a claim and its source differ. A span is empty where its side lacks what the other has.
type Difference struct {
	Kind          rag.MismatchKind
	Claim, Source rag.Span // in code points of the two texts
}

// Tally counts the facts of one kind that a claim states.
type Tally struct{ Asked, Found, Elsewhere int }

// Missing is how many stand neither in the span nor elsewhere in its passage.
func (t Tally) Missing() int { return t.Asked - t.Found - t.Elsewhere }

// Comparison is how a claim stands to a span of its source.
type Comparison struct {
	Differences []Difference // in the claim's order; those without words of the claim last
	Numbers     Tally        // numbers and dates
	Names       Tally
	Coverage    float64 // share of the claim's content that has its match in the source, in like order
	Longest     float64 // share of the claim in its longest run of shared words
	Gaps        int     // words of the claim in whose place the source has others
	Added       int     // words of the claim in whose place the source has nothing
	Foreign     bool    // the two are in different languages: only numbers, dates and units were compared
}

// Has tells whether a difference of the kind was found.
func (c Comparison) Has(k rag.MismatchKind) bool {
	return slices.ContainsFunc(c.Differences, func(d Difference) bool { return d.Kind == k })
}

// Compare looks for what the claim says otherwise than the source, a span of a passage. passage has the facts of the whole passage: what stands elsewhere in it is not contradicted.
func Compare(claim, source, passage *Text) Comparison {
	c := &comparison{matching: match(claim, source), passage: passage}
	c.out.Foreign = claim.chinese != source.chinese
	c.measure()
	c.numbers()
	if !c.out.Foreign && c.out.Coverage >= sameMatter {
		c.names()
		c.negation()
		c.directions()
		c.roles()
	}
	slices.SortStableFunc(c.out.Differences, func(a, b Difference) int {
		if a.Claim.Empty() != b.Claim.Empty() {
			if a.Claim.Empty() {
				return 1
			}
			return -1
		}
		return cmp.Compare(a.Claim.Start, b.Claim.Start)
	})
	c.out.Differences = slices.Compact(c.out.Differences)
	return c.out
}

type comparison struct {
	*matching
	passage *Text
	out     Comparison
}

func (c *comparison) differ(kind rag.MismatchKind, claim, source rag.Span) {
	for _, d := range c.out.Differences {
		if d.Claim == claim && !claim.Empty() { // one difference is one, whatever its kinds
			return
		}
	}
	c.out.Differences = append(c.out.Differences, Difference{kind, claim, source})
}

func (c *comparison) measure() {
	c.out.Coverage = c.coverage()
	longest := 0
	for _, t := range c.tiles {
		longest = max(longest, t.length)
	}
	if n := len(c.claim.tokens); n > 0 {
		c.out.Longest = float64(longest) / float64(n)
	}
	for i := range c.to {
		if c.to[i] >= 0 || c.claim.tokens[i].stop {
			continue
		}
		if from, to := c.free(i); from < to {
			c.out.Gaps++
		} else {
			c.out.Added++
		}
	}
}

// free is gap without the source tokens that are matched.
func (c *comparison) free(i int) (from, to int) {
	from, to = c.gap(i)
	for from < to && c.from[from] >= 0 {
		from++
	}
	for from < to && c.from[to-1] >= 0 {
		to--
	}
	return from, to
}

// close tells whether claim and source are near to being the same sentence.
func (c *comparison) close() bool { return c.out.Coverage >= 0.6 }

// related tells whether the source's token j stands among words that stand around the claim's token i.
func (c *comparison) related(i, j, reach int) bool {
	near := 0
	for d := 1; d <= reach; d++ {
		for _, k := range []int{i - d, i + d} {
			if k < 0 || k >= len(c.to) || c.to[k] < 0 || c.claim.tokens[k].stop {
				continue
			}
			if abs(c.to[k]-j) <= reach+2 {
				near++
			}
		}
	}
	return near > 0
}

// sameMatter is the coverage from which on claim and source speak of the same thing, so that a difference is one.
const sameMatter = 0.4
