package answer

import "testing"

func TestAskedFor(t *testing.T) {
	t.Parallel()
	for question, want := range map[string]asked{
		"How many points did the defense surrender?": askedNumber,
		"黑豹队的防守丢了多少分？":                               askedNumber,
		"這座橋有幾座塔？":                                   askedNumber,
		"When did the plague end?":                   askedDate,
		"In what year was the bridge opened?":        askedDate,
		"大桥是哪一年通车的？":                                 askedDate,
		"天城文在何時成為標準？":                                askedDate,
		"The Panthers beat whom?":                    askedPerson,
		"誰認為這些語言同源？":                                 askedPerson,
		"Where is Mount Logan?":                      askedOther,
		"馬祖位於哪裡？":                                    askedOther,
		"Why did he leave?":                          askedReason,
		"他为什么离开？":                                    askedReason,
		"What is insulin?":                           askedOther,
		"锣鼓经是什么？":                                    askedOther,
		"":                                           askedOther,
	} {
		if got := askedFor(question); got != want {
			t.Errorf("%s: got %s, want %s", question, got, want)
		}
	}
}

func TestBears_OnlyWhatTheQuestionLacks(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		kind               asked
		question, sentence string
		want               bool
	}{
		{askedNumber, "How many sacks in 2015?", "In 2015 he had 136 sacks.", true},
		{askedNumber, "How many sacks in 2015?", "In 2015 he had sacks.", false},
		{askedNumber, "How many sons?", "He had four sons.", true},
		{askedNumber, "有几个儿子？", "他有四个儿子。", true},
		{askedNumber, "有几个儿子？", "他有儿子。", false},
		{askedNumber, "病假几天？", "病假為１２天。", true},
		{askedDate, "When was it opened?", "It was opened in March 1932.", true},
		{askedDate, "何时通车？", "該橋於一九三二年通車。", true},
		{askedDate, "何时通车？", "该桥横跨海湾。", false},
		{askedPerson, "Who led the team?", "The team was led by Luke Kuechly.", true},
		{askedPerson, "Who beat Luke Kuechly?", "Nobody beat Luke Kuechly.", false},
		{askedPerson, "Who led?", "Nobody knows.", false},
		{askedPerson, "谁领导？", "由卢克·坎克利领导。", true},
		{askedOther, "Where is it?", "It is in Northern Yukon.", false},
		{askedOther, "在哪里？", "位于重庆市。", false},
		{askedReason, "Why?", "It closed because of rain.", true},
		{askedReason, "为什么？", "由于下雨而关闭。", true},
		{askedReason, "为什么？", "昨天关闭。", false},
		{askedOther, "What?", "In 1932, because of Luke in Yukon.", false},
	} {
		if got := bears(c.kind, c.sentence, c.question); got != c.want {
			t.Errorf("%s, %q of %q: got %t", c.kind, c.sentence, c.question, got)
		}
	}
}

func TestQuestionTerms_AreWhatItIsAbout(t *testing.T) {
	t.Parallel()
	for question, want := range map[string][]string{
		"How long is the parental leave?": {"parent", "leav"},
		"病假需要什么证明？":                       {"病", "假", "病假", "需", "要", "证", "明", "证明", "需要", "假需"},
		"What is it?":                     {"what"},
	} {
		got := questionTerms(question)
		for _, term := range want {
			if !got[term] {
				t.Errorf("%s: got %v, without %s", question, got, term)
			}
		}
		if len(got) != len(want) {
			t.Errorf("%s: got %v, want %v", question, got, want)
		}
	}
}
