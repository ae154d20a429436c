package httpapi

import (
	"net/http"

	"footnote/internal/rag"
)

type groundRequest struct {
	Text        string         `json:"text"`
	Collections []string       `json:"collections"`
	Filter      *filter        `json:"filter"`
	TopK        *int           `json:"top_k"`
	Passages    []givenPassage `json:"passages"`
	Verify      *string        `json:"verify"`
}

type givenPassage struct {
	ID    string `json:"id"`
	Title string `json:"title"`
	Text  string `json:"text"`
}

type grounding struct {
	Status    rag.AnswerStatus   `json:"status"`
	Text      string             `json:"text"`
	Language  string             `json:"language"`
	Claims    []claim            `json:"claims"`
	Citations []groundCitation   `json:"citations"`
	Passages  []groundPassage    `json:"passages"`
	Degraded  []string           `json:"degraded,omitempty"`
	Timings   map[string]float64 `json:"timings_ms"`
}

type groundCitation struct {
	ID          *rag.CitationID `json:"id"`
	Marker      int             `json:"marker"`
	AnswerSpan  span            `json:"answer_span"`
	Collection  *string         `json:"collection"`
	Document    *documentRef    `json:"document"`
	ChunkID     *rag.ChunkID    `json:"chunk_id"`
	SourceSpan  span            `json:"source_span"`
	Quote       string          `json:"quote"`
	Page        *int            `json:"page"`
	HeadingPath []string        `json:"heading_path"`
	URL         *string         `json:"url"`
	Verified    bool            `json:"verified"`
	Verdict     rag.Verdict     `json:"verdict"`
	Support     float64         `json:"support"`
	Attribution rag.Attribution `json:"attribution"`
	Passage     int             `json:"passage"`
	PassageID   *string         `json:"passage_id"`
}

type groundPassage struct {
	Number      int          `json:"number"`
	PassageID   *string      `json:"passage_id"`
	Title       string       `json:"title"`
	ChunkID     *rag.ChunkID `json:"chunk_id"`
	Collection  *string      `json:"collection"`
	Document    *documentRef `json:"document"`
	Text        string       `json:"text"`
	Span        span         `json:"span"`
	HeadingPath []string     `json:"heading_path"`
	Context     string       `json:"context,omitempty"`
	Page        *int         `json:"page"`
	Score       *float64     `json:"score"`
}

// wireGroundCitation leaves out what a given passage does not have.
func wireGroundCitation(c rag.Citation) groundCitation {
	w := groundCitation{
		Marker: c.Marker, AnswerSpan: wireSpan(c.AnswerSpan), SourceSpan: wireSpan(c.SourceSpan), Quote: c.Quote, Page: wirePage(c.Page), HeadingPath: wireStrings(c.HeadingPath),
		Verified: c.Verified, Verdict: c.Verdict, Support: c.Support, Attribution: c.Attribution, Passage: c.Passage,
	}
	if c.Document.ID == "" {
		w.PassageID = wireOptional(c.Document.ExternalID)
		return w
	}
	known := wireCitation(c)
	w.ID, w.Collection, w.Document, w.ChunkID, w.URL = &known.ID, &known.Collection, &known.Document, &known.ChunkID, &known.URL
	return w
}

func wireGroundPassage(p rag.Passage) groundPassage {
	c, d := p.Hit.Chunk, p.Hit.Document
	w := groundPassage{Number: p.Number, Title: d.Title, Text: c.Text, Span: wireSpan(c.Span), HeadingPath: wireStrings(c.HeadingPath), Context: c.Context, Page: wirePage(c.Page)}
	if d.ID == "" {
		w.PassageID = wireOptional(d.ExternalID)
		return w
	}
	document := wireDocumentRef(d)
	w.ChunkID, w.Collection, w.Document, w.Score = &c.ID, &p.Hit.Collection, &document, &p.Hit.Score
	return w
}

func wireOptional[T ~string](s T) *T {
	if s == "" {
		return nil
	}
	return &s
}

// request checks what only the wire can say: rag takes an empty field for one that was left out.
func (in groundRequest) request() (rag.GroundRequest, error) {
	r := rag.GroundRequest{Text: in.Text, Collections: in.Collections, Filter: in.Filter.domain()}
	if in.TopK != nil {
		if r.TopK = *in.TopK; r.TopK == 0 {
			return r, rag.FieldErrorf("/top_k", "top_k must be between 1 and %d, got 0.", rag.MaxGroundedTopK)
		}
	}
	if in.Verify != nil {
		if r.Verify = rag.Verify(*in.Verify); r.Verify == "" {
			return r, rag.FieldErrorf("/verify", "verify must be fast or judge, got \"\".")
		}
	}
	for _, p := range in.Passages {
		r.Given = append(r.Given, rag.GivenPassage(p))
	}
	return r, r.Validate()
}

func (s *server) ground(w http.ResponseWriter, r *http.Request) error {
	var in groundRequest
	if err := decode(w, r, maxJSON, &in); err != nil {
		return err
	}
	request, err := in.request()
	if err != nil {
		return err
	}
	if err := seesAll(r, request.Collections); err != nil {
		return err
	}
	g, err := s.o.Answer.Ground(r.Context(), request)
	if err != nil {
		return err
	}
	out := grounding{Status: g.Status, Text: g.Text, Language: g.Language, Claims: wireClaims(g.Claims), Citations: []groundCitation{}, Passages: []groundPassage{}, Degraded: g.Degraded, Timings: milliseconds(g.Timings)}
	for _, c := range g.Citations {
		out.Citations = append(out.Citations, wireGroundCitation(c))
	}
	for _, p := range g.Passages {
		out.Passages = append(out.Passages, wireGroundPassage(p))
	}
	return reply(w, http.StatusOK, out)
}
