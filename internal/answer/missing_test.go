package answer

import (
	"strings"
	"testing"

	"footnote/internal/rag"
)

func TestMissing(t *testing.T) {
	t.Parallel()
	english := passageOf(1, "Leave", "Parental leave lasts 16 weeks in Berlin.")
	chinese := passageOf(2, "请假制度", "病假超过三天，须提交医院证明。")
	for name, c := range map[string]struct {
		question string
		passages []rag.Passage
		want     string
	}{
		"words, names and numbers":                 {"How long was parental leave in Fresno in 1987?", []rag.Passage{english}, "Fresno 1987"},
		"a word in another form is there":          {"Does a leave last long for parents?", []rag.Passage{english}, "long"},
		"the title counts":                         {"leaves", []rag.Passage{english}, ""},
		"nothing missing":                          {"parental leave in Berlin?", []rag.Passage{english}, ""},
		"汉字":                                       {"病假超过三天要带护照吗？", []rag.Passage{chinese}, "要带护照"},
		"繁體問、簡體有":                                  {"病假超過三天，醫院護照？", []rag.Passage{chinese}, "護照"},
		"誰、嗎 only ask":                             {"誰提交證明嗎？", []rag.Passage{chinese}, ""},
		"no comparison across languages":           {"护照几天办好？", []rag.Passage{english}, ""},
		"but of numbers and names":                 {"GPT-4 在2031年的病假？", []rag.Passage{english}, "GPT-4 2031"},
		"Latin words are not asked of Chinese":     {"Does sick leave need a passport?", []rag.Passage{chinese}, ""},
		"a number is asked of every language":      {"Was it 1987?", []rag.Passage{chinese}, "1987"},
		"either language's passage may have it":    {"病假 Fresno", []rag.Passage{english, chinese}, "Fresno"},
		"no passage at all: everything is missing": {"病假 in Fresno", nil, "病假 Fresno"},
		"each once":                                {"Fresno, Fresno, fresno?", []rag.Passage{english}, "Fresno fresno"},
		"emoji and marks are no words":             {"🎉？！", []rag.Passage{english}, ""},
	} {
		if got := strings.Join(missing(c.question, c.passages), " "); got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

func TestMissing_IsBounded(t *testing.T) {
	t.Parallel()
	if got := missing(strings.Repeat("alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron ", 3), []rag.Passage{passageOf(1, "", "Leave.")}); len(got) != maxMissing {
		t.Errorf("got %d words, want %d", len(got), maxMissing)
	}
}

func TestAbstention_IsSaidInTheQuestionsScript(t *testing.T) {
	t.Parallel()
	for _, c := range [][3]string{
		{"en", "Where?", "The documents do not answer this question."},
		{"zh", "在哪里？", "文档中没有这个问题的答案。"},
		{"", "在哪裡開會？", "文件中沒有這個問題的答案。"},
		{"zh-Hant", "where", "文件中沒有這個問題的答案。"},
		{"zh", "where", "文档中没有这个问题的答案。"},
	} {
		if got := noAnswer(rag.Question{Query: rag.Query{Text: c[1]}, Language: c[0]}); got != c[2] {
			t.Errorf("%s: got %s, want %s", c[1], got, c[2])
		}
	}
	if got, want := lacking([]string{"Fresno", "1987", "护照"}), ` No passage has "Fresno", "1987" or "护照".`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if lacking(nil) != "" || lacking([]string{"x"}) != ` No passage has "x".` {
		t.Errorf("got %q, %q", lacking(nil), lacking([]string{"x"}))
	}
}

func TestNearest_NamesEachDocumentOnce(t *testing.T) {
	t.Parallel()
	var passages []rag.Passage
	for i, title := range []string{"a", "a", "b", "c", "d"} {
		p := passageOf(i+1, title, "Text.")
		p.Hit.Score = 1 - float64(i)/10
		passages = append(passages, p)
	}
	got := nearest(passages)
	if len(got) != 3 || got[0].Document.Title != "a" || got[0].Score != 1 || got[1].Document.Title != "b" || got[2].Document.Title != "c" {
		t.Errorf("got %+v", got)
	}
}
