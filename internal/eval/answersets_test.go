package eval

import (
	"testing"

	"footnote/internal/evaldata"
	"footnote/internal/rag"
	"footnote/internal/text"
)

// TestReadAnswers_OnRealSets reads the labelled sets and holds the metrics to what must be so of them: whoever answers with the sentence of the gold span has the gold answer in it, and
// cites what the set wants.
func TestReadAnswers_OnRealSets(t *testing.T) {
	for name, want := range map[string]struct{ answerable, unanswerable int }{
		"xquad-en": {1190, 0}, "xquad-zh": {1190, 0}, "cmrc2018": {4219, 0}, "drcd-dev": {3524, 0}, "dureader-robust-dev-half": {714, 0}, "clapnq-dev-half": {143, 132},
		"rgb-zh": {300, 0}, "xquad-zh2en": {1190, 0}, "chroma-chunking": {472, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, err := ReadAnswers(evaldata.Path(t, "retrieval", name))
			if err != nil {
				t.Fatal(err)
			}
			answerer := &scripted{stored: normalised(d.Documents)}
			j := judge{set: d, answerer: answerer}
			if j.Placed, err = PlaceGold(t.Context(), d, answerer.Stored); err != nil {
				t.Fatal(err)
			}
			answerable, right, spans := 0, 0, 0
			for _, q := range d.Queries {
				g := d.Gold[q.ID]
				if g.Answerable {
					answerable++
				}
				if len(j.gold[q.ID]) == 0 {
					continue
				}
				spans++
				var a rag.Answer
				for _, p := range j.gold[q.ID] {
					quote := text.Slice(j.stored[p.document], p.sentence.Start, p.sentence.End)
					a.Text += quote + " "
					a.Citations = append(a.Citations, rag.Citation{Document: rag.Document{ExternalID: p.document}, SourceSpan: p.sentence, Quote: quote})
				}
				if recalled(j.gold[q.ID], a.Citations, g.Long) != 1 {
					t.Errorf("%s: its own sentences do not cover %v", q.ID, j.gold[q.ID])
				}
				if j.right(q, g, a) {
					right++
				}
			}
			if answerable != want.answerable || len(d.Queries)-answerable != want.unanswerable || j.lost > 0 {
				t.Errorf("got %d answerable and %d other questions, %d spans lost, want %d, %d and none", answerable, len(d.Queries)-answerable, j.lost, want.answerable, want.unanswerable)
			}
			if spans > 0 && float64(right) < 0.997*float64(spans) {
				t.Errorf("only %d of %d gold sentences count as right answers", right, spans)
			}
			t.Logf("%d of %d gold sentences count as right answers", right, spans)
		})
	}
}

func normalised(documents []Document) map[string]string {
	out := map[string]string{}
	for _, d := range documents {
		out[d.ID] = text.Normalise(d.Text)
	}
	return out
}
