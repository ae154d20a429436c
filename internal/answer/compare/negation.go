package compare

import "footnote/internal/rag"

// Reach of a negation, in words of content (characters of Chinese).
const (
	negationReach    = 5
	negationReachHan = 8
)

// denied lists for each negation of t the tokens of content that it denies, the nearest first; what follows in its clause, or, at its end, what stands before.
func (t *Text) denied(at int) []int {
	reach := negationReach
	if t.chinese {
		reach = negationReachHan
	}
	var out []int
	k := t.tokens[at]
	for j := at + 1; j < len(t.tokens) && len(out) < reach; j++ {
		o := &t.tokens[j]
		if o.clause != k.clause || o.word == "but" || o.word == "但" || o.word == "而" {
			break
		}
		if !o.stop && !o.negates || len(o.senses) > 0 && !o.negates {
			out = append(out, j)
		}
	}
	if len(out) == 0 {
		for j := at - 1; j >= 0 && len(out) < 2; j-- {
			o := &t.tokens[j]
			if o.clause != k.clause {
				break
			}
			if !o.stop {
				out = append(out, j)
			}
		}
	}
	return out
}

// real tells whether the negation at a token denies: not only does not, and No. 5 does not.
func (t *Text) real(at int) bool {
	if at+1 < len(t.tokens) {
		next := &t.tokens[at+1]
		if englishPlain[next.word] {
			return false
		}
		if t.tokens[at].word == "no" && next.number != nil && next.span.Start-t.tokens[at].span.End <= 2 && t.tokens[at].span.End < len(t.runes) && t.runes[t.tokens[at].span.End] == '.' {
			return false
		}
	}
	return true
}

// parity counts, for each token, the negations that deny it.
func (t *Text) parity() []int {
	out := make([]int, len(t.tokens))
	for _, at := range t.denials {
		if t.real(at) {
			for _, j := range t.denied(at) {
				out[j]++
			}
		}
	}
	return out
}

// negation finds what one side denies and the other does not. A negation of which both have as many on the same words is none; double negation affirms.
func (c *comparison) negation() {
	claim, source := c.claim.parity(), c.source.parity()
	for _, at := range c.claim.denials {
		if !c.claim.real(at) || c.to[at] >= 0 && c.source.tokens[c.to[at]].negates || c.turned(at) {
			continue
		}
		if j, ok := c.disagree(c.claim.denied(at), c.to, claim, source, c.source); ok && (c.close() || c.related(at, j, 3)) && c.addressed(at, c.claim, c.to) {
			c.differ(rag.MismatchNegation, c.claim.tokens[at].span, c.source.tokens[j].span)
		}
	}
	for _, at := range c.source.denials {
		if !c.source.real(at) || c.from[at] >= 0 && c.claim.tokens[c.from[at]].negates {
			continue
		}
		if _, ok := c.disagree(c.source.denied(at), c.from, source, claim, c.claim); ok && c.out.Coverage >= 0.5 && c.addressed(at, c.source, c.from) {
			c.differ(rag.MismatchNegation, rag.Span{}, c.source.tokens[at].span)
		}
	}
}

// disagree looks at the first matched tokens that a negation denies, and tells whether the other side denies them as often, modulo two. at is the first one's match.
func (c *comparison) disagree(denied, to, here, there []int, other *Text) (at int, ok bool) {
	seen, differ := 0, 0
	at = -1
	for n, j := range denied {
		if to[j] < 0 {
			if n >= 3 && seen == 0 {
				break // the nearest words are others
			}
			continue
		}
		if seen++; here[j]%2 != there[to[j]]%2 {
			differ++
			if at < 0 {
				at = to[j]
			}
		}
		if seen == 3 {
			break
		}
	}
	return at, seen > 0 && differ*2 > seen
}

// turned tells whether the claim's negation denies the opposite of what the source says: not impossible for possible. That is for directions to compare.
func (c *comparison) turned(at int) bool {
	denied := c.claim.denied(at)
	if len(denied) == 0 || c.to[denied[0]] >= 0 {
		return false
	}
	from, to := c.gap(denied[0])
	for j := from; j < to; j++ {
		for _, a := range c.claim.tokens[denied[0]].senses {
			for _, b := range c.source.tokens[j].senses {
				if a.group == b.group && a.sign == -b.sign {
					return true
				}
			}
		}
	}
	return false
}

// addressed tells whether a good part of what a negation denies is matched at all.
func (c *comparison) addressed(at int, t *Text, to []int) bool {
	have, want := 0.0, 0.0
	for n, j := range t.denied(at) {
		if n == 4 {
			break
		}
		w := t.tokens[j].weight()
		want += w
		if to[j] >= 0 {
			have += w
		}
	}
	return want > 0 && have/want >= 0.4
}
