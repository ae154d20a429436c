package eval

import "testing"

func TestAnswerF1_OnWorkedExamples(t *testing.T) {
	for _, c := range []struct {
		answer, gold string
		want         float64
		exact        float64
	}{
		{"The Denver Broncos!", "Denver Broncos", 1, 1},
		{"The game was won by the Denver Broncos.", "Denver Broncos", 2 * 2.0 / (6 + 2), 0}, // game was won by denver broncos
		{"to be or not to be", "be to be", 2 * 3.0 / (6 + 3), 0},                            // a bag: be twice, to once
		{"Paris", "London", 0, 0},
		{"ＡＢＣ １２３", "abc 123", 1, 1},
		{"光荣和ω-force", "光荣和ω-force", 1, 1},
		{"由光榮和 ω-force 合作開發。", "光荣和ω-force", 2 * 4.0 / (9 + 4), 0}, // 由光荣和ωforce合作开发: nine segments, four of them in a run
		{"黑豹队的防守只丢了 308 分。", "308", 2 * 1.0 / (11 + 1), 0},
		{"上海北京", "北京上海", 0.5, 0}, // a run, not a bag: two characters of four
		{"", "北京", 0, 0},
		{"臺灣", "台湾", 1, 1},
	} {
		if got := AnswerF1(c.answer, []string{"nothing like it", c.gold}); !near(got, c.want) {
			t.Errorf("AnswerF1(%q, %q): got %v, want %v", c.answer, c.gold, got, c.want)
		}
		if got := ExactMatch(c.answer, []string{"nothing like it", c.gold}); got != c.exact {
			t.Errorf("ExactMatch(%q, %q): got %v, want %v", c.answer, c.gold, got, c.exact)
		}
	}
	if got := AnswerF1("anything", nil); got != 0 {
		t.Errorf("without a gold answer: got %v, want 0", got)
	}
}

func TestContains_WholeWordsOnly(t *testing.T) {
	for _, c := range []struct {
		answer, gold string
		want         bool
	}{
		{"Carolina's defense gave up just 308 points.", "308", true},
		{"It gave up 1308 points.", "308", false},
		{"It rose by 1.6 %.", "6", false},
		{"It rose by 1.6 %.", "1.6%", true},
		{"There were 16,000 of them.", "16", false},
		{"between 160-162 cm", "160", true},
		{"He took part in it.", "art", false},
		{"at Levi’s Stadium", "Levi's Stadium", true},
		{"won by Denver Broncos", "the Denver Broncos", true},
		{"hepatitis B", "hepatitis A", false},
		{"It cost $10.", "€10", false},
		{"他們住在「臺北」。", "台北", true},
		{"共有１３６次擒杀", "136 次", true},
		{"位于北京市海淀区", "海淀", true},
		{"位于北京市海淀区", "海口", false},
		{"由光荣和ω-force开发🎮", "光荣和ω-force", true},
		{"anything", "", false},
		{"anything", "…", false},
	} {
		if got := Contains(c.answer, [][]string{{"no such thing", c.gold}}); got != c.want {
			t.Errorf("Contains(%q, %q): got %v, want %v", c.answer, c.gold, got, c.want)
		}
	}
	groups := [][]string{{"东盟"}, {"日本", "日本国"}}
	if !Contains("成员有日本和东盟。", groups) || Contains("成员有日本。", groups) || Contains("", nil) {
		t.Error("one of each group must be there")
	}
}
