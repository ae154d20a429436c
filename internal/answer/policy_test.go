package answer

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"footnote/internal/rag"
)

// draft is a writer whose answer was written as text: claims with BAD in them are unsupported, and markers cite passages of their numbers.
func draft(t *testing.T, said string) *writer {
	t.Helper()
	a := &rag.Answer{Text: said, Status: rag.Partial, Language: "en"}
	w := &writer{answer: a, emit: func(rag.Event) error { return nil }, question: rag.Question{Policy: rag.PolicyDrop}}
	var notes []footnote
	for _, span := range markerSpans(said) {
		var n int
		fmt.Sscanf(string([]rune(said)[span.Start:span.End]), "[%d]", &n)
		notes, w.marks = append(notes, footnote{n, 1, span.Start}), append(w.marks, span)
	}
	w.parts = segment(said, w.marks)
	owner := owners(w.parts, notes)
	aligned := len(notes)
	r := []rune(said)
	for i, p := range w.parts {
		if !p.claim {
			continue
		}
		c := rag.Claim{Span: p.span, Verdict: rag.VerdictSupported, Support: 1, Citations: []int{}, Attribution: rag.AttributionMarker}
		if strings.Contains(string(r[p.span.Start:p.span.End]), "BAD") {
			c.Verdict, c.Support = rag.VerdictContradicted, 0
			c.Mismatches = []rag.Mismatch{{Kind: rag.MismatchNegation, ClaimSpan: p.span}}
		}
		for j, o := range owner {
			if o == i {
				c.Citations = append(c.Citations, notes[j].marker)
			}
		}
		a.Claims = append(a.Claims, c)
	}
	for i := range notes {
		for _, c := range a.Claims {
			for _, m := range c.Citations {
				if m == i+1 {
					a.Citations = append(a.Citations, rag.Citation{Marker: m, AnswerSpan: c.Span, Attribution: rag.AttributionMarker})
				}
			}
		}
	}
	for i := range a.Claims {
		if c := &a.Claims[i]; len(c.Citations) == 0 {
			aligned++
			c.Citations, c.Attribution = []int{aligned}, rag.AttributionAligned
			a.Citations = append(a.Citations, rag.Citation{Marker: aligned, AnswerSpan: c.Span, Attribution: rag.AttributionAligned})
		}
	}
	return w
}

func TestDrop_LeavesNoTraceAndMovesEverythingElse(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ in, want string }{
		"a sentence in the middle":                 {"One [1]. BAD two [2]. Three [3].", "One [1]. Three [2]."},
		"the first sentence":                       {"BAD one [1]. Two [2].", "Two [1]."},
		"the last sentence":                        {"One [1]. BAD two.[2]", "One [1]."},
		"the end of a paragraph":                   {"One [1]. BAD two [2].\n\nThree [3].", "One [1].\n\nThree [2]."},
		"a paragraph":                              {"One [1].\n\nBAD two [2].\n\nThree [3].", "One [1].\n\nThree [2]."},
		"Chinese":                                  {"甲是一[1]。BAD乙是二[2]。丙是三[3]。", "甲是一[1]。丙是三[2]。"},
		"emoji":                                    {"👩‍👧 one [1]! BAD 👍 two [2]! 🎉 three [3]!", "👩‍👧 one [1]! 🎉 three [2]!"},
		"a list item":                              {"The rules:\n- one [1]\n- BAD two [2]\n- three [3]\n", "The rules:\n- one [1]\n- three [2]"},
		"a sentence of an item":                    {"- One. BAD two [1].\n- Three [2].", "- One.\n- Three [1]."},
		"all items, and what led in to them":       {"Before [1]. The rules:\n- BAD one [2]\n- BAD two\n\nAfter.", "Before [1].\n\nAfter."},
		"an item with nested ones that stay":       {"- BAD pay of all kinds of leave in the house is full\n  - one [1]\n- two", "-\n  - one [1]\n- two"},
		"an item whose sibling's nested ones stay": {"- BAD one of the rules is this\n- another rule of them is that [1]\n  - three [2]", "- another rule of them is that [1]\n  - three [2]"},
		"a cell":                                   {"| Kind | Weeks | Pay |\n|---|---|---|\n| Sick | BAD six [1] | full [2] |\n", "| Kind | Weeks | Pay |\n|---|---|---|\n| Sick | | full [1] |"},
		"a row":                                    {"| Kind | Weeks |\n|---|---|\n| Sick | BAD six [1] |\n| Other | two [2] |\n", "| Kind | Weeks |\n|---|---|\n| Other | two [1] |"},
		"a table, and what led in to it":           {"It is so. As follows:\n\n| Kind | Weeks |\n|---|---|\n| Sick | BAD six [1] |\n\nAfter [2].", "It is so.\n\nAfter [1]."},
		"a heading with nothing left":              {"# A\n\nOne [1].\n\n# B\n\nBAD two [2].\n\n# C\n\nThree [3].", "# A\n\nOne [1].\n\n# C\n\nThree [2]."},
		"the marker of a lead-in goes":             {"According to this [1]:\n- BAD one\n- two", "According to this:\n- two"},
		"code stays":                               {"One [1].\n\n```\nBAD code\n```\n\nBAD two [2].", "One [1].\n\n```\nBAD code\n```"},
		"markers past nine":                        {"A [1]. B [2]. C [3]. D [4]. E [5]. F [6]. G [7]. H [8]. BAD I [9]. J [10]. K [11].", "A [1]. B [2]. C [3]. D [4]. E [5]. F [6]. G [7]. H [8]. J [9]. K [10]."},
		"what greets stays, and counts nothing":    {"Sure! BAD one [1]. Two [2].", "Sure! Two [1]."},
	} {
		w := draft(t, c.in)
		w.drop()
		a := w.answer
		if a.Text != c.want {
			t.Errorf("%s: got %q, want %q", name, a.Text, c.want)
			continue
		}
		// All that is left points where it should.
		r := []rune(a.Text)
		last := 0
		for _, cited := range a.Citations {
			if last++; cited.Marker != last {
				t.Errorf("%s: citation %d has the marker %d", name, last, cited.Marker)
			}
			if strings.Contains(a.Text, fmt.Sprintf("[%d]", cited.Marker)) != (cited.Attribution == rag.AttributionMarker) {
				t.Errorf("%s: the marker of %+v in %q", name, cited, a.Text)
			}
		}
		if n := len(regexp.MustCompile(`\[\d+\]`).FindAllString(a.Text, -1)); n > last {
			t.Errorf("%s: %d markers for %d citations", name, n, last)
		}
		for _, claim := range a.Claims {
			said := string(r[claim.Span.Start:claim.Span.End])
			if strings.Contains(said, "BAD") || said == "" || strings.TrimSpace(said) != said || len(claim.Citations) == 0 {
				t.Errorf("%s: claim %q of %+v", name, said, claim)
			}
			for _, m := range claim.Citations {
				if m < 1 || m > last || a.Citations[m-1].AnswerSpan != claim.Span {
					t.Errorf("%s: claim %q cites %d of %+v", name, said, m, a.Citations)
				}
			}
		}
	}
}

func TestRelease_SaysTheTextClaimByClaim(t *testing.T) {
	t.Parallel()
	w := draft(t, "Sure! One [1]. Two.\n\n- three [2]\n\nBye.")
	var got []string
	w.emit = func(e rag.Event) error {
		switch e.Kind {
		case rag.EventDelta:
			got = append(got, e.Delta)
		case rag.EventCitation:
			got = append(got, "citation "+itoa(e.Citation.Marker))
		}
		return nil
	}
	if err := w.release(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"Sure! One [1].", "citation 1", " Two.", "\n\n- three [2]", "citation 2", "citation 3", "\n\nBye.", "citation 4"}, got); diff != "" {
		t.Error(diff)
	}
}
