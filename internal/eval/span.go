package eval

import (
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	"footnote/internal/rag"
	"footnote/internal/text"
)

// LabelledSpan is a span of a document that answers a question: what a search for the question should bring.
type LabelledSpan struct {
	Query    string `json:"query_id"`
	Document string `json:"doc_id"`
	Start    int    `json:"start"` // code points of the document's text as the set has it
	End      int    `json:"end"`
	Text     string `json:"text"`
}

// ReadSpans reads a set's spans.jsonl, by question.
func ReadSpans(dir string) (map[string][]LabelledSpan, error) {
	var all []LabelledSpan
	if err := readLines(filepath.Join(dir, "spans.jsonl"), &all); err != nil {
		return nil, err
	}
	out := map[string][]LabelledSpan{}
	for _, g := range all {
		out[g.Query] = append(out[g.Query], g)
	}
	return out, nil
}

// Found is a passage that a search found. Span is one of the document's text as it is stored.
type Found struct {
	Document string
	Span     rag.Span
}

// SpanScores says how well the found passages cover the gold spans of one question, in characters.
//
// Recall, precision and intersection over union as Smith & Troynikov have them ("Evaluating Chunking Strategies for Retrieval", Chroma, 2024): what two passages share is found once,
// and counts twice in what was brought. Whole is 1 when one passage has a gold span from end to end, else 0.
type SpanScores struct{ Recall, Precision, IoU, Whole float64 }

// ScoreSpans compares passages with gold spans of the same texts.
func ScoreSpans(found, gold []Found) (s SpanScores) {
	brought, wanted, both := 0, 0, 0
	for _, f := range found {
		brought += f.Span.Len()
		for _, g := range gold {
			if f.Document == g.Document && f.Span.Contains(g.Span) {
				s.Whole = 1
			}
		}
	}
	for _, g := range gold {
		wanted += g.Span.Len()
	}
	for _, id := range documentsOf(gold) {
		golden := covered(gold, id)
		for _, f := range covered(found, id) {
			for _, g := range golden {
				both += max(0, min(f.End, g.End)-max(f.Start, g.Start))
			}
		}
	}
	if both == 0 {
		return s
	}
	s.Recall = min(1, float64(both)/float64(wanted))
	s.Precision = float64(both) / float64(brought)
	s.IoU = float64(both) / float64(brought+wanted-both)
	return s
}

func documentsOf(all []Found) (ids []string) {
	for _, f := range all {
		if !slices.Contains(ids, f.Document) {
			ids = append(ids, f.Document)
		}
	}
	return ids
}

// covered is what spans cover of a document, as spans that do not touch.
func covered(all []Found, document string) (out []rag.Span) {
	var spans []rag.Span
	for _, f := range all {
		if f.Document == document {
			spans = append(spans, f.Span)
		}
	}
	slices.SortFunc(spans, func(a, b rag.Span) int { return a.Start - b.Start })
	for _, s := range spans {
		if n := len(out); n > 0 && s.Start <= out[n-1].End {
			out[n-1].End = max(out[n-1].End, s.End)
			continue
		}
		out = append(out, s)
	}
	return out
}

// Locator finds in a stored text what stood in the text that it was made of. Reading a file moves text only by white space and marks of structure.
type Locator struct {
	source string
	at     []int // stored code point of each character that is not white space
	solid  string
}

// NewLocator returns a Locator for a text as the set has it and as it is stored.
func NewLocator(source, stored string) *Locator {
	l := &Locator{source: source}
	var b strings.Builder
	i := 0
	for _, r := range stored {
		if !unicode.IsSpace(r) {
			l.at = append(l.at, i)
			b.WriteRune(r)
		}
		i++
	}
	l.solid = b.String()
	return l
}

// Locate is the stored span of a gold one: that of its words which is nearest to where it should be. ok is false when they do not stand there.
func (l *Locator) Locate(g LabelledSpan) (span rag.Span, ok bool) {
	words := solid(g.Text)
	if words == "" {
		return span, false
	}
	guess := len(solid(text.Slice(l.source, 0, g.Start))) // bytes
	best := -1
	for from := 0; ; {
		i := strings.Index(l.solid[from:], words)
		if i < 0 {
			break
		}
		i += from
		if best < 0 || distance(i, guess) < distance(best, guess) {
			best = i
		}
		if i > guess {
			break
		}
		from = i + 1
	}
	if best < 0 {
		return span, false
	}
	first := text.Len(l.solid[:best])
	return rag.Span{Start: l.at[first], End: l.at[first+text.Len(words)-1] + 1}, true
}

func solid(s string) string {
	return strings.Join(strings.Fields(text.Normalise(s)), "")
}

func distance(a, b int) int { return max(a-b, b-a) }
