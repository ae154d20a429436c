package e2e

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// What the oracle reads of an answer, in code points.
type (
	spanSeen struct{ Start, End int }

	citationSeen struct {
		ID          string
		Marker      int
		AnswerSpan  spanSeen `json:"answer_span"`
		Collection  string
		Document    documentSeen
		ChunkID     string   `json:"chunk_id"`
		SourceSpan  spanSeen `json:"source_span"`
		Quote       string
		URL         string
		Verified    bool
		Attribution string
		Passage     int
	}

	documentSeen struct {
		ID         string
		ExternalID string `json:"external_id"`
		Version    int
	}

	passageSeen struct {
		Number  int
		ChunkID string `json:"chunk_id"`
		Text    string
		Span    spanSeen
	}

	answerSeen struct {
		ID, Status, Text, Model string
		Fallback                bool
		Claims                  []struct {
			Span      spanSeen
			Citations []int
		}
		Citations []citationSeen
		Passages  []passageSeen
	}

	// source is a document as the API serves it.
	source struct {
		documentSeen
		text   []rune
		chunks map[string]spanSeen
	}
)

// oracle checks answers against what the API serves, and knows nothing of how they are made. get sends a GET and decodes JSON, or gives the body into a *string.
type oracle struct {
	get func(path string, out any) (status int)

	mu      sync.Mutex
	sources map[string]*source
}

var shownMarker = regexp.MustCompile(`\[([0-9]+)\]`)

func (s spanSeen) in(text []rune) (string, bool) {
	if s.Start < 0 || s.Start >= s.End || s.End > len(text) {
		return "", false
	}
	return string(text[s.Start:s.End]), true
}

func (s spanSeen) within(outer spanSeen) bool { return outer.Start <= s.Start && s.End <= outer.End }

// faults are all that is wrong with an answer.
func (o *oracle) faults(a answerSeen) (out []string) {
	fault := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	text := []rune(a.Text)
	markers := map[int]bool{}
	for _, c := range a.Citations {
		if markers[c.Marker] {
			fault("two citations have the marker %d", c.Marker)
		}
		markers[c.Marker] = true
	}
	shown := map[int]bool{}
	for _, m := range shownMarker.FindAllStringSubmatch(a.Text, -1) {
		n, _ := strconv.Atoi(m[1])
		shown[n] = true
		if !markers[n] {
			fault("the marker %s resolves to no citation", m[0])
		}
	}
	claimed := map[int]bool{}
	for _, c := range a.Claims {
		if _, ok := c.Span.in(text); !ok {
			fault("a claim's span %v is not in the text of %d", c.Span, len(text))
		}
		for _, n := range c.Citations {
			claimed[n] = true
			if !markers[n] {
				fault("a claim's citation %d is none of the answer's", n)
			}
		}
	}
	if a.Status == "abstained" && len(a.Citations) > 0 {
		fault("an abstention has %d citations", len(a.Citations))
	}
	for _, c := range a.Citations {
		for _, f := range o.citation(c, a, text) {
			fault("citation %d (%s of %s): %s", c.Marker, c.ID, c.Document.ExternalID, f)
		}
		if c.Attribution == "marker" && !shown[c.Marker] {
			fault("citation %d has no marker in the text", c.Marker)
		}
		if !claimed[c.Marker] {
			fault("citation %d belongs to no claim", c.Marker)
		}
	}
	return out
}

func (o *oracle) citation(c citationSeen, a answerSeen, text []rune) (out []string) {
	fault := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	if !c.Verified {
		fault("it is not verified")
	}
	if _, ok := c.AnswerSpan.in(text); !ok {
		fault("its answer span %v is not in the text of %d", c.AnswerSpan, len(text))
	}
	s := o.source(c.Collection, c.Document.ExternalID)
	if s == nil {
		fault("its document is not there")
		return out
	}
	if quote, ok := c.SourceSpan.in(s.text); !ok || quote != c.Quote {
		fault("the source has %q at %v, the quote is %q", quote, c.SourceSpan, c.Quote)
	}
	if c.Document.ID != s.ID || c.Document.Version != s.Version {
		fault("it cites version %d of %s, active is %d of %s", c.Document.Version, c.Document.ID, s.Version, s.ID)
	}
	if span, ok := s.chunks[c.ChunkID]; !ok || !c.SourceSpan.within(span) {
		fault("the stored chunk %s at %v does not hold %v", c.ChunkID, span, c.SourceSpan)
	}
	i := slices.IndexFunc(a.Passages, func(p passageSeen) bool { return p.Number == c.Passage })
	if i < 0 {
		fault("there is no passage %d", c.Passage)
	} else {
		p := a.Passages[i]
		inside := spanSeen{c.SourceSpan.Start - p.Span.Start, c.SourceSpan.End - p.Span.Start}
		if quote, ok := inside.in([]rune(p.Text)); p.ChunkID != c.ChunkID || !c.SourceSpan.within(p.Span) || !ok || quote != c.Quote {
			fault("passage %d at %v does not hold %v: it has %q there", c.Passage, p.Span, c.SourceSpan, quote)
		}
	}
	var kept struct {
		citationSeen
		State         string
		SourceChanged bool `json:"source_changed"`
	}
	if got := o.get(c.URL, &kept); got != http.StatusOK || c.URL != "/v1/citations/"+c.ID {
		fault("its permalink %s gives %d", c.URL, got)
	} else if kept.State != "current" || kept.SourceChanged || kept.Quote != c.Quote || kept.SourceSpan != c.SourceSpan || kept.ID != c.ID || kept.Document.ID != c.Document.ID {
		fault("its permalink tells otherwise: %+v", kept)
	}
	return out
}

// source fetches a document once; nil when it is not there.
func (o *oracle) source(collection, externalID string) *source {
	o.mu.Lock()
	defer o.mu.Unlock()
	path := "/v1/collections/" + url.PathEscape(collection) + "/documents/" + url.PathEscape(externalID)
	if s, ok := o.sources[path]; ok {
		return s
	}
	s := &source{chunks: map[string]spanSeen{}}
	var text string
	if o.get(path, &s.documentSeen) != http.StatusOK || o.get(path+"/content", &text) != http.StatusOK {
		return nil
	}
	s.text = []rune(text)
	for after := ""; ; {
		var page struct {
			Data []struct {
				ID   string
				Span spanSeen
			}
			HasMore    bool   `json:"has_more"`
			NextCursor string `json:"next_cursor"`
		}
		if o.get(path+"/chunks?limit=200"+after, &page) != http.StatusOK {
			return nil
		}
		for _, c := range page.Data {
			s.chunks[c.ID] = c.Span
		}
		if !page.HasMore {
			break
		}
		after = "&after=" + page.NextCursor
	}
	o.sources[path] = s
	return s
}

// The oracle finds each way in which an answer can be wrong, in a text with code points of all lengths.
func TestOracle_FindsEveryFault(t *testing.T) {
	t.Parallel()
	const text = "🙂 Leave lasts 十六周. Pay is full."
	state := "current"
	o := &oracle{sources: map[string]*source{}}
	o.get = func(path string, out any) int {
		switch out := out.(type) {
		case *documentSeen:
			*out = documentSeen{"doc_1", "a", 2}
		case *string:
			*out = text
		default:
			return decodeInto(out, map[bool]string{
				true:  `{"data": [{"id": "c1", "span": {"start": 2, "end": 18}}], "has_more": false, "next_cursor": null}`,
				false: `{"id": "cit_1", "document": {"id": "doc_1"}, "source_span": {"start": 2, "end": 18}, "quote": "Leave lasts 十六周.", "state": "` + state + `", "source_changed": false}`,
			}[strings.Contains(path, "/chunks")])
		}
		return 200
	}
	good := func() answerSeen {
		var a answerSeen
		if decodeInto(&a, `{"status": "answered", "text": "十六周 [1].", "claims": [{"span": {"start": 0, "end": 8}, "citations": [1]}],
		  "passages": [{"number": 1, "chunk_id": "c1", "text": "Leave lasts 十六周.", "span": {"start": 2, "end": 18}}],
		  "citations": [{"id": "cit_1", "marker": 1, "answer_span": {"start": 0, "end": 8}, "collection": "c", "document": {"id": "doc_1", "external_id": "a", "version": 2}, "chunk_id": "c1",
		    "source_span": {"start": 2, "end": 18}, "quote": "Leave lasts 十六周.", "url": "/v1/citations/cit_1", "verified": true, "attribution": "marker", "passage": 1}]}`) != 200 {
			t.Fatal("the example is no JSON")
		}
		return a
	}
	if f := o.faults(good()); len(f) > 0 {
		t.Fatalf("a good answer has the faults %q", f)
	}
	for name, spoil := range map[string]func(a *answerSeen, c *citationSeen){
		"shifted span":           func(_ *answerSeen, c *citationSeen) { c.SourceSpan.Start++ },
		"span in bytes":          func(_ *answerSeen, c *citationSeen) { c.SourceSpan = spanSeen{5, 27} },
		"span beyond the text":   func(_ *answerSeen, c *citationSeen) { c.SourceSpan.End = 400 },
		"empty span":             func(_ *answerSeen, c *citationSeen) { c.SourceSpan.End = c.SourceSpan.Start; c.Quote = "" },
		"changed quote":          func(_ *answerSeen, c *citationSeen) { c.Quote = "Leave lasts 十七周." },
		"answer span too long":   func(_ *answerSeen, c *citationSeen) { c.AnswerSpan.End = 9 },
		"answer span empty":      func(_ *answerSeen, c *citationSeen) { c.AnswerSpan.End = 0 },
		"older version":          func(_ *answerSeen, c *citationSeen) { c.Document.Version = 1 },
		"another document":       func(_ *answerSeen, c *citationSeen) { c.Document.ID = "doc_2" },
		"unknown chunk":          func(_ *answerSeen, c *citationSeen) { c.ChunkID = "c2" },
		"no such passage":        func(_ *answerSeen, c *citationSeen) { c.Passage = 2 },
		"passage of other text":  func(a *answerSeen, _ *citationSeen) { a.Passages[0].Text = "Leave lasts 十七周." },
		"passage elsewhere":      func(a *answerSeen, _ *citationSeen) { a.Passages[0].Span = spanSeen{4, 20} },
		"unverified":             func(_ *answerSeen, c *citationSeen) { c.Verified = false },
		"another permalink":      func(_ *answerSeen, c *citationSeen) { c.ID = "cit_2"; c.URL = "/v1/citations/cit_2" },
		"marker not shown":       func(a *answerSeen, _ *citationSeen) { a.Text = "十六周 (1)." },
		"marker of nothing":      func(a *answerSeen, _ *citationSeen) { a.Text = "十六周 [1][2]." },
		"claim cites nothing":    func(a *answerSeen, _ *citationSeen) { a.Claims[0].Citations = []int{1, 7} },
		"citation of no claim":   func(a *answerSeen, _ *citationSeen) { a.Claims[0].Citations = nil },
		"claim outside":          func(a *answerSeen, _ *citationSeen) { a.Claims[0].Span.End = 80 },
		"abstention with source": func(a *answerSeen, _ *citationSeen) { a.Status = "abstained" },
		"marker twice":           func(a *answerSeen, c *citationSeen) { a.Citations = append(a.Citations, *c) },
	} {
		a := good()
		spoil(&a, &a.Citations[0])
		if len(o.faults(a)) == 0 {
			t.Errorf("%s: no fault was found", name)
		}
	}
	state = "moved"
	if len(o.faults(good())) == 0 {
		t.Error("a permalink that is not current was not found out")
	}
}
