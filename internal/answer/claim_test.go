package answer

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"footnote/internal/rag"
)

// segmented lists the claims of a text; markers [n] are taken for markers.
func segmented(s string) (claims []string, context []string) {
	r := []rune(s)
	for _, p := range segment(s, markerSpans(s)) {
		if p.claim {
			claims = append(claims, string(r[p.span.Start:p.span.End]))
			context = append(context, p.context)
		}
	}
	return claims, context
}

func TestSegment_FindsTheClaimsOfBothLanguages(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		in   string
		want []string
	}{
		"markers after the stop belong to the sentence before": {"First one. [1] Second one [2]. 第三句。[3] 第四句[4]。", []string{"First one. [1]", "Second one [2].", "第三句。[3]", "第四句[4]。"}},
		"a marker on a line of its own":                        {"First one.\n[1]\nSecond one.", []string{"First one.\n[1]", "Second one."}},
		"abbreviations and decimals":                           {"Dr. Smith measured 3.5 mg vs. 4 mg. It rose by 2.1 %.", []string{"Dr. Smith measured 3.5 mg vs. 4 mg.", "It rose by 2.1 %."}},
		"quotes":                                               {`He said: "It lasts." Then he left. 他说：“全薪十六周。”然后走了。`, []string{`He said: "It lasts."`, "Then he left.", "他说：“全薪十六周。”", "然后走了。"}},
		"emoji":                                                {"Sixteen weeks 👶🏽! 👍\n\n🎉🎉\n\n全薪十六周👩‍👧。", []string{"Sixteen weeks 👶🏽!", "全薪十六周👩‍👧。"}},
		"traditional and full-width":                           {"出差住宿每晚以３，０００元為上限；機票一律搭乘經濟艙！", []string{"出差住宿每晚以３，０００元為上限；", "機票一律搭乘經濟艙！"}},
		"list items, not the lead-in": {"According to the handbook, leave lasts:\n\n- sixteen weeks for the mother [1]\n- four weeks for the father. It may be split. [2]\n* 全薪\n",
			[]string{"sixteen weeks for the mother [1]", "four weeks for the father.", "It may be split. [2]", "全薪"}},
		"numbered items in Chinese": {"根据手册，规定如下：\n1. 年假十五天[1]\n2、病假三天[2]\n（3）婚假十天。\n", []string{"年假十五天[1]", "病假三天[2]", "婚假十天。"}},
		"items that go on":          {"1. Sixteen weeks\n   at full pay [1]\n2. Ten days", []string{"Sixteen weeks\n   at full pay [1]", "Ten days"}},
		"headings and code":         {"# Leave in 2024\n\nSixteen weeks.\n\n```sh\nrm -rf 16\n```\n\nPay in full\n=====\nAll of it is paid.\n\n**Sick leave**\nFour days.", []string{"Sixteen weeks.", "All of it is paid.", "Four days."}},
		"tables":                    {"| Kind | Weeks | Pay |\n|---|:-:|---|\n| Parental | 16 [1] | full |\n| Sick \\| ill | 6 | – |\n", []string{"16 [1]", "full", "6"}},
		"tables without pipes":      {"Kind | Weeks\n--- | ---\nParental | sixteen\n", []string{"sixteen"}},
		"quotations":                {"> Leave lasts sixteen\n> weeks. It is paid.", []string{"Leave lasts sixteen\n> weeks.", "It is paid."}},
		"what says nothing": {"Sure! Here is what I found in the documents:\n\nSixteen weeks [1]. Would you like to know more? I hope this helps! Let me know if you have any other questions.",
			[]string{"Sixteen weeks [1]."}},
		"what says nothing in Chinese":          {"您好！以下是我找到的内容：\n\n全薪十六周[1]。需要更多信息吗？希望以上信息对您有帮助！綜上所述，", []string{"全薪十六周[1]。"}},
		"what only looks as if it said nothing": {"Here are the three documents of the treaty. Sure winners lose. 根据文档，假期为十六周。", []string{"Here are the three documents of the treaty.", "Sure winners lose.", "根据文档，假期为十六周。"}},
		"silence of the sources":                {"It lasts sixteen weeks. The passages do not mention the pay. 文档中没有提到工资。", []string{"It lasts sixteen weeks."}},
		"a colon that ends the text":            {"The answer is sixteen:", []string{"The answer is sixteen:"}},
		"nothing":                               {" \n\n---\n", nil},
	} {
		got, _ := segmented(c.in)
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestSegment_ShortItemsAndCellsKnowWhatTheyAreAbout(t *testing.T) {
	t.Parallel()
	in := "Parental leave:\n- sixteen weeks\n- taken:\n  - within two years\n\n| Kind | Weeks |\n|---|---|\n| Sick [2] | 6 |\n"
	got, context := segmented(in)
	if diff := cmp.Diff([]string{"sixteen weeks", "within two years", "6"}, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"Parental leave:", "Parental leave: taken:", "Sick, Weeks"}, context); diff != "" {
		t.Error(diff)
	}
	r := []rune(in)
	for _, p := range segment(in, markerSpans(in)) {
		if p.claim {
			s := p.statement(r[p.span.Start:p.span.End])
			if !strings.HasPrefix(s.Text, string(r[p.span.Start:p.span.End])) || !strings.HasSuffix(s.Text, ")") || s.Span != p.span {
				t.Errorf("got %+v", s)
			}
		}
	}
}

func TestStatement_KeepsOffsets(t *testing.T) {
	t.Parallel()
	r := []rune("**Leave** lasts\n`16` weeks")
	s := part{span: rag.Span{End: len(r)}}.statement(r)
	if want := "  Leave   lasts  16  weeks"; s.Text != want {
		t.Errorf("got %q, want %q", s.Text, want)
	}
}

// Every marker finds a claim to stand for, wherever it stands.
func TestOwners_EveryMarkerSpeaksForAClaim(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"Sixteen weeks [1].":                          "Sixteen weeks [1].",
		"According to this [1]:\n- one week\n- two":   "one week",
		"| Kind | Weeks |\n|--|--|\n| Sick [1] | 6 |": "6",
		"## Leave [1]\n\nSixteen weeks.":              "Sixteen weeks.",
		"Here is what I found [1].":                   "Here is what I found [1].",
		"Sixteen weeks.\n\n```\ncode\n```\n\n[1]":     "```\ncode\n```\n\n[1]",
		"[1] Sixteen weeks.":                          "Sixteen weeks.",
		"| Kind [1] | Weeks |\n|--|--|\n| Sick | 6 |": "Kind [1]",
		"以下是我找到的内容[1]：\n1. 年假十五天\n2. 病假三天":            "年假十五天",
	} {
		at := len([]rune(in[:strings.Index(in, "[1]")]))
		parts := segment(in, markerSpans(in))
		got := owners(parts, []footnote{{1, 1, at}})[0]
		r := []rune(in)
		if got < 0 || !parts[got].claim || string(r[parts[got].span.Start:parts[got].span.End]) != want {
			t.Errorf("%q: got part %d of %+v, want %q", in, got, parts, want)
		}
	}
}
