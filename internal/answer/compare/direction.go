package compare

import (
	"strings"

	"footnote/internal/rag"
)

// directions finds words of the claim in whose place the source has the opposite: rises for falls, before for after, all for some.
func (c *comparison) directions() {
	claim, source := c.claim.parity(), c.source.parity()
	for i := range c.claim.tokens {
		k := &c.claim.tokens[i]
		if len(k.senses) == 0 || c.to[i] >= 0 && !c.astray(i) {
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
	c.characters()
	c.limits()
}

// astray tells whether a matched token has its match away from those of its neighbours, so that something else may stand in its place.
func (c *comparison) astray(i int) bool {
	j := c.to[i]
	before := i > 0 && j > 0 && c.to[i-1] == j-1
	after := i+1 < len(c.to) && j+1 < len(c.from) && c.to[i+1] == j+1
	if before || after {
		// A run of two or three may be astray as a whole.
		from, to := i, i+1
		for from > 0 && c.to[from-1] >= 0 && c.to[from-1] == c.to[from]-1 {
			from--
		}
		for to < len(c.to) && c.to[to] >= 0 && c.to[to] == c.to[to-1]+1 {
			to++
		}
		if to-from > 4 || from == 0 || c.to[from-1] < 0 || to >= len(c.to) || c.to[to] < 0 {
			return false
		}
		return c.to[to] > c.to[from-1] && (c.to[from] < c.to[from-1] || c.to[from] > c.to[to])
	}
	from, to := c.gap(i)
	return from < to && (j < from || j >= to)
}

// opposites are characters of Chinese that turn a word into its opposite.
const opposites = "前后 大小 上下 内外 南北 东西 左右 多少 高低 长短 早晚 升降 增减 进出 入出 正负 正反 男女 新旧 快慢 强弱 胜败 胜负 始终 首末 好坏 有无 主次 里外 深浅 冷热 先后 生死 开关 买卖 公私 父母 子女 古今 远近 轻重 粗细 厚薄 左右 阴阳 加减 输赢 盈亏 存亡 善恶 敌友 宽窄 松紧 真假 雌雄 最少 涨跌"

var oppositeOf = func() map[[2]rune]bool {
	m := map[[2]rune]bool{}
	for _, pair := range strings.Fields(opposites) {
		r := []rune(pair)
		m[[2]rune{r[0], r[1]}], m[[2]rune{r[1], r[0]}] = true, true
	}
	return m
}()

// characters finds stretches of Chinese that differ in one character, whose opposite the other has.
func (c *comparison) characters() {
	if !c.claim.chinese {
		return
	}
	for i := 0; i < len(c.to); {
		if c.to[i] >= 0 {
			i++
			continue
		}
		from, to := c.slot(i)
		a, b := c.free(from)
		i = to
		if a >= b || to-from > 4 || b-a > 4 {
			continue
		}
		x, y := []rune(c.claim.joinedHan(from, to)), []rune(c.source.joinedHan(a, b))
		if len(x) != len(y) {
			continue
		}
		differ, opposed := 0, false
		for k := range x {
			if x[k] != y[k] {
				differ++
				opposed = oppositeOf[[2]rune{x[k], y[k]}]
			}
		}
		if differ == 1 && opposed {
			c.differ(rag.MismatchDirection, c.claim.spanOf(from, to-1), c.source.spanOf(a, b-1))
		}
	}
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
