package answer

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"testing"

	"footnote/internal/rag"
)

// shelf is a search and a catalog of two documents that are found whatever is asked.
type shelf struct{ hits []rag.Hit }

func newShelf(texts ...string) shelf {
	var s shelf
	for i, t := range texts {
		s.hits = append(s.hits, rag.Hit{Rank: i + 1, Collection: "c", Document: rag.Document{ID: rag.DocumentID("doc_" + itoa(i)), Version: 1},
			Chunk: rag.Chunk{ID: rag.ChunkID("chunk_" + itoa(i)), Text: t, Span: rag.Span{End: len([]rune(t))}}})
	}
	return s
}

func (s shelf) Search(context.Context, rag.Query) (rag.Hits, error) {
	return rag.Hits{Hits: s.hits, Timings: rag.Timings{}}, nil
}

func (s shelf) DocumentByID(_ context.Context, id rag.DocumentID) (rag.Document, error) {
	return rag.Document{ID: id, Version: 1}, nil
}

func (s shelf) Text(_ context.Context, id rag.DocumentID) (string, error) {
	for _, h := range s.hits {
		if h.Document.ID == id {
			return h.Chunk.Text, nil
		}
	}
	return "", rag.Errorf(rag.NotFound, "no document")
}

func (s shelf) Chunks(context.Context, rag.DocumentID, int, int) ([]rag.Chunk, error) {
	return nil, nil
}
func (s shelf) Pages(context.Context, rag.DocumentID) ([]rag.PageSpan, error) { return nil, nil }
func (s shelf) SaveCitations(context.Context, []rag.Citation) error           { return nil }
func (s shelf) Citation(context.Context, rag.CitationID) (rag.Citation, error) {
	return rag.Citation{}, rag.Errorf(rag.NotFound, "no citation")
}

// writes is a chat model that writes in pieces.
type writes struct {
	pieces []string
	done   *bool
}

func (w writes) Model() string { return "writes" }

func (w writes) Generate(_ context.Context, _ rag.Prompt, emit func(rag.Delta) error) error {
	for _, p := range w.pieces {
		if err := emit(rag.Delta{Text: p}); err != nil {
			return err
		}
	}
	*w.done = true
	return nil
}

// essay is a random text of what is true, what is not, and what is hard to cut.
func essay(r *rand.Rand) string {
	claims := []string{
		"Parental leave lasts sixteen weeks at full pay", "It may be taken within two years of the birth", "Black tea takes boiling water", "Green tea is brewed with water of eighty degrees",
		"Parental leave never lasts sixteen weeks at full pay", "Black tea never takes boiling water", "Volcanoes on Io erupt daily with sulphur", "Beethoven composed nine symphonies altogether",
		"员工每年享有十五天带薪年假", "员工每年不享有十五天带薪年假", "月亮绕着木星转",
	}
	marker := func() string {
		return []string{"", "", " [1]", " [2]", "[3]", " [1][2]", "【1】", " [9]", " [^1]"}[r.IntN(9)]
	}
	claim := func() string {
		c := claims[r.IntN(len(claims))]
		stop := "."
		if c[0] > 'z' {
			stop = "。"
		}
		if r.IntN(4) == 0 {
			return c + stop + marker()
		}
		return c + marker() + stop
	}
	var b strings.Builder
	for range 1 + r.IntN(6) {
		switch r.IntN(9) {
		case 0:
			b.WriteString("# Heading of it" + marker() + "\n\n")
		case 1:
			fmt.Fprintf(&b, "The following holds for all of it%s:\n\n", marker())
			for range 1 + r.IntN(4) {
				fmt.Fprintf(&b, "- %s", claim())
				if r.IntN(3) == 0 {
					fmt.Fprintf(&b, " %s", claim())
				}
				b.WriteString("\n")
				if r.IntN(4) == 0 {
					fmt.Fprintf(&b, "  - %s\n", claim())
				}
			}
			b.WriteString("\n")
		case 2:
			b.WriteString("| Kind" + marker() + " | What | More |\n|------------------------|---|---|\n")
			for range 1 + r.IntN(3) {
				fmt.Fprintf(&b, "| row%s | %s | %s |\n", marker(), claim(), claim())
			}
			b.WriteString("\n")
		case 3:
			b.WriteString("```\ncode with [77] and. Sentences. In it\n```\n" + marker() + "\n\n")
		case 4:
			b.WriteString("Sure! Would you like more?" + marker() + " ")
		case 5:
			b.WriteString("A title of it\n-------------\n\n")
		default:
			for range 1 + r.IntN(5) {
				b.WriteString(claim() + " ")
			}
			b.WriteString("\n\n")
		}
	}
	return b.String()
}

func cutUp(r *rand.Rand, s string) (pieces []string) {
	runes := []rune(s)
	for most := 1 + r.IntN(40); len(runes) > 0; {
		n := min(1+r.IntN(most), len(runes))
		pieces, runes = append(pieces, string(runes[:n])), runes[n:]
	}
	return pieces
}

// However an answer is cut and whoever reads along, it is one and the same, and what was said adds up to it.
func TestPolicy_WhatIsStreamedAddsUpToThePlainAnswer(t *testing.T) {
	t.Parallel()
	store := newShelf(leave, tea, "员工每年享有十五天带薪年假。未休的年假可以顺延到次年三月底。")
	early, kept := 0, 0
	for try := range 150 {
		r := rand.New(rand.NewPCG(11, uint64(try)))
		said := essay(r)
		answer := func(policy rag.Policy, streams bool) (a rag.Answer, deltas string, citations int) {
			done := false
			s := New(Options{Search: store, Embedder: words{}, Catalog: store, Chat: writes{cutUp(r, said), &done}, Logger: slog.New(slog.DiscardHandler)})
			var emit func(rag.Event) error
			if streams {
				emit = func(e rag.Event) error {
					switch e.Kind {
					case rag.EventDelta:
						if policy == rag.PolicyDrop && !done && deltas == "" {
							early++
						}
						deltas += e.Delta
					case rag.EventCitation:
						citations++
					}
					return nil
				}
			}
			a, err := s.Answer(t.Context(), rag.Question{Query: rag.Query{Text: "How long is parental leave, and how is tea made?"}, Policy: policy}, emit)
			if err != nil && rag.CodeOf(err) != rag.BadUpstream { // markers only
				t.Fatalf("%d: %q: %v", try, said, err)
			}
			return a, deltas, citations
		}
		for _, policy := range []rag.Policy{rag.PolicyMark, rag.PolicyDrop, rag.PolicyStrict} {
			plain, _, _ := answer(policy, false)
			streamed, deltas, citations := answer(policy, true)
			if got, want := outline(streamed), outline(plain); got != want || deltas != plain.Text || citations != len(plain.Citations) {
				t.Fatalf("%d, %s: %q\nstreamed %q with %d citations:\n%s\nplain:\n%s", try, policy, said, deltas, citations, got, want)
			}
			if policy == rag.PolicyDrop && plain.Status == rag.Partial {
				kept++
			}
			r := []rune(plain.Text)
			for _, c := range plain.Claims {
				if span := string(r[c.Span.Start:c.Span.End]); strings.TrimSpace(span) != span || span == "" || policy != rag.PolicyMark && bad(c.Verdict) {
					t.Fatalf("%d, %s: claim %q of %q", try, policy, span, plain.Text)
				}
			}
			for _, c := range plain.Citations {
				if !c.Verified || strings.Count(plain.Text, fmt.Sprintf("[%d]", c.Marker)) < 1 == (c.Attribution == rag.AttributionMarker) {
					t.Fatalf("%d, %s: citation %+v of %q", try, policy, c, plain.Text)
				}
			}
		}
	}
	if early < 25 || kept < 25 {
		t.Errorf("of 150 answers %d were begun before they were whole, and %d kept in part: the test tests too little", early, kept)
	}
}

// outline is what two answers to one question have in common.
func outline(a rag.Answer) string {
	out := fmt.Sprintf("%s %q %q\n%+v", a.Status, a.Reason, a.Text, a.Claims)
	for _, c := range a.Citations {
		out += fmt.Sprintf("\n%d %v %v %s %q %s %s", c.Marker, c.AnswerSpan, c.SourceSpan, c.ChunkID, c.Quote, c.Attribution, c.Verdict)
	}
	return out
}
