package chunk

import (
	"fmt"
	"strings"
	"testing"

	"footnote/internal/ingest/parse"
	limits "footnote/internal/ingest/parse/document"
	"footnote/internal/rag"
)

func split(t *testing.T, p rag.Parsed, o Options) []rag.Chunk {
	t.Helper()
	o.Count = count
	if o.MaxTokens == 0 {
		o.MaxTokens = 300
	}
	got, err := Split(p, o)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func parsed(t *testing.T, name, content string) rag.Parsed {
	t.Helper()
	mediaType, err := parse.MediaType(name, "", []byte(content))
	if err != nil {
		t.Fatal(err)
	}
	p, err := parse.Parse(t.Context(), []byte(content), name, mediaType, limits.DefaultLimits)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestSplit_PiecesOfATableHaveItsHeadAndWholeRows(t *testing.T) {
	for name, head := range map[string]string{"en": "| Name | Leave (days) |", "zh-Hant": "| 姓名 | 年假（日） 🗓 |", "zh-Hans": "| 姓名 | 年假（天） |"} {
		rows := []string{head, "| --- | --- |"}
		for i := range 30 {
			rows = append(rows, fmt.Sprintf("| 員工 employee %d | %d |", i, i*i))
		}
		p := parsed(t, "a.md", "Before it. 之前。\n\n"+strings.Join(rows, "\n")+"\n\nAfter it. 之後。\n")
		got := split(t, p, Options{TargetTokens: 60, OverlapTokens: 20})
		if len(got) < 3 {
			t.Fatalf("%s: got %d chunks, want several", name, len(got))
		}
		want := strings.Trim(head, "| ")
		for i, c := range got {
			switch whole := strings.Contains(c.Text, want); {
			case whole && c.Context != "":
				t.Errorf("%s: chunk %d holds the head and has the context %q", name, i, c.Context)
			case !whole && strings.HasPrefix(c.Text, "員工") && c.Context != want:
				t.Errorf("%s: chunk %d has the context %q, want %q", name, i, c.Context, want)
			}
			for line := range strings.SplitSeq(c.Text, "\n") {
				if strings.HasPrefix(line, "員工") && strings.Count(line, " | ") != 1 {
					t.Errorf("%s: row %q was cut", name, line)
				}
			}
		}
		if !strings.HasSuffix(got[0].Text, "|") && !strings.Contains(got[0].Text, want+"\n員工") {
			t.Errorf("%s: the head was parted from the first row: %q", name, got[0].Text)
		}
	}
}

func TestSplit_CutsARowThatIsTooLongAndStillNamesItsColumns(t *testing.T) {
	p := parsed(t, "a.md", "| 條款 | 內容 |\n| --- | --- |\n| 1 | "+strings.Repeat("員工請假須先申請。", 30)+" |\n")
	got := split(t, p, Options{TargetTokens: 60})
	if len(got) < 3 {
		t.Fatalf("got %d chunks, want several", len(got))
	}
	for _, c := range got[1:] {
		if c.Context != "條款 | 內容" {
			t.Errorf("%q has the context %q", c.Text, c.Context)
		}
	}
}

func TestSplit_KeepsAListWithItsLeadIn(t *testing.T) {
	for name, lead := range map[string]string{"en": "These are due with the claim:", "zh": "申請時須附上以下文件："} {
		before := strings.Repeat("Words before the list stand here. ", 4)
		var items strings.Builder
		for i := range 12 {
			fmt.Fprintf(&items, "- item number %d 第%d項文件\n", i, i)
		}
		p := parsed(t, "a.md", before+"\n\n"+lead+"\n\n"+items.String())
		got := split(t, p, Options{TargetTokens: 45})
		if len(got) < 3 {
			t.Fatalf("%s: got %d chunks, want several", name, len(got))
		}
		held := 0
		for _, c := range got {
			if strings.Contains(c.Text, lead) {
				held++
				if !strings.Contains(c.Text, "item number 0") || c.Context != "" {
					t.Errorf("%s: the lead-in stands without the first item, or with a context: %q, %q", name, c.Text, c.Context)
				}
			} else if strings.Contains(c.Text, "item number") && c.Context != lead {
				t.Errorf("%s: %q has the context %q, want the lead-in", name, c.Text, c.Context)
			}
		}
		if held != 1 {
			t.Errorf("%s: %d chunks hold the lead-in, want one", name, held)
		}
	}
}

func TestSplit_ALongLeadInGivesItsLastSentences(t *testing.T) {
	long := strings.Repeat("This sentence says something else. ", 12) + "Bring these:"
	var items strings.Builder
	for i := range 40 {
		fmt.Fprintf(&items, "- paper number %d of those\n", i)
	}
	got := split(t, parsed(t, "a.md", long+"\n\n"+items.String()), Options{TargetTokens: 120})
	last := got[len(got)-1]
	if !strings.HasSuffix(last.Context, "Bring these:") || !strings.HasPrefix(last.Context, "This sentence") || len(last.Context) > rag.MaxContext {
		t.Errorf("got the context %q", last.Context)
	}
}

func TestSplit_PiecesOfCodeHaveTheLinesAroundThem(t *testing.T) {
	var body strings.Builder
	for i := range 25 {
		fmt.Fprintf(&body, "            total += self.weight[%d] * value  # 權重\n", i)
	}
	python := "# 計算 interest\nclass Ledger:\n    rate = 0.1\n\n    def interest(self, value):\n        total = 0\n        if value > 0:\n" + body.String() + "        return total\n"
	golang := "package a\n\nfunc Interest(value int) int {\n\ttotal := 0\n" + strings.ReplaceAll(strings.ReplaceAll(body.String(), "            ", "\t"), "#", "//") + "\treturn total\n}\n"
	for name, want := range map[string][]string{"a.py": {"class Ledger:", "def interest(self, value):", "if value > 0:"}, "a.go": {"func Interest(value int) int {"}} {
		content := map[string]string{"a.py": python, "a.go": golang}[name]
		got := split(t, parsed(t, name, content), Options{TargetTokens: 80})
		if len(got) < 3 {
			t.Fatalf("%s: got %d chunks, want several", name, len(got))
		}
		inside := 0
		for _, c := range got {
			if !strings.HasPrefix(c.Text, "total +=") {
				continue
			}
			inside++
			var lines []string
			for line := range strings.SplitSeq(c.Context, "\n") {
				lines = append(lines, strings.TrimSpace(line))
			}
			if strings.Join(lines, "|") != strings.Join(want, "|") {
				t.Errorf("%s: got the context %q, want %q", name, c.Context, want)
			}
		}
		if inside == 0 {
			t.Errorf("%s: no chunk begins inside the function", name)
		}
		if got[0].Context != "" {
			t.Errorf("%s: the first chunk has the context %q", name, got[0].Context)
		}
	}
}

// Where nothing leads in, nothing is added: what is embedded, and so the ids, stay as they were.
func TestSplit_ProseHasNoContext(t *testing.T) {
	p := parsed(t, "a.md", "# Leave 假\n\n"+strings.Repeat("Sixteen weeks, paid. 十六週，全薪。 ", 60)+"\n\n- a\n- b\n")
	for _, c := range split(t, p, Options{TargetTokens: 40, OverlapTokens: 10}) {
		if c.Context != "" {
			t.Errorf("%q has the context %q", c.Text, c.Context)
		}
	}
}

func TestSplit_ShortensAContextThatTheModelHasNoRoomFor(t *testing.T) {
	head := strings.Repeat("欄目名稱", 50)
	p := parsed(t, "a.md", "| "+head+" | b |\n| --- | --- |\n"+strings.Repeat("| 一二三四五六七八九十 | x |\n", 60))
	got := split(t, p, Options{TargetTokens: 200, MaxTokens: 260})
	last := got[len(got)-1]
	for _, c := range got {
		if n := count(c.Embedded("")); n > 260 {
			t.Errorf("%d tokens, want at most 260", n)
		}
	}
	if last.Context == "" || !strings.HasPrefix(head, strings.TrimSuffix(last.Context, "…")) {
		t.Errorf("got the context %q, want a beginning of the head", last.Context)
	}
}
