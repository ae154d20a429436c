package text

import (
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"footnote/internal/evaldata"
	"footnote/internal/rag"
)

func sentences(s string) []string {
	var out []string
	x := NewIndex(s)
	for _, span := range Sentences(s) {
		out = append(out, x.Slice(span))
	}
	return out
}

func TestSentences(t *testing.T) {
	t.Parallel()
	// "|" marks the ends of sentences and is removed, with the spaces around it kept as one.
	for name, want := range map[string][]string{
		"plain":                  {"It rains.", "We stay in!", "Why not?"},
		"abbreviations":          {"Dr. Smith met Mr. J. R. Jones, e.g. at noon, i.e. 12:00.", "They left."},
		"countries":              {"He moved to the U.S. Senate in 1999.", "She stayed in the U.S.", "The rest left."},
		"figures":                {"See Fig. 3 and Eq. 4, cf. Sec. 2.1 for 3.14 and 1.5 mg.", "No. 5 follows.", "He said no.", "Then he left."},
		"authors":                {"Smith et al. 2019 and Doe et al. (2020) agree.", "We don't."},
		"companies":              {"Acme Inc. Chairman Bob resigned.", "He sold Acme Inc.", "The market fell."},
		"initials":               {"Franklin D. Roosevelt won.", "It was plan B.", "However, it failed."},
		"months":                 {"It opened on Jan. 5 and shut on Dec. 24, 1999.", "Nobody came."},
		"quotes":                 {"\"Are you sure?\" she asked.", "“I am.”", "He left (at last).", "(He came back.)", "Good."},
		"straight quotes":        {"He said \"Stop.\"", "\"Why?\"", "Nobody knew."},
		"references":             {"It was shown.[12]", "Later work agreed.[3, 4]", "Fine."},
		"ellipsis":               {"Well... maybe not.", "Wait...", "What?"},
		"addresses":              {"Visit example.com or a.b@c.org, version 1.18.3.", "Done."},
		"emoji":                  {"It works! 🎉🎉", "😀 is a face."},
		"exclaiming names":       {"Yahoo! was bought.", "Really?!", "Yes."},
		"wrapped lines":          {"One sentence\nover two lines.", "Another\none."},
		"traditional":            {"「你要去哪裡？」", "他問。", "我說：「不知道……」", "他走了。"},
		"enumerated in brackets": {"条件（见第3条。）如下；", "第二。"},
	} {
		sep := " "
		if HanRatio(strings.Join(want, "")) > 0.5 {
			sep = ""
		}
		s := strings.Join(want, sep)
		switch name {
		case "emoji":
			s = "It works! 🎉🎉 😀 is a face."
			want = []string{"It works!", "🎉🎉 😀 is a face."}
		case "enumerated in brackets":
			want = []string{"条件（见第3条。）", "如下；", "第二。"}
		}
		if d := cmp.Diff(want, sentences(s)); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
	for _, c := range []struct {
		name, s string
		want    []string
	}{
		{"chinese", "今天下雨。我们在家！为什么不出去？因为下雨；很大。", []string{"今天下雨。", "我们在家！", "为什么不出去？", "因为下雨；", "很大。"}},
		{"closing quotes", "他说：“走吧。”然后走了。“好！”，她答道。", []string{"他说：“走吧。”", "然后走了。", "“好！”，她答道。"}},
		{"ellipsis", "我想……也许吧。他……，不。", []string{"我想……", "也许吧。", "他……，不。"}},
		{"half-width", "真的吗?我不信!他走了.她3.5岁.完", []string{"真的吗?", "我不信!", "他走了.", "她3.5岁.", "完"}},
		{"repeated", "太好了！！！真的？！是。", []string{"太好了！！！", "真的？！", "是。"}},
		{"mixed", "我们用Go 1.26写。It is fast. 对吧？Yes. 版本是v1.2.3。", []string{"我们用Go 1.26写。", "It is fast.", "对吧？", "Yes.", "版本是v1.2.3。"}},
		{"straight quotes", "他说：\"你好。\"\"再见。\"完", []string{"他说：\"你好。\"", "\"再见。\"", "完"}},
		{"full-width space", "第一。　第二。　", []string{"第一。", "第二。"}},
		{"paragraphs", "A title\n\nBody without stop\n \t\nEnd", []string{"A title", "Body without stop", "End"}},
		{"lists", "Rules:\n- one\n- two goes\n  on. And on.\n1. First. Dr. No\n2) second\n（一）甲\n二、乙", []string{
			"Rules:", "- one", "- two goes\n  on.", "And on.", "1. First.", "Dr. No", "2) second", "（一）甲", "二、乙"}},
		{"headings", "# Leave\nEmployees get 20 days.\n| a | b |\n| c | d |\nAfter", []string{"# Leave", "Employees get 20 days.", "| a | b |", "| c | d |", "After"}},
		{"empty", " \n\n\t　", nil},
		{"no stop", "hello", []string{"hello"}},
		{"stops alone", "... 。。", []string{"...", "。。"}},
	} {
		if d := cmp.Diff(c.want, sentences(c.s)); d != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, d)
		}
	}
}

func TestSentences_CoverEverythingButWhiteSpaceOnce(t *testing.T) {
	t.Parallel()
	alphabet := []rune("aB1 .!?;。！？；…”’」』）】\"'()[]\n\t　中文國😀é|#-•,，")
	rapid.Check(t, func(t *rapid.T) {
		r := rapid.SliceOfN(rapid.SampledFrom(alphabet), 0, 60).Draw(t, "text")
		at := 0
		check := func(to int) {
			for ; at < to; at++ {
				if !unicode.IsSpace(r[at]) {
					t.Fatalf("%q: code point %d is in no sentence", string(r), at)
				}
			}
		}
		for _, s := range Sentences(string(r)) {
			if s.Start < at || s.Empty() || s.End > len(r) || unicode.IsSpace(r[s.Start]) || unicode.IsSpace(r[s.End-1]) {
				t.Fatalf("%q: bad span %v", string(r), s)
			}
			check(s.Start)
			at = s.End
		}
		check(len(r))
	})
}

func TestSentences_StayLinearOnHostileInput(t *testing.T) {
	t.Parallel()
	for _, unit := range []string{".)", ". ", "\".", "a.", "…", "\n", "- \n", "[1].x", "“。", "A. "} {
		s := strings.Repeat(unit, 200_000) + "x"
		began := time.Now()
		Sentences(s)
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("%q repeated: took %v", unit, took)
		}
	}
}

// Sentences labelled by people: most long answers of CLAPnq are whole sentences of their passage, and XQuAD's short answers
// lie inside one sentence.
func TestSentences_OnRealText(t *testing.T) {
	t.Parallel()
	for set, floor := range map[string]float64{"xquad-en": .995, "xquad-zh": .99, "drcd-dev": .99} {
		type passage struct {
			ID   string `json:"_id"`
			Text string
		}
		passages := map[string]string{}
		for _, p := range evaldata.Lines[passage](t, evaldata.Path(t, "retrieval", set, "corpus.jsonl")) {
			passages[p.ID] = p.Text
		}
		n, whole, count, length := 0, 0, 0, 0
		for _, p := range passages {
			count += len(Sentences(p))
			length += Len(p)
		}
		type answer struct {
			Doc        string `json:"doc_id"`
			Start, End int
			Text       string
		}
		for _, a := range evaldata.Lines[answer](t, evaldata.Path(t, "retrieval", set, "spans.jsonl")) {
			n++
			if slices.ContainsFunc(Sentences(passages[a.Doc]), func(s rag.Span) bool { return s.Start <= a.Start && a.End <= s.End }) {
				whole++
			} else if testing.Verbose() && n-whole < 12 {
				t.Logf("%s: %q is cut in %q", set, a.Text, Slice(passages[a.Doc], a.Start-30, a.End+30))
			}
		}
		got := float64(whole) / float64(n)
		t.Logf("%s: %.4f of %d answers lie in one sentence; %.1f sentences a passage, %.0f characters each", set, got, n, float64(count)/float64(len(passages)), float64(length)/float64(count))
		if got < floor {
			t.Errorf("%s: got %.4f, want at least %.4f", set, got, floor)
		}
	}
}
