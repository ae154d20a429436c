package compare

import "strings"

// sense is a side of an opposition, or the strength of a quantifier.
type sense struct {
	group int  // of oppositions; quantifierGroup for quantifiers
	sign  int8 // +1 or -1; of a quantifier its strength
	loose bool // counts only in the same place of the sentence
}

const quantifierGroup = -1

// Strengths of quantifiers: a claim may be weaker than its source.
const (
	few  int8 = 1
	some int8 = 2
	most int8 = 3
	all  int8 = 4
)

type entry struct {
	senses  []sense
	negates bool
	names   bool   // it is the name of a place
	key     string // what the word is the same as; empty: itself
}

// lexicon is the word lists made ready for look-up.
type lexicon struct {
	english, stems, han map[string]entry
	hanStarts           map[rune]bool
	longestHan          int // code points of the longest Chinese word
}

var known = newLexicon()

// irregular forms, which the stemmer does not bring together.
var irregular = func() map[string]string {
	m := map[string]string{}
	for _, pair := range strings.Fields(irregularForms) {
		from, to, _ := strings.Cut(pair, ":")
		m[from] = to
	}
	return m
}()

const irregularForms = `men:man women:woman children:child people:person fell:fall fallen:fall rose:rise risen:rise grew:grow grown:grow began:begin begun:begin won:win lost:lose bought:buy sold:sell
	went:go wrote:write written:write made:make took:take taken:take gave:give given:give led:lead held:hold found:find became:become came:come left:left built:build saw:see seen:see knew:know known:know
	showed:show shown:show lay:lie died:die dying:die fewer:fewer less:less higher:higher lower:lower larger:larger greater:greater later:later`

var quantifiers = []struct {
	strength int8
	words    string
}{
	{all, "all every each always everyone everything entire entirely whole wholly completely fully 全部 所有 一切 全体 每个 总是 一律 全都 整个 完全 全 皆 均 都"},
	{most, "most mostly mainly largely usually generally majority often many frequently 许多 很多 众多 大多数 大部分 多数 大多 大都 通常 经常 主要 往往"},
	{some, "some several sometimes partly partially occasionally certain part 部分 有些 一些 某些 有时 若干 部份 一部分"},
	{few, "few rarely seldom minority hardly scarcely barely 少数 很少 极少 少量"},
}

// negations deny what follows.
const negations = `not no never none neither nor cannot without n't nobody nothing nowhere fail failed fails failing lack lacks lacked lacking unable absence absent
	不 没有 没 未 无 非 并非 并未 并不 并没有 从未 从不 从没 从来没有 未曾 不曾 未能 不能 不会 不再 不是 无法 毫无 尚未 绝不 决不 不可 不得 没能 缺乏 缺少 未必 不必 不需 不应 不可能 毫不 并无 不存在 不具 不属于 不在 不包括 不需要 不允许 不愿 不想 不用 不用说 别 勿 拒绝 尚无 从无 绝非 未经 未获`

// plainWords look like negations, numbers, quantifiers or oppositions and are none.
const plainWords = `不断 不仅 不但 不过 不管 不论 无论 不久 不少 不同 不禁 不得不 不得已 不止 不只 不单 不只是 不仅仅 不等 不列颠 不丹 不动产 不锈钢 不一 不一样 不已 不良 不错 不惜 不免 不料 不安 不幸 不满 不足 不到 不超过 不少于 不低于 不如 不妨 不时 差不多 不可思议 不可避免 无疑 不如说
	无线 无数 无锡 无人机 无机 无限 无形 无辜 无产阶级 无产者 无穷 无意 无名 无花果 无独有偶
	未来 未婚夫 未婚妻 未知 未免
	非常 非洲 南非 北非 西非 东非 中非 非法 莫非 除非 是非 非凡 非诺 非主流 非政府 非营利 非得 非典
	没收 沉没 淹没 没落 出没 埋没 吞没 特别 分别 区别 个别 级别 类别 性别 别墅 别名 别号 别称 告别 识别 差别 辨别 别人 别的 鉴别 派别 国别 勿论
	一般 一直 一样 一起 一定 一旦 一方面 一面 一边 一同 一致 一度 一带 一向 一时 一并 一共 一再 一贯 一体 一生 一切 一部分 一些 唯一 统一 之一 万一 第一 一家人 一经 一系列 单一 同一 专一 十分 百分之 百度 九龙 三国 四川 百姓 千万 七夕 八卦 六朝 五代 十字 百科 万里长城 四处 三角 五金 百货 千里 万历 七星 八达岭 五四 三藩 三峡 四季 四面 四方 一半 两者 两岸 两侧 两国 两人 两边
	民国 公元前 公元 西元前 西元 世纪 年代 月份 年间 年度 星期 礼拜 中国 美国 日本 法国 英国 德国 全国 全球 全面 全身 全新 安全 健全 都市 首都 成都 京都 古都 国都 都督 建都 定都 迁都 都会 帝都 故都 大都会 平均 均匀 均衡 人均 部分人
	上海 上午 下午 上帝 上述 以上 以下 上下 左右 上升 上市 皇上 上将 下属 天下 南京 北京 东京 西安 山东 山西 河南 河北 湖南 湖北 广东 广西 云南 海南 江西 辽宁 东西 大小 高低 多少 先后 前后 左边 右边 内外 中东 大学 小学 大家 大约 大概 大陆 大夫 小说 小姐 大臣 大使 大会 长江 长城 多数 少年 高等 高中 外国 外交 国内 国外 以前 以后 之前 之后 前往 目前 后来 然后 最后 此后 其后 随后 之后 皇后 太后 王后 后裔 后代 前身 前任 内容 内阁 内地 外科 内科 好像 爱好 良好 生物 生活 生产 学生 先生 出生 发生 医生 死亡 新闻 新加坡 新西兰 新疆 老师 老虎 热带 冷战 入口 出口 收入 进入 加入 列入 出版 出现 出任 出来 提出 指出 演出 支出 付出 突出 黑龙江 白色 黑色 正式 正在 正是 真正 反映 反应 反对 相反 主要 次要 首次 其次 再次 多次 公开 开始 离开 展开 开发 开展 关系 关于 有关 相关 机关 买卖 增加 减少`

// places are countries, parts of the world and great cities: names without a mark of one.
const places = `中国 美国 英国 法国 德国 日本 韩国 朝鲜 俄国 俄罗斯 苏联 印度 泰国 越南 缅甸 老挝 柬埔寨 马来西亚 新加坡 印度尼西亚 印尼 菲律宾 蒙古 伊朗 伊拉克 叙利亚 土耳其 以色列 约旦 埃及 利比亚 摩洛哥 南非 肯尼亚 尼日利亚
	埃塞俄比亚 意大利 义大利 西班牙 葡萄牙 荷兰 比利时 瑞士 瑞典 挪威 芬兰 丹麦 冰岛 波兰 捷克 匈牙利 奥地利 希腊 罗马尼亚 保加利亚 塞尔维亚 克罗地亚 乌克兰 爱尔兰 苏格兰 英格兰 威尔士 加拿大 墨西哥 古巴 巴西 阿根廷 智利 秘鲁
	哥伦比亚 委内瑞拉 澳大利亚 澳洲 新西兰 巴基斯坦 孟加拉 斯里兰卡 尼泊尔 阿富汗 沙特阿拉伯 欧洲 亚洲 非洲 美洲 北美洲 南美洲 大洋洲 台湾 香港 澳门 北京 上海 天津 重庆 南京 广州 深圳 武汉 成都 西安 杭州 苏州 台北 高雄 东京 大阪 京都
	首尔 巴黎 伦敦 柏林 罗马 马德里 莫斯科 纽约 华盛顿 洛杉矶 芝加哥 旧金山 悉尼 曼谷 广东 广西 四川 云南 贵州 湖南 湖北 河南 河北 山东 山西 陕西 甘肃 青海 浙江 江苏 江西 安徽 福建 海南 辽宁 吉林 黑龙江 西藏 新疆 内蒙古 宁夏`

// englishPlain are phrases in which a negation is none.
var englishPlain = setOf("only just merely necessarily")

// oppositions: words of one side | words of the other. A leading ~ keeps both sides to the same place of the sentence.
const oppositions = `
increase rise grow gain elevate raise higher upregulate enhance augment expand climb soar surge growth improve strengthen boost greater enlarge accelerate more larger longer | decrease fall decline drop reduce lower downregulate diminish attenuate shrink plunge reduction lessen worsen weaken impair smaller less fewer shorter slow suppress inhibit
上升 增加 增长 提高 升高 上涨 增多 增大 扩大 增强 加强 提升 升至 增至 攀升 增高 加快 加速 高于 多于 大于 更高 更多 更大 较高 较多 较大 扩张 好转 改善 促进 变大 变多 涨 升 | 下降 减少 降低 下跌 减低 减退 缩小 减弱 削弱 下滑 降至 减至 跌至 衰退 减缓 放缓 低于 少于 小于 更低 更少 更小 较低 较少 较小 萎缩 恶化 抑制 变小 变少 跌 降
~before prior preceding previous earlier precede previously until | after following subsequent later follow subsequently since afterwards
~之前 以前 前 先 早于 早 此前 先前 事前 前来 | 之后 以后 后 晚于 晚 此后 随后 后来 事后
~above over upper up upward upstairs top | below under lower down downward beneath underneath downstairs bottom
~上 上面 上方 上层 上游 上部 以上 | 下 下面 下方 下层 下游 下部 以下
~north northern northeast northwest northeastern northwestern northward | south southern southeast southwest southeastern southwestern southward
~east eastern northeast southeast eastward | west western northwest southwest westward
~北 北部 北方 北侧 北面 东北 西北 | 南 南部 南方 南侧 南面 东南 西南
~东 东部 东方 东侧 东面 东北 东南 | 西 西部 西方 西侧 西面 西北 西南
~left | right
~左 左侧 左边 | 右 右侧 右边
~inside within internal inner interior indoor inward | outside beyond external outer exterior outdoor outward
~内 内部 境内 国内 里面 室内 | 外 外部 境外 国外 外面 室外
~large big major high great huge enormous tall significant wide | small minor low little tiny minimal short insignificant slight narrow
~大 大型 巨大 高 高大 | 小 小型 微小 低 矮小
~long | short
~长 | 短
~more most maximum max highest largest greatest longest biggest majority best | less least minimum min lowest smallest fewest shortest minority worst
~多 更多 最多 最高 最大 最长 最早 最好 多数 大多数 最强 最快 最新 最远 | 少 更少 最少 最低 最小 最短 最晚 最差 少数 少数 最弱 最慢 最旧 最近
~early earliest earlier young younger new newer newest first recent modern | late latest later old older oldest last ancient
~年轻 新 早期 首 | 年老 旧 晚期 末
~positive positively favourable favorable beneficial benefit good better effective advantage success succeed successful | negative negatively unfavourable unfavorable harmful harm bad worse ineffective disadvantage failure fail unsuccessful
~正面 积极 有利 好 有效 优势 成功 优点 | 负面 消极 不利 坏 无效 劣势 失败 缺点
~accept agree allow permit approve support include contain enable encourage promote | reject refuse disagree forbid prohibit ban oppose deny exclude prevent discourage prevent
~接受 同意 允许 许可 批准 支持 包括 包含 鼓励 赞成 | 拒绝 反对 禁止 不许 否决 排除 阻止 否认
~begin start open launch introduce establish found create enter arrive join opening beginning | end finish close stop cease abolish dissolve exit leave depart quit closing ending terminate
~开始 开放 开启 成立 建立 创立 进入 加入 开通 开幕 启用 到达 抵达 开业 | 结束 关闭 停止 终止 解散 退出 离开 停办 闭幕 停用 停业 撤销
~win victory victorious defeat beat winner | lose loss lost defeat loser
~胜 胜利 获胜 战胜 打败 赢 击败 | 败 失败 落败 战败 输
~buy purchase import | sell sale export
~买 购买 买入 进口 收购 | 卖 出售 卖出 出口
~possible likely able common frequent usual legal capable present same similar alike equal | impossible unlikely unable rare infrequent unusual illegal incapable absent different dissimilar unlike unequal
~可能 常见 合法 相同 相似 一致 普遍 | 不可能 罕见 非法 不同 相异 不一致
~strong fast quick rapid hard heavy hot warm rich safe active | weak slow gradual soft light cold cool poor dangerous inactive passive
~强 快 迅速 重 热 富 富裕 安全 主动 强大 | 弱 慢 缓慢 轻 冷 贫穷 贫困 危险 被动 弱小
~male man men boy father son brother husband he king | female woman women girl mother daughter sister wife she queen
~男 男性 父亲 儿子 丈夫 国王 哥哥 弟弟 | 女 女性 母亲 女儿 妻子 女王 姐姐 妹妹
~elder older senior | younger junior
~ascend rise upstream appear rising | descend set downstream disappear sinking
~出现 上游 出生 | 消失 下游 死亡 去世 逝世
~born birth alive life live | die death dead died
~add attach connect combine merge join | remove subtract detach disconnect separate split divide
~添加 连接 合并 结合 | 移除 去除 断开 分离 分裂 分开
~public | private
~公立 公共 公开 国有 | 私立 私人 秘密 私有
~primary principal main chief major | secondary subsidiary minor
~主要 首要 | 次要
~simple easy | complex complicated difficult
~简单 容易 | 复杂 困难
~guilty | innocent
~direct directly | indirect indirectly
~直接 | 间接
~internal domestic native | external foreign
~temporary | permanent
~临时 暂时 短期 | 永久 长期
~urban | rural
~城市 | 农村 乡村
~true correct real | false incorrect wrong fake
~真 正确 真实 | 假 错误 虚假
~activate activation induce stimulate agonist | inhibit inhibition suppress repress antagonist block
~激活 诱导 刺激 | 抑制 阻断
~sensitive susceptibility susceptible | resistant resistance
~敏感 | 耐药 抵抗
~protect protective | harm risk
~upper | lower
~front forward | back rear backward
~前面 前方 前部 向前 | 后面 后方 后部 向后
~deep | shallow
~深 | 浅
~majority | minority
~allies ally friend | enemy foe
~朋友 盟友 | 敌人
~vertical | horizontal
~垂直 | 水平
~advance | retreat
~前进 进攻 进入 | 后退 撤退 防守 撤出
~input import inflow | output export outflow
~full | empty
~thick | thin
~厚 粗 | 薄 细
~often frequently always | rarely seldom never
~nearest near close | far distant farthest furthest
~近 | 远
`

// synonyms are words that a claim may have for its source's: each line is one meaning.
const synonyms = `
because since as | due_to
但 但是 可是 然而 不过 却
因为 由于
也 亦 同样
和 与 及 以及 跟 同
是 系 为
成立 创立 建立 设立 创建 创办
所以 因此 因而 于是 故
位于 坐落于 地处 处于
称为 称作 叫做 被称为 叫作 名为
开始 着手 开端
著名 知名 有名 闻名
成为 变成
例如 比如 譬如
目前 现在 现今 如今
使用 利用 采用 运用
大约 约 大概
拥有 具有 有
非常 十分 很 极其
认为 觉得
获得 取得 得到 获
如果 若 假如 倘若
并 并且 而且 且
曾 曾经
之后 以后 后
之前 以前
仅 只 只有 仅仅 仅有
其 他的 她的 它的
居住 住
提供 供应
重要 要紧
负责 主管
起初 最初 开初
逝世 去世 过世
`

const englishSynonyms = `
but however yet although though
while whereas
also too additionally furthermore moreover
show demonstrate reveal indicate
use utilize utilise employ
big large
begin start commence
found establish
buy purchase
around approximately about
near close
throughout during
help aid assist
make create
within in
main principal
important significant
famous renowned
get obtain
children kids
assess evaluate
investigate examine study
often frequently
because since
film movie
`

var hanStops = func() map[rune]bool {
	m := map[rune]bool{}
	for _, r := range "的了在之其于以着过地得把将被由从对而并且也都就与和及是为有这那个们等所又并则即或者中上到" {
		m[r] = true
	}
	return m
}()

var englishStops = setOf(`a an and are as at be been being but by can could did do does for from had has have he her him his how i if in into is it its itself may might more most must my nor
	of on or our own s shall she should so such than that the their them then there these they this those through to too very was we were what when where which while who whom whose why will
	with would you your not no never n't am also both only just some all any each every during about above after before below between under over again further once here up down out off until because against same other few`)

func newLexicon() lexicon {
	l := lexicon{map[string]entry{}, map[string]entry{}, map[string]entry{}, map[rune]bool{}, 1}
	for _, q := range quantifiers {
		for _, w := range strings.Fields(q.words) {
			l.add(w, entry{senses: []sense{{quantifierGroup, q.strength, true}}})
		}
	}
	group := 0
	for line := range strings.Lines(oppositions) {
		line, loose := strings.CutPrefix(strings.TrimSpace(line), "~")
		left, right, ok := strings.Cut(line, "|")
		if !ok {
			continue
		}
		group++
		for _, w := range strings.Fields(left) {
			l.add(w, entry{senses: []sense{{group, +1, loose}}})
		}
		for _, w := range strings.Fields(right) {
			l.add(w, entry{senses: []sense{{group, -1, loose}}})
		}
	}
	for _, w := range strings.Fields(negations) {
		l.add(w, entry{negates: true})
	}
	for line := range strings.Lines(synonyms) {
		words := strings.Fields(line)
		if len(words) == 0 || strings.Contains(line, "|") {
			continue
		}
		for _, w := range words {
			l.add(w, entry{key: words[0]})
		}
	}
	for line := range strings.Lines(englishSynonyms) {
		words := strings.Fields(line)
		for _, w := range words {
			l.add(w, entry{key: stem(words[0])})
			if s := stem(w); !englishStops[w] && s != stem(words[0]) {
				e := l.stems[s]
				e.key = stem(words[0])
				l.stems[s] = e
			}
		}
	}
	for _, w := range strings.Fields(plainWords) {
		l.add(w, entry{})
	}
	for _, w := range strings.Fields(places) {
		l.add(w, entry{names: true})
	}
	for w, u := range units {
		if r := []rune(w); r[0] > 0x2e80 {
			l.add(w, entry{key: "u:" + u.name})
		}
	}
	for w := range limits {
		l.add(w, entry{})
	}
	for w := range limitsAfter {
		l.add(w, entry{})
	}
	return l
}

// add adds what is known of a word; a word may have several senses.
func (l *lexicon) add(w string, e entry) {
	r := []rune(w)
	into := l.english
	if r[0] > 0x2e80 {
		into = l.han
		l.hanStarts[r[0]] = true
		l.longestHan = max(l.longestHan, len(r))
	}
	old := into[w]
	old.senses = append(old.senses, e.senses...)
	old.negates, old.names = old.negates || e.negates, old.names || e.names
	if e.key != "" {
		old.key = e.key
	}
	into[w] = old
	if r[0] < 0x2e80 && !e.negates && len(e.senses) > 0 {
		s := stem(w)
		if _, ok := l.stems[s]; !ok || s == w {
			l.stems[s] = old
		}
	}
}

func setOf(words string) map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(words) {
		m[w] = true
	}
	return m
}
