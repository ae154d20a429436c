package compare

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"footnote/internal/rag"
)

// kinds of the differences of a claim and a source that is its whole passage.
func kinds(claim, source string) []rag.MismatchKind {
	s := Analyse(source)
	var out []rag.MismatchKind
	for _, d := range Compare(Analyse(claim), s, s).Differences {
		if !slices.Contains(out, d.Kind) {
			out = append(out, d.Kind)
		}
	}
	return out
}

func TestCompare_FindsWhatDiffers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, claim, source string
		want                rag.MismatchKind
	}{
		{"number", "The company has 450 employees in Berlin.", "The company has 350 employees in Berlin.", rag.MismatchNumber},
		{"number in words", "The trial enrolled twenty-three patients.", "The trial enrolled 25 patients.", rag.MismatchNumber},
		{"percentage", "Sales rose by 15% last year.", "Sales rose by 12 percent last year.", rag.MismatchNumber},
		{"millions", "The city has 2 million inhabitants.", "The city has 3 million inhabitants.", rag.MismatchNumber},
		{"year", "The bridge was opened in 1937.", "The bridge was opened in 1932.", rag.MismatchDate},
		{"month", "The treaty was signed in March 1957.", "The treaty was signed in April 1957.", rag.MismatchDate},
		{"weekday", "The shop is closed on Monday.", "The shop is closed on Tuesday.", rag.MismatchDate},
		{"unit", "The river is 30 km long.", "The river is 30 m long.", rag.MismatchUnit},
		{"currency", "The ticket costs 20 euros.", "The ticket costs 20 dollars.", rag.MismatchUnit},
		{"name", "The prize was awarded to Marie Curie in Stockholm.", "The prize was awarded to Max Planck in Stockholm.", rag.MismatchName},
		{"role", "Germany defeated Brazil in the final.", "Brazil defeated Germany in the final.", rag.MismatchRole},
		{"not", "The drug was not approved by the agency.", "The drug was approved by the agency.", rag.MismatchNegation},
		{"the source's not", "The drug was approved by the agency.", "The drug was not approved by the agency.", rag.MismatchNegation},
		{"contraction", "The method doesn't work on small samples.", "The method does work on small samples.", rag.MismatchNegation},
		{"without", "The cake is made without eggs.", "The cake is made with eggs.", rag.MismatchNegation},
		{"all", "All patients recovered within a week.", "Some patients recovered within a week.", rag.MismatchQuantifier},
		{"at least", "The bag may weigh at least 20 kg.", "The bag may weigh at most 20 kg.", rag.MismatchQuantifier},
		{"direction", "The treatment increased blood pressure.", "The treatment decreased blood pressure.", rag.MismatchDirection},
		{"before", "The vote was held before the debate.", "The vote was held after the debate.", rag.MismatchDirection},
		{"数字", "该公司有三百五十名员工。", "该公司有450名员工。", rag.MismatchNumber},
		{"万", "这座城市有200万人口。", "这座城市有300万人口。", rag.MismatchNumber},
		{"年份", "大桥于1937年通车。", "大桥于1932年通车。", rag.MismatchDate},
		{"民國", "學校於民國五十年成立。", "學校於1962年成立。", rag.MismatchDate},
		{"月份", "条约于3月签署。", "条约于四月签署。", rag.MismatchDate},
		{"单位", "这条河全长30公里。", "这条河全长30米。", rag.MismatchUnit},
		{"人名", "《红楼梦》的作者是曹雪芹。", "《水浒传》的作者是曹雪芹。", rag.MismatchName},
		{"地名", "会议在北京举行。", "会议在上海举行。", rag.MismatchName},
		{"角色", "德国在决赛中击败了巴西。", "巴西在决赛中击败了德国。", rag.MismatchRole},
		{"不", "该药物没有获得批准。", "该药物获得批准。", rag.MismatchNegation},
		{"並未", "該計畫獲得通過。", "該計畫並未獲得通過。", rag.MismatchNegation},
		{"全部", "全部病人在一周内康复。", "部分病人在一周内康复。", rag.MismatchQuantifier},
		{"方向", "去年销售额上升了百分之五。", "去年销售额下降了百分之五。", rag.MismatchDirection},
		{"繁體方向", "水位在颱風之前升高。", "水位在颱風之後升高。", rag.MismatchDirection},
		{"一字", "境外旅客不得入內。", "境內旅客不得入內。", rag.MismatchDirection},
	} {
		if got := kinds(c.claim, c.source); !slices.Contains(got, c.want) {
			t.Errorf("%s: %q against %q: got %v, want %s", c.name, c.claim, c.source, got, c.want)
		}
	}
}

func TestCompare_LeavesAloneWhatAgrees(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, claim, source string }{
		{"words for digits", "The trial enrolled twenty-five patients.", "The trial enrolled 25 patients."},
		{"separators", "It cost 1200 euros.", "It cost 1,200 euros."},
		{"multiples", "The city has 2.5 million inhabitants.", "The city has 2,500,000 inhabitants."},
		{"conversion", "The lake is 2 km wide.", "The lake is 2000 m wide."},
		{"rounding", "The rate was 12.3 percent.", "The rate was 12.34%."},
		{"about", "About 500 people came.", "498 people came."},
		{"at least", "More than 300 people came.", "350 people came."},
		{"a version is no number", "Version 1.2.3 was released.", "Version 1.2.3 was released."},
		{"passive", "Germany was defeated by Brazil.", "Brazil defeated Germany."},
		{"order of a list", "Anna and Berta sang.", "Berta and Anna sang."},
		{"clauses change places", "The bridge was closed after the storm.", "After the storm, the bridge was closed."},
		{"double negation", "It is not impossible to win.", "It is possible to win."},
		{"the negation is of another thing", "The drug lowers the risk.", "The drug lowers the risk but does not cure the disease."},
		{"not only", "The plant grows in Spain and in Italy.", "The plant grows not only in Spain but also in Italy."},
		{"negated direction", "Prices did not increase.", "Prices decreased."},
		{"weaker claim", "Some patients recovered.", "All patients recovered."},
		{"other matter", "Whales are mammals.", "The 12 ships did not sail to Lisbon in 1582."},
		{"emoji", "The launch 🚀 was on 5 May 2020.", "On 5 May 2020 the launch 🚀 took place."},
		{"全角", "共１２天。", "共12天。"},
		{"汉字数字", "该公司有四百五十名员工。", "该公司有450名员工。"},
		{"大写", "金额为壹万元。", "金额为10000元。"},
		{"年份写法", "会议于二〇二四年召开。", "会议于2024年召开。"},
		{"民國", "學校於民國五十年成立。", "學校於1961年成立。"},
		{"繁简", "學校位於臺北市中心。", "学校位于台北市中心。"},
		{"不断不是否定", "产量不断增长。", "产量增长。"},
		{"非洲", "大象生活在非洲。", "大象生活在非洲草原。"},
		{"一般", "水一般在一百度沸腾。", "水在100度沸腾。"},
		{"双重否定", "他不得不离开。", "他离开。"},
		{"同义词", "该校创立于1912年。", "该校成立于1912年。"},
		{"大陆", "大陆人口众多。", "大陆人口很多。"},
		{"另一语言", "The bridge opened in 1932.", "大桥于1932年通车。"},
	} {
		if got := kinds(c.claim, c.source); len(got) > 0 {
			t.Errorf("%s: %q against %q: got %v, want none", c.name, c.claim, c.source, got)
		}
	}
}

func TestCompare_ANumberElsewhereInThePassageIsNotContradicted(t *testing.T) {
	t.Parallel()
	source, other := Analyse("In 2015 the club had 40 members."), Analyse("A year later 55 had joined.")
	passage := Join([]*Text{source, other})
	got := Compare(Analyse("The club had 55 members at last."), source, passage)
	if got.Numbers.Missing() != 0 || got.Numbers.Elsewhere != 1 {
		t.Errorf("got %+v, want one number elsewhere and none missing", got.Numbers)
	}
}

func TestCompare_SaysTheWordsOnBothSides(t *testing.T) {
	t.Parallel()
	claim, source := Analyse("🙂 大桥于１９３７年通车。"), Analyse("资料显示，大桥于1932年通车。")
	got := Compare(claim, source, source)
	if len(got.Differences) != 1 {
		t.Fatalf("got %v, want one difference", got.Differences)
	}
	if d := got.Differences[0]; claim.Slice(d.Claim) != "１９３７" || source.Slice(d.Source) != "1932" {
		t.Errorf("got %q and %q", claim.Slice(d.Claim), source.Slice(d.Source))
	}
}

func TestCompare_ForAnyTexts(t *testing.T) {
	t.Parallel()
	part := rapid.SampledFrom([]string{"not ", "no. ", "12", "1,5", "３", "一百二十", "百分之", "万", "不", "沒有", "之前", "increase ", "Berlin ", "km", "年", "月", "%", "。", ", ", "《", "》", "🙂", "x", "n't ", "can't ", "twenty-", "hundred and ", "全部", " ", "\n", "May ", "é", "$5"})
	text := rapid.Custom(func(t *rapid.T) string {
		s := ""
		for _, p := range rapid.SliceOfN(part, 0, 25).Draw(t, "parts") {
			s += p
		}
		return s
	})
	rapid.Check(t, func(t *rapid.T) {
		a, b := text.Draw(t, "claim"), text.Draw(t, "source")
		claim, source := Analyse(a), Analyse(b)
		got := Compare(claim, source, source)
		for _, d := range got.Differences {
			if !valid(d.Claim, len([]rune(a))) || !valid(d.Source, len([]rune(b))) || d.Claim.Empty() && d.Source.Empty() {
				t.Fatalf("%q against %q: %+v lies outside", a, b, d)
			}
		}
		if got.Coverage < 0 || got.Coverage > 1.0001 || got.Numbers.Missing() < 0 {
			t.Fatalf("got %+v", got)
		}
		if same := Compare(claim, claim, claim); len(same.Differences) > 0 {
			t.Fatalf("%q differs from itself: %+v", a, same.Differences)
		}
	})
}

func valid(s rag.Span, n int) bool { return s.Start >= 0 && s.Start <= s.End && s.End <= n }

func BenchmarkCompare(b *testing.B) {
	claim := Analyse("The trial enrolled 23 patients with hypertension in Berlin and blood pressure did not increase during 2015.")
	source := Analyse("Between March 2014 and May 2015 the randomised trial enrolled 25 patients with hypertension in Berlin and Hamburg, and their blood pressure increased by 12% during the first year of treatment.")
	for b.Loop() {
		Compare(claim, source, source)
	}
}
