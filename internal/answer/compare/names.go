package compare

import (
	"strings"

	"footnote/internal/rag"
)

// names compares the names of the claim with those of the source: one that is missing is contradicted where the source has another name in its place.
func (c *comparison) names() {
	for i := range c.to {
		if !c.claim.isName(i) {
			continue
		}
		c.out.Names.Asked++
		switch {
		case c.to[i] >= 0 || c.source.has[c.claim.tokens[i].key]:
			c.out.Names.Found++
		case c.passage.has[c.claim.tokens[i].key]:
			c.out.Names.Elsewhere++
		}
	}
	for i := 0; i < len(c.to); {
		if c.to[i] >= 0 {
			i++
			continue
		}
		from, to := c.slot(i)
		c.renamed(from, to)
		i = to
	}
}

// renamed looks at the claim's unmatched tokens [from, to): when they and those in their place in the source are both names, and different ones, a name was changed.
func (c *comparison) renamed(from, to int) {
	a, b := c.free(from)
	if a >= b || c.out.Coverage < 0.5 || !c.framed(from, to, a, b) && c.out.Coverage < 0.8 {
		return
	}
	if c.claim.chinese {
		c.renamedHan(from, to, a, b)
		return
	}
	x := c.claim.nameIn(from, to)
	y := c.source.nameIn(a, b)
	if x.Empty() || y.Empty() {
		return
	}
	// A name that the source has elsewhere in the sentence, or whose words its own name shares or abbreviates, is no other.
	if c.shares(x, y) {
		return
	}
	sameSentence := true
	for i := x.Start; i < x.End; i++ {
		if c.claim.isName(i) && !c.source.has[c.claim.tokens[i].key] {
			sameSentence = false
		}
	}
	if sameSentence && !c.close() {
		return
	}
	c.differ(rag.MismatchName, c.claim.spanOf(x.Start, x.End-1), c.source.spanOf(y.Start, y.End-1))
}

// framed tells whether the same words stand before and after the two stretches.
func (c *comparison) framed(from, to, a, b int) bool {
	left := from == 0 && a == 0 || from > 0 && a > 0 && c.to[from-1] == a-1
	right := to == len(c.to) && b == len(c.from) || to < len(c.to) && b < len(c.from) && c.to[to] == b
	return left && right
}

// nameIn is the first run of name tokens in [from, to), as a span of tokens.
func (t *Text) nameIn(from, to int) rag.Span {
	for i := from; i < to; i++ {
		if !t.isName(i) {
			continue
		}
		j := i + 1
		for j < to && t.isName(j) {
			j++
		}
		return rag.Span{Start: i, End: j}
	}
	return rag.Span{}
}

// isName tells whether a token is part of a name: a capitalised word, an identifier, a foreign word in Chinese.
func (t *Text) isName(i int) bool {
	k := &t.tokens[i]
	if k.names {
		return true
	}
	if k.number != nil || k.stop || k.han || k.negates {
		return false
	}
	if t.chinese {
		return len(k.word) > 1 && k.key[0] != 'u' && !isSymbol(k.word)
	}
	if k.capital {
		return true
	}
	return k.first && i+1 < len(t.tokens) && t.tokens[i+1].capital && len(k.senses) == 0 || k.first && k.quoted
}

func isSymbol(w string) bool { return strings.ContainsAny(w, "%‰°$€£¥") }

// shares tells whether two names have a word in common, or one is made of the other's initials.
func (c *comparison) shares(x, y rag.Span) bool {
	var a, b []string
	for i := x.Start; i < x.End; i++ {
		a = append(a, c.claim.tokens[i].key)
	}
	for j := y.Start; j < y.End; j++ {
		b = append(b, c.source.tokens[j].key)
	}
	for _, w := range a {
		for _, v := range b {
			if w == v || len(w) >= 4 && len(v) >= 4 && (strings.HasPrefix(w, v[:4])) {
				return true
			}
		}
	}
	return initials(a) == strings.Join(b, "") || initials(b) == strings.Join(a, "")
}

func initials(words []string) string {
	var s strings.Builder
	for _, w := range words {
		for _, r := range w {
			s.WriteRune(r)
			break
		}
	}
	return s.String()
}

// Marks of Chinese names.
const (
	hanSurnames = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦许何吕张孔曹严华金魏陶姜谢邹窦章苏潘葛范彭郎鲁马苗方俞任袁柳唐罗薛贺倪汤殷毕郝邬常于傅齐康伍余顾孟黄穆萧尹姚邵汪毛狄戴宋庞熊纪舒屈项董梁杜阮蓝闵季贾江童颜郭梅林钟徐邱骆高夏蔡田胡凌霍虞万柯卢莫裘丁邓洪包石崔吉龚程邢裴陆荣翁侯段焦谷武符刘叶黎乔温庄阎习关岳帅曾司马欧阳诸葛上官"
	// hanSounds are characters that foreign names are written with.
	hanSounds = "斯克尔特拉阿德里亚尼巴伊罗埃瓦莱卡格姆普洛奥维科萨布加迪马菲纳塔哈贝弗希蒂诺利兰奇恩泽伦丹雅鲁戈费赫舍霍朗杰艾蒙森伯曼顿逊娜莎玛丽安丝妮琳黛迈坎坦达隆肯汉珀佩耶穆沃威廉姆瑟欧"
	// hanPlaces end names of places, bodies and works.
	hanPlaces = "国省市县州区镇乡村岛山河湖江海洋洲港湾峡谷城路街桥站宫寺庙院校队党部厅局社司团军族语人氏教系级号帝王侯公后妃诗书报刊奖杯赛级堂楼塔园门关岭峰川原沟堡宗派朝代府郡道线馆星"
)

// hanHeads follow a name that a part of a longer one was changed in.
const hanHeads = "国省市县州区镇乡村岛山河湖江队校司党帝王侯公氏族"

// renamedHan is renamed for Chinese, which has no capitals: quoted and foreign words, transcriptions, surnames, and what names end with.
func (c *comparison) renamedHan(from, to, a, b int) {
	if to-from > 12 || b-a > 12 {
		return
	}
	for i := from; i < to; i++ {
		if c.claim.tokens[i].number != nil || c.claim.tokens[i].negates {
			return // said already
		}
	}
	x, y := c.claim.joinedHan(from, to), c.source.joinedHan(a, b)
	if x == "" || y == "" || x == y {
		return
	}
	if latin(x) != latin(y) { // one may be the other's translation
		return
	}
	marked := c.claim.nameIn(from, to).Len() == to-from && c.source.nameIn(a, b).Len() == b-a || c.quotedBoth(from, a)
	for _, r := range x { // words of one meaning mostly share a character; names seldom do
		if strings.ContainsRune(y, r) && !marked {
			return
		}
	}
	p, q := c.claim.nameLike(from, to), c.source.nameLike(a, b)
	// What stands elsewhere in the passage was put here from there: it need not look like a name as much.
	if p == 0 || q == 0 || p+q < 4 && (c.passageHas(x) == 0 || c.out.Coverage < 0.7) {
		return
	}
	c.differ(rag.MismatchName, c.claim.spanOf(from, to-1), c.source.spanOf(a, b-1))
}

// latin tells whether a name is written in letters.
func latin(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return r >= 'a' && r <= 'z' })
}

func (c *comparison) quotedBoth(i, j int) bool {
	return c.claim.tokens[i].quoted && c.source.tokens[j].quoted
}

// passageHas counts a string in the passage, simplified.
func (c *comparison) passageHas(s string) int {
	if len(s) <= 3 {
		return 0
	}
	return strings.Count(c.passage.folded(), s)
}

// folded joins the words of t.
func (t *Text) folded() string {
	var b strings.Builder
	for i := range t.tokens {
		if i > 0 && t.tokens[i].clause != t.tokens[i-1].clause {
			b.WriteByte(' ')
		}
		b.WriteString(t.tokens[i].word)
	}
	return b.String()
}

func (t *Text) joinedHan(from, to int) string {
	var b strings.Builder
	for i := from; i < to; i++ {
		b.WriteString(t.tokens[i].word)
	}
	return b.String()
}

// nameLike says how much tokens [from, to) look like a name or a part of one: 0 not at all, 3 surely.
func (t *Text) nameLike(from, to int) int {
	for i := from; i < to; i++ {
		if t.isName(i) || t.tokens[i].quoted {
			return 3
		}
	}
	w := []rune(t.joinedHan(from, to))
	if len(w) == 0 || len(w) > 10 {
		return 0
	}
	for i := from; i < to; i++ {
		k := &t.tokens[i]
		if k.stop && !strings.Contains("中上", k.word) || len(k.senses) > 0 || !k.han {
			return 0
		}
	}
	sounds := 0
	for _, r := range w {
		if strings.ContainsRune(hanSounds, r) {
			sounds++
		}
	}
	score := 0
	if len(w) >= 2 && sounds*3 >= len(w)*2 {
		score = 2
	}
	if len(w) >= 2 && len(w) <= 4 && strings.ContainsRune(hanSurnames, w[0]) {
		score = max(score, 2)
	}
	last := w[len(w)-1]
	if to < len(t.tokens) && t.tokens[to].han && t.tokens[to].clause == t.tokens[to-1].clause && len([]rune(t.tokens[to].word)) == 1 && len(w) >= 2 {
		if strings.Contains(hanHeads, t.tokens[to].word) {
			score = max(score, 2)
		}
	}
	if len(w) >= 2 && strings.ContainsRune(hanPlaces, last) {
		score = max(score, 2)
	}
	if len(w) >= 2 && t.occurrences(string(w)) > 1 {
		score++
	}
	if score == 0 && len(w) >= 2 && len(w) <= 6 {
		score = 1
	}
	return min(score, 3)
}

func (t *Text) occurrences(s string) int { return strings.Count(t.folded(), s) }
