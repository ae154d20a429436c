package search

import (
	"fmt"
	"strings"
	"testing"

	"footnote/internal/rag"
)

const (
	servers   = " The servers are backed up at midnight, and the copies are kept for a quarter in another building of the same town, where nobody but the guards has a key to the room."
	passageEN = "Parental leave lasts sixteen weeks at full pay and may be taken within two years of the birth, in one part or in several, by either of the parents or by both of them together, " +
		"provided that the head of the department has been told of it in writing a month before it begins."
	passageZH = "员工每年享有带薪年假，未休的年假可以顺延到次年三月底，逾期作废。申请年假须提前两周提交部门主管批准，主管因工作需要可以调整休假时间，但应当与员工协商一致，并在系统中注明原因。" +
		"试用期内的员工同样享有年假，按照入职的月份折算，不足一天的部分不计。"
	passageTW = "員工每年享有帶薪年假，未休的年假可以順延到次年三月底，逾期作廢。申請年假須提前兩週提交部門主管批准，主管因工作需要可以調整休假時間，但應當與員工協商一致，並在系統中註明原因。" +
		"試用期內的員工同樣享有年假，按照入職的月份折算，不足一天的部分不計。"
)

func TestSketch_TellsNearDuplicates(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		a, b string
		want bool
	}{
		"the same":              {passageEN, passageEN, true},
		"case and layout":       {passageEN, strings.ToUpper(strings.ReplaceAll(passageEN, ", ", ",\n  ")), true},
		"full width":            {passageZH, strings.NewReplacer("，", ",", "。", ".").Replace(passageZH), true},
		"traditional":           {passageZH, passageTW, true},
		"one word of a hundred": {passageEN + servers, strings.Replace(passageEN+servers, "department", "office", 1), true},
		"emoji and bullets":     {passageEN, "• 🎉 " + passageEN, true},
		"another number":        {passageEN, strings.Replace(passageEN, "sixteen", "twenty", 1), false},
		"another digit":         {passageEN + " See § 12.", passageEN + " See § 13.", false},
		"another Chinese one":   {passageZH, strings.Replace(passageZH, "两周", "三周", 1), false},
		"a negation":            {passageEN, strings.Replace(passageEN, "may be", "may not be", 1), false},
		"a Chinese negation":    {passageZH, strings.Replace(passageZH, "同样享有", "不享有", 1), false},
		"half of it":            {passageEN, passageEN[:len(passageEN)/2], false},
		"other words":           {passageEN, servers, false},
		"other Chinese words":   {passageZH, "服务器在午夜备份，备份在另一座楼里保存一个季度，每月演练恢复，演练的记录由运维部门归档备查，任何人不得擅自删除或者修改。", false},
		"short and the same":    {"Yes.", "yes", true},
		"short and another":     {"Yes.", "Perhaps.", false},
		"pictures":              {"😀！？", "😀！？", true},
		"other pictures":        {"😀！？", "🎉！？", false},
		"empty beside a text":   {"…", "Yes.", false},
		"translations":          {passageEN, passageZH, false},
	} {
		a, b := sketchOf(rag.Hit{Chunk: rag.Chunk{Text: c.a}}), sketchOf(rag.Hit{Chunk: rag.Chunk{Text: c.b}})
		if got := a.near(b); got != c.want || b.near(a) != got {
			t.Errorf("%s: got %t, want %t", name, got, c.want)
		}
	}
	// Short texts say what they are about in their headings only.
	a := sketchOf(rag.Hit{Chunk: rag.Chunk{Text: "Not applicable.", HeadingPath: []string{"Sick leave"}}})
	b := sketchOf(rag.Hit{Chunk: rag.Chunk{Text: "Not applicable.", HeadingPath: []string{"Travel"}}})
	if a.near(b) {
		t.Error("the same words under other headings are taken for duplicates")
	}
}

func TestSearch_CollapsesDuplicates(t *testing.T) {
	t.Parallel()
	w, s := newWorld()
	w.texts["zh"] = append(w.texts["zh"], passageZH)
	w.texts["tw"] = []string{passageTW, strings.Replace(passageTW, "兩週", "三週", 1)}
	q := rag.Query{Text: "年假", Collections: []string{"zh", "tw"}, Collapse: true, Explain: true}
	got, err := s.Search(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Hits) < 2 || len(got.Hits[0].Duplicates)+len(got.Hits[1].Duplicates) != 1 {
		t.Fatalf("got %+v, want one duplicate and the other number as a hit", got.Hits)
	}
	for _, h := range got.Hits {
		for _, d := range h.Duplicates {
			if d.Chunk != id(passageTW) && d.Chunk != id(passageZH) || d.Collection == h.Collection {
				t.Errorf("got %+v for %s", d, h.Chunk.Text)
			}
		}
	}
	q.Collapse = false
	all, err := s.Search(t.Context(), q)
	if err != nil || len(all.Hits) != len(got.Hits)+1 {
		t.Errorf("got %d hits without collapsing, %v, want %d", len(all.Hits), err, len(got.Hits)+1)
	}
}

func TestSearch_LooksDeeperForWantOfDistinctHits(t *testing.T) {
	t.Parallel()
	w, s := newWorld()
	for i := range 300 {
		w.texts["en"] = append(w.texts["en"], strings.Repeat("!", i)+passageEN+" parental leave parental leave")
	}
	got, err := s.Search(t.Context(), rag.Query{Text: "parental leave", Collections: []string{"en"}, TopK: 3, Collapse: true})
	if err != nil || len(got.Hits) != 3 {
		t.Fatalf("got %d hits, %v", len(got.Hits), err)
	}
	if n := len(got.Hits[0].Duplicates) + len(got.Hits[1].Duplicates) + len(got.Hits[2].Duplicates); n < 290 {
		t.Errorf("got %d duplicates", n)
	}
}

func TestSearch_LimitsTheHitsOfADocument(t *testing.T) {
	t.Parallel()
	w, s := newWorld()
	long := rag.Document{ID: "doc_long", ExternalID: "long"}
	for i := range 250 {
		text := fmt.Sprintf("leave leave leave leave %d", i)
		w.texts["en"], w.of[text] = append(w.texts["en"], text), long
	}
	for most, want := range map[int]int{0: 4, 1: 1, 2: 2} {
		got, err := s.Search(t.Context(), rag.Query{Text: "leave", Collections: []string{"en"}, TopK: 4, MaxPerDocument: most})
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for i, h := range got.Hits {
			if h.Rank != i+1 {
				t.Errorf("hit %d has rank %d", i+1, h.Rank)
			}
			if h.Document.ID == long.ID {
				n++
			}
		}
		if n != want || most == 2 && len(got.Hits) != 4 {
			t.Errorf("at most %d: got %d of the long document in %d hits, want %d", most, n, len(got.Hits), want)
		}
	}
}

func BenchmarkSketch(b *testing.B) {
	for name, text := range map[string]string{"en": strings.Repeat(passageEN, 4), "zh": strings.Repeat(passageZH, 3)} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				sketchOf(rag.Hit{Chunk: rag.Chunk{Text: text}})
			}
		})
	}
}
