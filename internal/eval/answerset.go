package eval

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"footnote/internal/rag"
	"footnote/internal/text"
)

// Gold is what a set says of the answer to a question.
type Gold struct {
	Answerable bool
	// Answers are the gold answers, of which one will do; Groups are several such, of which one each is wanted. Of short answers only.
	Answers []string
	Groups  [][]string
	// Long says that Answers are texts written for the question: what is right is told by its spans, or by its documents, not by the words.
	Long  bool
	Spans []GoldSpan // of a long answer all are wanted, of a short one they are alternatives
}

// GoldSpan is where a document says what is asked for. The span is of Document.Text, in code points.
type GoldSpan struct {
	Document string
	Span     rag.Span
}

// AnswerSet is a labelled set with answers. Queries are all questions that are answered or said to have no answer.
type AnswerSet struct {
	Dataset
	Gold map[string]Gold // by question
}

// answerLine is a line of answers.jsonl.
type answerLine struct {
	ID         string     `json:"_id"`
	Answers    []string   `json:"answers"`
	Groups     [][]string `json:"answer_groups"`
	Long       string     `json:"long_answer"`
	Sentences  []string   `json:"selected_sentences"` // nil: the set has short answers
	Answerable *bool      `json:"answerable"`
}

// spanLine is a line of spans.jsonl.
type spanLine struct {
	Query    string `json:"query_id"`
	Document string `json:"doc_id"`
	Start    int    `json:"start"`
	End      int    `json:"end"`
	Text     string `json:"text"`
}

// ErrNoAnswers says that a set has no gold answers.
var ErrNoAnswers = errors.New("neither answers.jsonl nor spans.jsonl, so no answer can be told right from wrong")

// ReadAnswers reads a set as Read does, with answers.jsonl {_id, answers, answerable}, where answer_groups count too, and selected_sentences, if only an empty list, or a long_answer says that the answer is a long one, and
// spans.jsonl {query_id, doc_id, start, end, text}. One of the two files may be missing; ErrNoAnswers when both are. Every span must hold its text: an offset that is not in code points is an error.
func ReadAnswers(dir string) (AnswerSet, error) {
	d, err := Read(dir)
	s := AnswerSet{Dataset: d, Gold: map[string]Gold{}}
	if err != nil {
		return s, err
	}
	var answers []answerLine
	var spans []spanLine
	noAnswers, noSpans := readLines(filepath.Join(dir, "answers.jsonl"), &answers), readLines(filepath.Join(dir, "spans.jsonl"), &spans)
	if errors.Is(noAnswers, fs.ErrNotExist) && errors.Is(noSpans, fs.ErrNotExist) {
		return s, fmt.Errorf("%s has %w", dir, ErrNoAnswers)
	}
	for _, err := range []error{noAnswers, noSpans} {
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return s, err
		}
	}
	for _, a := range answers {
		s.Gold[a.ID] = a.gold()
	}
	if err := s.addSpans(dir, spans); err != nil {
		return s, err
	}
	s.Queries = nil // those without a judged document count too
	if err := readLines(filepath.Join(dir, "queries.jsonl"), &s.Queries); err != nil {
		return s, err
	}
	s.Queries = slices.DeleteFunc(s.Queries, func(q Query) bool { _, ok := s.Gold[q.ID]; return !ok })
	return s, nil
}

func (a answerLine) gold() Gold {
	g := Gold{Answers: a.Answers, Groups: a.Groups, Answerable: a.Answerable == nil || *a.Answerable, Long: a.Sentences != nil}
	if a.Long != "" {
		g.Answers, g.Long = []string{a.Long}, true
	}
	if g.Groups == nil && len(g.Answers) > 0 {
		g.Groups = [][]string{g.Answers}
	}
	return g
}

func (s *AnswerSet) addSpans(dir string, spans []spanLine) error {
	texts := make(map[string]*text.Index, len(s.Documents))
	for _, d := range s.Documents {
		texts[d.ID] = text.NewIndex(d.Text)
	}
	for n, l := range spans {
		span := rag.Span{Start: l.Start, End: l.End}
		x := texts[l.Document]
		if x == nil || span.Empty() || x.Slice(span) != l.Text {
			return fmt.Errorf("%s, line %d: code points %d to %d of document %q are not %q", filepath.Join(dir, "spans.jsonl"), n+1, l.Start, l.End, l.Document, rag.Clip(l.Text, 60))
		}
		g, ok := s.Gold[l.Query]
		if !ok { // spans alone: passages that together make the answer
			g = Gold{Answerable: true, Long: true}
		}
		g.Spans = append(g.Spans, GoldSpan{l.Document, span})
		s.Gold[l.Query] = g
	}
	return nil
}

// Sample leaves n of the queries, evenly spread; 0 leaves all.
func (d *Dataset) Sample(n int) {
	if n <= 0 || n >= len(d.Queries) {
		return
	}
	sample := make([]Query, n)
	for i := range sample {
		sample[i] = d.Queries[i*len(d.Queries)/n]
	}
	d.Queries = sample
}

// place finds where a span of a document stands in its stored, normalised text: at the same place, less what normalising dropped before it, or, where the two
// texts differ in more than that, at the nearest place that says the same. ok: it was found.
func place(original, stored string, span rag.Span) (_ rag.Span, ok bool) {
	want := text.Normalise(text.Slice(original, span.Start, span.End))
	at := rag.Span{Start: text.Len(text.Normalise(text.Slice(original, 0, span.Start)))}
	at.End = at.Start + text.Len(want)
	if want == "" || text.Slice(stored, at.Start, at.End) == want {
		return at, want != ""
	}
	best := -1
	for from := 0; ; {
		i := strings.Index(stored[from:], want)
		if i < 0 {
			break
		}
		if here := text.Len(stored[:from+i]); best < 0 || max(here-at.Start, at.Start-here) < max(best-at.Start, at.Start-best) {
			best = here
		}
		from += i + len(want)
	}
	return rag.Span{Start: best, End: best + text.Len(want)}, best >= 0
}
