package httpapi

import (
	"net/http"
	"unicode/utf8"

	"footnote/internal/rag"
)

// Bounds of a question.
const (
	maxPassages       = 50
	maxMessages       = 50
	maxMessageContent = 20000 // code points
)

type queryRequest struct {
	Query       string   `json:"query"`
	Collections []string `json:"collections"`
	Filter      *filter  `json:"filter"`
	TopK        *int     `json:"top_k"`
	Messages    []turn   `json:"messages"`
	Language    string   `json:"language"`
	Stream      bool     `json:"stream"`
	Neighbours  int      `json:"neighbours"`
	Verify      string   `json:"verify"`
	Policy      string   `json:"policy"`
	Temperature *float32 `json:"temperature"`
	Seed        *int     `json:"seed"`
	MaxTokens   *int     `json:"max_tokens"`
	Stop        []string `json:"stop"`
	Budget      *int     `json:"budget"`
	Explain     bool     `json:"explain"`
}

type turn struct {
	Role    string `json:"role"`
	Content string `json:"content"`
}

type claim struct {
	Span        span             `json:"span"`
	Support     *float64         `json:"support"`
	Verdict     rag.Verdict      `json:"verdict"`
	Citations   []int            `json:"citations"`
	Attribution *rag.Attribution `json:"attribution"`
	Mismatches  []mismatch       `json:"mismatches"`
}

type mismatch struct {
	Kind       rag.MismatchKind `json:"kind"`
	Claim      string           `json:"claim"`
	Source     string           `json:"source"`
	ClaimSpan  span             `json:"claim_span"`
	SourceSpan span             `json:"source_span"`
}

func wireClaims(claims []rag.Claim) []claim {
	out := []claim{}
	for _, c := range claims {
		w := claim{Span: wireSpan(c.Span), Support: wireSupport(c.Support, c.Verdict), Verdict: c.Verdict, Citations: c.Citations, Mismatches: []mismatch{}}
		if w.Citations == nil {
			w.Citations = []int{}
		}
		if c.Attribution != "" {
			w.Attribution = &c.Attribution
		}
		for _, m := range c.Mismatches {
			w.Mismatches = append(w.Mismatches, mismatch{m.Kind, m.Claim, m.Source, wireSpan(m.ClaimSpan), wireSpan(m.SourceSpan)})
		}
		out = append(out, w)
	}
	return out
}

// wireSupport is null where nothing was scored.
func wireSupport(support float64, v rag.Verdict) *float64 {
	if v == rag.VerdictUnchecked {
		return nil
	}
	return &support
}

type citation struct {
	ID          rag.CitationID  `json:"id"`
	Marker      int             `json:"marker"`
	AnswerSpan  span            `json:"answer_span"`
	Collection  string          `json:"collection"`
	Document    documentRef     `json:"document"`
	ChunkID     rag.ChunkID     `json:"chunk_id"`
	SourceSpan  span            `json:"source_span"`
	Quote       string          `json:"quote"`
	Page        *int            `json:"page"`
	HeadingPath []string        `json:"heading_path"`
	URL         string          `json:"url"`
	Verified    bool            `json:"verified"`
	Verdict     rag.Verdict     `json:"verdict"`
	Support     *float64        `json:"support"`
	Attribution rag.Attribution `json:"attribution"`
	Passage     int             `json:"passage,omitempty"`
}

func wireCitation(c rag.Citation) citation {
	return citation{
		ID: c.ID, Marker: c.Marker, AnswerSpan: wireSpan(c.AnswerSpan), Collection: c.Collection, Document: wireDocumentRef(c.Document), ChunkID: c.ChunkID,
		SourceSpan: wireSpan(c.SourceSpan), Quote: c.Quote, Page: wirePage(c.Page), HeadingPath: wireStrings(c.HeadingPath),
		URL: "/v1/citations/" + string(c.ID), Verified: c.Verified, Verdict: c.Verdict,
		Support: wireSupport(c.Support, c.Verdict), Attribution: c.Attribution, Passage: c.Passage,
	}
}

type passage struct {
	Number      int         `json:"number"`
	ChunkID     rag.ChunkID `json:"chunk_id"`
	Collection  string      `json:"collection"`
	Document    documentRef `json:"document"`
	Text        string      `json:"text"`
	Span        span        `json:"span"`
	HeadingPath []string    `json:"heading_path"`
	Context     string      `json:"context,omitempty"`
	Page        *int        `json:"page"`
	Score       float64     `json:"score"`
	NeighbourOf int         `json:"neighbour_of,omitempty"`
}

func wirePassages(ps []rag.Passage) []passage {
	out := []passage{}
	for _, p := range ps {
		c := p.Hit.Chunk
		out = append(out, passage{p.Number, c.ID, p.Hit.Collection, wireDocumentRef(p.Hit.Document), c.Text, wireSpan(c.Span), wireStrings(c.HeadingPath), c.Context, wirePage(c.Page), p.Hit.Score, p.NeighbourOf})
	}
	return out
}

type answer struct {
	ID        rag.AnswerID       `json:"id"`
	Status    rag.AnswerStatus   `json:"status"`
	Reason    *string            `json:"reason"`
	Text      string             `json:"text"`
	Language  string             `json:"language"`
	Fallback  bool               `json:"fallback"`
	Degraded  []string           `json:"degraded,omitempty"`
	Explain   *explanation       `json:"explain,omitempty"`
	Claims    []claim            `json:"claims"`
	Citations []citation         `json:"citations"`
	Passages  []passage          `json:"passages"`
	Model     string             `json:"model"`
	Usage     usage              `json:"usage"`
	Timings   map[string]float64 `json:"timings_ms"`
	Missing   []string           `json:"missing,omitempty"`
	Nearest   []nearest          `json:"nearest,omitempty"`
	Dropped   []int              `json:"dropped,omitempty"`
	Thinking  string             `json:"thinking,omitempty"`
	Prompt    *promptVersion     `json:"prompt,omitempty"`
}

type nearest struct {
	Collection string      `json:"collection"`
	Document   documentRef `json:"document"`
	Score      float64     `json:"score"`
}

type promptVersion struct {
	Name    string `json:"name"`
	Version int    `json:"version"`
}

type usage struct {
	PromptTokens     int `json:"prompt_tokens"`
	CompletionTokens int `json:"completion_tokens"`
}

func wireAnswer(a rag.Answer) answer {
	out := answer{
		ID: a.ID, Status: a.Status, Text: a.Text, Language: a.Language, Fallback: a.Fallback, Degraded: a.Degraded, Explain: wireExplanation(a.Explanation), Claims: wireClaims(a.Claims), Citations: []citation{},
		Passages: wirePassages(a.Passages), Model: a.Model, Usage: usage(a.Usage), Timings: milliseconds(a.Timings),
		Missing: a.Missing, Dropped: a.Dropped, Thinking: a.Thinking,
	}
	for _, n := range a.Nearest {
		out.Nearest = append(out.Nearest, nearest{n.Collection, wireDocumentRef(n.Document), n.Score})
	}
	if a.Prompt != nil {
		out.Prompt = &promptVersion{a.Prompt.Name, a.Prompt.Version}
	}
	if a.Reason != "" {
		out.Reason = &a.Reason
	}
	for _, c := range a.Citations {
		out.Citations = append(out.Citations, wireCitation(c))
	}
	return out
}

// question checks a request's own bounds; the rest is search's to check.
func (in queryRequest) question() (rag.Question, error) {
	q := rag.Question{Query: rag.Query{Text: in.Query, Collections: in.Collections, Filter: in.Filter.domain(), TopK: 8, IgnorePhrases: true, Explain: in.Explain}, Language: in.Language, Neighbours: in.Neighbours,
		Verify: rag.Verify(in.Verify), Policy: rag.Policy(in.Policy)}
	q.Generation = rag.Generation{Temperature: in.Temperature, Seed: in.Seed, Stop: in.Stop}
	for _, field := range []struct {
		name  string
		given *int
		into  *int
	}{{"max_tokens", in.MaxTokens, &q.Generation.MaxTokens}, {"budget", in.Budget, &q.Generation.Budget}} {
		if field.given != nil {
			if *field.into = *field.given; *field.into < 1 {
				return q, rag.FieldErrorf("/"+field.name, "%s must be at least 1, got %d.", field.name, *field.given)
			}
		}
	}
	if err := q.Generation.Validate(); err != nil {
		return q, err
	}
	if v := q.Verify; v != "" && v != rag.VerifyOff && v != rag.VerifyFast && v != rag.VerifyJudge {
		return q, rag.FieldErrorf("/verify", "verify must be off, fast or judge, got %q.", rag.Clip(in.Verify, 40))
	}
	if p := q.Policy; p != "" && p != rag.PolicyMark && p != rag.PolicyDrop && p != rag.PolicyStrict {
		return q, rag.FieldErrorf("/policy", "policy must be mark, drop or strict, got %q.", rag.Clip(in.Policy, 40))
	}
	if in.TopK != nil {
		if q.TopK = *in.TopK; q.TopK < 1 || q.TopK > maxPassages {
			return q, rag.FieldErrorf("/top_k", "top_k must be between 1 and %d, got %d.", maxPassages, q.TopK)
		}
	}
	if in.Neighbours < 0 || in.Neighbours > rag.MaxNeighbours {
		return q, rag.FieldErrorf("/neighbours", "neighbours must be between 0 and %d, got %d.", rag.MaxNeighbours, in.Neighbours)
	}
	if in.Language != "" && rag.LanguageName(in.Language) == "" {
		return q, rag.FieldErrorf("/language", "language must be one of %s, got %q.", languageTags(), rag.Clip(in.Language, 40))
	}
	if len(in.Messages) > maxMessages {
		return q, rag.FieldErrorf("/messages", "messages has %d turns; at most %d are allowed.", len(in.Messages), maxMessages)
	}
	for _, m := range in.Messages {
		if m.Role != "user" && m.Role != "assistant" {
			return q, rag.FieldErrorf("/messages", "A message's role must be user or assistant, got %q.", rag.Clip(m.Role, 40))
		}
		if n := utf8.RuneCountInString(m.Content); n == 0 || n > maxMessageContent {
			return q, rag.FieldErrorf("/messages", "A message's content must have 1 to %d characters.", maxMessageContent)
		}
		q.Messages = append(q.Messages, rag.Message(m))
	}
	return q, q.Query.WithDefaults().Validate()
}

func (s *server) query(w http.ResponseWriter, r *http.Request) error {
	body, err := readJSON(w, r, maxJSON)
	if err != nil {
		return err
	}
	var in queryRequest
	if err := decodeBytes(body, &in); err != nil {
		return err
	}
	q, err := in.question()
	if err != nil {
		return err
	}
	if err := seesAll(r, q.Collections); err != nil {
		return err
	}
	if in.Stream {
		return s.stream(w, r, q, hashOf(body))
	}
	a, err := s.o.Answer.Answer(r.Context(), q, nil)
	if err != nil {
		return err
	}
	return reply(w, http.StatusOK, wireAnswer(a))
}

type citationPermalink struct {
	citation
	State         rag.CitationState `json:"state"`
	SourceChanged bool              `json:"source_changed"`
	Current       *currentQuote     `json:"current"`
}

// currentQuote is where a quote stands now.
type currentQuote struct {
	Version    int    `json:"version"`
	Span       span   `json:"span"`
	Page       *int   `json:"page"`
	ContentURL string `json:"content_url"`
}

func (s *server) getCitation(w http.ResponseWriter, r *http.Request) error {
	id, err := pathValue(r, "citation")
	if err != nil {
		return err
	}
	link, err := s.o.Answer.Citation(r.Context(), rag.CitationID(id))
	c := link.Citation
	if rag.CodeOf(err) == rag.NotFound || err == nil && !principal(r).Sees(c.Collection) {
		return rag.CitationMissing()
	}
	if err != nil {
		return err
	}
	out := citationPermalink{citation: wireCitation(c), State: link.State}
	switch link.State {
	case rag.CitationSourceChanged, rag.CitationSourceDeleted:
		out.SourceChanged = true
	default:
		pages, err := s.o.Catalog.Pages(r.Context(), c.Document.ID)
		if err != nil && rag.CodeOf(err) != rag.NotFound {
			return err
		}
		page := rag.PageAt(pages, link.Span.Start)
		if len(pages) == 0 && link.State == rag.CitationCurrent {
			page = c.Page // of a document whose pages are not known, such as one of an old pack
		}
		out.Current = &currentQuote{link.Version, wireSpan(link.Span), wirePage(page), contentURL(c.Document.ID, link.Span)}
	}
	return reply(w, http.StatusOK, out)
}
