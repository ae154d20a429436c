package httpapi

import (
	"net/http"

	"footnote/internal/rag"
)

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
