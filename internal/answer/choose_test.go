package answer

import (
	"strings"
	"testing"

	"footnote/internal/rag"
	"footnote/internal/text"
)

// passageOf is a found passage, the nth, whose chunk is the whole document.
func passageOf(n int, title, body string) rag.Passage {
	return rag.Passage{Number: n, Hit: rag.Hit{
		Collection: "c", Document: rag.Document{ID: rag.DocumentID(title + body), Title: title},
		Chunk: rag.Chunk{ID: rag.ChunkID(body), Text: body, Span: rag.Span{Start: 0, End: text.Len(body)}},
	}}
}

// readingOf reads passages with chances in the place of a model: those of each passage's sentences in order.
func readingOf(t *testing.T, question string, chances []float64, passages ...rag.Passage) *reading {
	t.Helper()
	r := newReading(question, passages)
	if len(r.sentence) != len(chances) {
		t.Fatalf("got %d sentences, want %d", len(r.sentence), len(chances))
	}
	for i := range chances {
		r.sentence[i].known, r.sentence[i].chance = true, chances[i]
	}
	return r
}

func said(r *reading, chosen []excerpt) string {
	var out []string
	for _, e := range chosen {
		out = append(out, inChunk(r.passages[e.passage].Hit.Chunk, e.span))
	}
	return strings.Join(out, " | ")
}

func TestChoose(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		question string
		bodies   []string
		chances  []float64
		want     string
	}{
		"one that is sure is enough": {
			"How long is leave?", []string{"Leave lasts ten days. Lunch is at noon."}, []float64{.8, .2}, "Leave lasts ten days.",
		},
		"the best first, the others as they stand": {
			"How long is leave?", []string{"Monday is free. Tuesday is long. Leave lasts ten days. Friday is short."}, []float64{.2, .15, .4, .25},
			"Leave lasts ten days. | Monday is free. | Friday is short.",
		},
		"four at most": {
			"What?", []string{"Aa one. Bb two. Cc three. Dd four. Ee five. Ff six."}, []float64{.17, .17, .17, .17, .16, .16}, "Aa one. | Bb two. | Cc three. | Dd four.",
		},
		"a pronoun brings its sentence": {
			"When was the bridge opened?", []string{"The bridge crosses the bay. It was opened in 1932. Boats pass below."}, []float64{.05, .9, .05},
			"The bridge crosses the bay. It was opened in 1932.",
		},
		"代词带上前一句": {
			"大桥何时通车？", []string{"大桥横跨海湾。该桥于1932年通车。船从桥下过。"}, []float64{.05, .9, .05}, "大桥横跨海湾。该桥于1932年通车。",
		},
		"其他 and 其中 point to nothing before": {
			"有哪些菜？", []string{"餐厅中午开门。其他菜要预订。"}, []float64{.1, .9}, "其他菜要预订。",
		},
		"no lead over the end of a paragraph": {
			"When?", []string{"Notes on the weather\n\nIt was opened in 1932."}, []float64{.1, .9}, "It was opened in 1932.",
		},
		"what the lead has is not said twice": {
			"When was the bridge opened?", []string{"The bridge crosses the bay. It was opened in 1932."}, []float64{.4, .6}, "The bridge crosses the bay. It was opened in 1932.",
		},
		"the same twice is said once, and counts for both": {
			"How long is leave?", []string{"Leave lasts ten days. Lunch is at noon.", "Leave lasts  ten days! Supper is at six."}, []float64{.4, .1, .4, .1}, "Leave lasts ten days.",
		},
		"another number is not the same": {
			"How long is leave?", []string{"Leave lasts 10 days.", "Leave lasts 12 days."}, []float64{.5, .5}, "Leave lasts 10 days. | Leave lasts 12 days.",
		},
		"重复的句子只说一次": {
			"年假几天？", []string{"年假为十天。午休一小时。", "年假为十天。"}, []float64{.5, .1, .4}, "年假为十天。",
		},
		"nothing for a chance too small": {
			"How long is leave?", []string{"Leave lasts ten days. A b. C d. E f."}, []float64{.7, .05, .05, .05}, "Leave lasts ten days.",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var passages []rag.Passage
			for i, body := range c.bodies {
				passages = append(passages, passageOf(i+1, "", body))
			}
			r := readingOf(t, c.question, c.chances, passages...)
			chosen := r.choose()
			if got := said(r, chosen); got != c.want {
				t.Errorf("got %s\nwant %s", got, c.want)
			}
			n := 0
			for _, e := range chosen {
				n += e.sentences()
			}
			if n > maxSentences {
				t.Errorf("got %d sentences", n)
			}
		})
	}
}

func TestRead_OverlappingChunksGiveASentenceOnce(t *testing.T) {
	t.Parallel()
	body := "Leave lasts ten days. Lunch is at noon."
	first, second := passageOf(1, "", body), passageOf(2, "", body)
	second.Hit.Chunk.ID, second.Hit.Chunk.Text = "again", "Lunch is at noon. Supper is at six."
	second.Hit.Chunk.Span = rag.Span{Start: 22, End: 57}
	r := &reading{question: "When is lunch?", terms: questionTerms("When is lunch?")}
	r.take([]rag.Passage{first, second})
	var again []bool
	for _, c := range r.sentence {
		again = append(again, c.again)
	}
	if len(again) != 4 || again[0] || again[1] || !again[2] || again[3] {
		t.Errorf("got %v, want the third alone to be there already", again)
	}
}
