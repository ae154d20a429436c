package search

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"footnote/internal/lexical"
	"footnote/internal/rag"
)

func TestPhrases_AreWhatStandsInQuotationMarks(t *testing.T) {
	t.Parallel()
	for query, want := range map[string]string{
		`parental leave`:                 ``,
		`"Parental  Leave"`:              `parental leave`,
		`is "parental leave" paid?`:      `parental leave`,
		`“Parental Leave” and 『病 假』`:     `parental leave|病假`,
		`「育兒假」有多长？`:                      `育儿假`,
		`什么是“育兒假”？`:                      `育儿假`,
		`＂Ｆｕｌｌ　Ｗｉｄｔｈ＂`:                   `full width`,
		`«déjà vu»`:                      `déjà vu`,
		`a 24" screen or a 27" one`:      ``,
		`the 3" pipe "as built" drawing`: `as built`,
		`"unclosed`:                      ``,
		`“unclosed, "inner" closes`:      `inner`,
		`""`:                             ``,
		`" "`:                            ``,
		`"🎉 release"`:                    `🎉 release`,
		`"a" "b"`:                        `a|b`,
		`病假"三天"以上`:                       `三天`,
		`"say ‘no’"`:                     `say 'no'`,
	} {
		got, plain := phrases(query)
		if strings.Join(got, "|") != want {
			t.Errorf("%s: got %q, want %s", query, got, want)
		}
		if len(got) == 0 && plain != query {
			t.Errorf("%s: without a phrase it became %q", query, plain)
		}
		if len(got) > 0 && !slices.Equal(texts(plain), texts(query)) {
			t.Errorf("%s: the terms of %q are not its own", query, plain)
		}
	}
}

func texts(s string) (out []string) {
	for _, t := range lexical.Terms(s) {
		out = append(out, t.Text)
	}
	return out
}

func TestHasPhrase(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		phrase, text string
		want         bool
	}{
		{"sixteen weeks", "It lasts Sixteen\n  WEEKS.", true},
		{"sixteen weeks", "It lasts sixteen working weeks.", false},
		{"art", "the party", false},
		{"art", "party art", true},
		{"art", "art: the party", true},
		{"v1.18.3", "since v1.18.3, and", true},
		{"v1.18", "since v1.18.3", true},
		{"v1.18.3", "since v1.18.30", false},
		{"病假", "員工請病假須證明", true},
		{"請病假", "员工请病假须证明", true},
		{"请病假", "员工请\n病假", true},
		{"三天，须", "超过三天,须提交", true},
		{"ＱＤＲＡＮＴ向量", "用 Qdrant 向量库", true},
		{"🎉 release", "today: 🎉  Release day", true},
		{"🎉 release", "today: release day", false},
		{"（草案）", "合同(草案)第二版", true},
		{"don't", "we don’t know", true},
		{"十二", "二十二", true},
		{"完", "", false},
	} {
		if got := hasPhrase(lexical.Fold(c.text), lexical.Fold(c.phrase)); got != c.want {
			t.Errorf("%q in %q: got %t", c.phrase, c.text, got)
		}
	}
}

func TestSearch_HitsHaveThePhrase(t *testing.T) {
	t.Parallel()
	w, s := newWorld()
	for i := range 250 { // that rank before it, down to far below the first depth
		w.texts["en"] = append(w.texts["en"], fmt.Sprintf("leave of parental nature, parental, parental leave-taking %d", i))
	}
	want := "Of all the kinds of leave that there are in this house and others, the one that is parental comes before leave requests go anywhere."
	w.texts["en"] = append(w.texts["en"], want)
	w.texts["zh"] = append(w.texts["zh"], "育兒假與病假不同。")
	for query, hits := range map[string][]string{
		`parental "leave requests go"`: {"Leave requests go to the manager.", want},
		`"leave requests go anywhere"`: {want},
		`"Leave lasts sixteen"`:        {"Parental leave lasts sixteen weeks."},
		`“育儿假” 全薪`:                     {"育儿假为十六周，全薪。", "育兒假與病假不同。"},
		`「育儿假为」`:                       {"育儿假为十六周，全薪。"},
		`"parental pigs"`:              nil,
		`"sixteen weeks" "育儿假"`:        nil,
	} {
		for _, mode := range []rag.Mode{rag.Hybrid, rag.Lexical, rag.Dense} {
			got, err := s.Search(t.Context(), rag.Query{Text: query, Collections: []string{"en", "zh"}, Mode: mode})
			if err != nil {
				t.Fatal(err)
			}
			var found []string
			for _, h := range got.Hits {
				found = append(found, h.Chunk.Text)
			}
			slices.Sort(found)
			slices.Sort(hits)
			if !slices.Equal(found, hits) {
				t.Errorf("%s %s: got %q, want %q", mode, query, found, hits)
			}
		}
	}
	got, err := s.Search(t.Context(), rag.Query{Text: `"parental pigs"`, Collections: []string{"en"}, IgnorePhrases: true})
	if err != nil || len(got.Hits) == 0 {
		t.Errorf("got %d hits, %v; want some where quotation marks ask for nothing", len(got.Hits), err)
	}
}
