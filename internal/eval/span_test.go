package eval

import (
	"math"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"footnote/internal/rag"
	"footnote/internal/text"
)

func at(document string, start, end int) Found {
	return Found{Document: document, Span: rag.Span{Start: start, End: end}}
}

func TestScoreSpans(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		found, gold []Found
		want        SpanScores
	}{
		"nothing found":             {nil, []Found{at("a", 0, 10)}, SpanScores{}},
		"the gold itself":           {[]Found{at("a", 5, 15)}, []Found{at("a", 5, 15)}, SpanScores{1, 1, 1, 1}},
		"another document":          {[]Found{at("b", 5, 15)}, []Found{at("a", 5, 15)}, SpanScores{}},
		"within more text":          {[]Found{at("a", 0, 40)}, []Found{at("a", 10, 20)}, SpanScores{1, .25, .25, 1}},
		"half of it":                {[]Found{at("a", 0, 20)}, []Found{at("a", 10, 30)}, SpanScores{.5, .5, 1. / 3, 0}},
		"one of two":                {[]Found{at("a", 0, 10)}, []Found{at("a", 0, 10), at("b", 0, 10)}, SpanScores{.5, 1, .5, 1}},
		"what is shared, once":      {[]Found{at("a", 0, 20), at("a", 10, 30)}, []Found{at("a", 10, 20)}, SpanScores{1, .25, .25, 1}},
		"two halves of it, no part": {[]Found{at("a", 0, 15), at("a", 15, 30)}, []Found{at("a", 10, 20)}, SpanScores{1, 1. / 3, 1. / 3, 0}},
	} {
		got := ScoreSpans(c.found, c.gold)
		for i, v := range []float64{got.Recall - c.want.Recall, got.Precision - c.want.Precision, got.IoU - c.want.IoU, got.Whole - c.want.Whole} {
			if math.Abs(v) > 1e-12 {
				t.Errorf("%s: got %+v, want %+v (%d)", name, got, c.want, i)
				break
			}
		}
	}
}

func TestLocator_FindsWhatReadingMoved(t *testing.T) {
	t.Parallel()
	source := "# 請假\n\n  育兒假為十六週 🌴。\r\n\r\n\r\n病假三天。育兒假為十六週 🌴。"
	stored := "請假\n\n育兒假為十六週 🌴。\n\n病假三天。育兒假為十六週 🌴。"
	l := NewLocator(source, stored)
	first := LabelledSpan{Start: 8, End: 18, Text: "育兒假為十六週 🌴。"}
	last := LabelledSpan{Start: text.Len(source) - 10, End: text.Len(source), Text: "育兒假為十六週 🌴。"}
	for want, g := range map[int]LabelledSpan{4: first, text.Len(stored) - 10: last} {
		span, ok := l.Locate(g)
		if !ok || span.Start != want || text.Slice(stored, span.Start, span.End) != g.Text {
			t.Errorf("got %v %q, want it at %d", span, text.Slice(stored, span.Start, span.End), want)
		}
	}
	if span, ok := l.Locate(LabelledSpan{Text: "事假"}); ok {
		t.Errorf("got %v for what is not there", span)
	}
}

func TestCutters_CoverTheTextWithinTheSize(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := strings.Join(rapid.SliceOfN(rapid.SampledFrom([]string{"Words of one. ", "一句話。", "\n\n", "\n", "無標點的長文字", "emoji 🌴🏽 ", "x"}), 0, 80).Draw(t, "text"), "")
		size := rapid.IntRange(1, 60).Draw(t, "size")
		for name, cut := range map[string]Cutter{"fixed": CutFixed, "recursive": CutRecursive} {
			var b strings.Builder
			end := 0
			for _, p := range cut(s, size) {
				if p.Len() > size || p.Empty() || p.Start < end {
					t.Fatalf("%s: got %v after %d with size %d", name, p, end, size)
				}
				end = p.End
				b.WriteString(text.Slice(s, p.Start, p.End))
			}
			if got, want := strings.Join(strings.Fields(b.String()), ""), strings.Join(strings.Fields(s), ""); got != want {
				t.Fatalf("%s: got %q, want %q", name, got, want)
			}
		}
	})
}

func TestCutRecursive_PrefersStrongSeparators(t *testing.T) {
	t.Parallel()
	s := "First one. Second one.\n\n第一句。第二句！\n\nlast"
	var got []string
	for _, p := range CutRecursive(s, 12) {
		got = append(got, text.Slice(s, p.Start, p.End))
	}
	if want := "First one.|Second one.|第一句。第二句！|last"; strings.Join(got, "|") != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestCutToMean(t *testing.T) {
	t.Parallel()
	texts := []string{strings.Repeat("A sentence of words. ", 200), strings.Repeat("一句不長的話。", 300)}
	for _, weighted := range []bool{false, true} {
		for name, cut := range map[string]Cutter{"fixed": CutFixed, "recursive": CutRecursive} {
			var lengths []int
			for i, spans := range CutToMean(texts, cut, 150, weighted) {
				for _, p := range spans {
					lengths = append(lengths, utf8.RuneCountInString(text.Slice(texts[i], p.Start, p.End)))
				}
			}
			if m := MeanLength(lengths, weighted); math.Abs(m-150) > 15 {
				t.Errorf("%s, weighted %v: got a mean of %.1f, want about 150", name, weighted, m)
			}
		}
	}
}
