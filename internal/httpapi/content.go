package httpapi

import (
	"fmt"
	"html/template"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"footnote/internal/rag"
	"footnote/internal/text"
)

// maxHighlights bounds the spans of one request.
const maxHighlights = 100

// contentURL is the link to a document's text with a span marked.
func contentURL(id rag.DocumentID, s rag.Span) string {
	return fmt.Sprintf("/v1/documents/%s/content?highlight=%d-%d", url.PathEscape(string(id)), s.Start, s.End)
}

type content struct {
	Document   documentRef   `json:"document"`
	Text       string        `json:"text"`
	Span       span          `json:"span"`
	Page       *int          `json:"page"`
	Pages      []contentPage `json:"pages"`
	Highlights []highlight   `json:"highlights"`
}

type contentPage struct {
	Page int  `json:"page"`
	Span span `json:"span"`
}

type highlight struct {
	Start int    `json:"start"`
	End   int    `json:"end"`
	Quote string `json:"quote"`
	Page  *int   `json:"page"`
}

func (s *server) getContent(w http.ResponseWriter, r *http.Request) error {
	v := r.URL.Query()
	spans, err := highlightsOf(v)
	if err != nil {
		return err
	}
	page, err := pageNumberOf(v)
	if err != nil {
		return err
	}
	d, err := s.document(r)
	if err != nil {
		return err
	}
	whole, err := s.o.Catalog.Text(r.Context(), d.ID)
	if err != nil {
		return err
	}
	w.Header().Set("Vary", "Accept")
	kind := preferred(r.Header.Get("Accept"), "text/plain", "application/json", "text/html")
	if kind == "text/plain" && page == 0 && len(spans) == 0 {
		w.Header().Set("Footnote-Span", fmt.Sprintf("0-%d", text.Len(whole)))
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = io.WriteString(w, whole) // the client is gone when this fails
		return nil
	}
	pages, err := s.o.Catalog.Pages(r.Context(), d.ID)
	if err != nil {
		return err
	}
	index := text.NewIndex(whole)
	part, err := partOf(index.Len(), pages, page, spans)
	if err != nil {
		return err
	}
	out := content{Document: wireDocumentRef(d), Text: index.Slice(part), Span: wireSpan(part), Page: wirePage(page), Pages: []contentPage{}, Highlights: []highlight{}}
	for _, p := range pages {
		out.Pages = append(out.Pages, contentPage{p.Number, wireSpan(p.Span)})
	}
	for _, h := range spans {
		out.Highlights = append(out.Highlights, highlight{h.Start, h.End, index.Slice(h), wirePage(rag.PageAt(pages, h.Start))})
	}
	w.Header().Set("Footnote-Span", fmt.Sprintf("%d-%d", part.Start, part.End))
	switch kind {
	case "application/json":
		return reply(w, http.StatusOK, out)
	case "text/html":
		return contentPageOf(w, d, index, part, page, spans)
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = io.WriteString(w, out.Text) // the client is gone when this fails
	return nil
}

// highlightsOf reads spans such as 10-20,35-40.
func highlightsOf(v url.Values) ([]rag.Span, error) {
	if !v.Has("highlight") {
		return nil, nil
	}
	parts := strings.Split(v.Get("highlight"), ",")
	if len(parts) > maxHighlights {
		return nil, rag.FieldErrorf("/highlight", "highlight has %d spans; at most %d are allowed.", len(parts), maxHighlights)
	}
	var out []rag.Span
	for _, p := range parts {
		first, last, ok := strings.Cut(p, "-")
		start, errStart := strconv.ParseUint(first, 10, 31)
		end, errEnd := strconv.ParseUint(last, 10, 31)
		if !ok || errStart != nil || errEnd != nil || end <= start {
			return nil, rag.FieldErrorf("/highlight", "highlight must be START-END in code points, such as 120-180, with commas between several, got %q.", rag.Clip(p, 40))
		}
		out = append(out, rag.Span{Start: int(start), End: int(end)})
	}
	return out, nil
}

func pageNumberOf(v url.Values) (int, error) {
	if !v.Has("page") {
		return 0, nil
	}
	n, err := strconv.ParseUint(v.Get("page"), 10, 31)
	if err != nil || n == 0 {
		return 0, rag.FieldErrorf("/page", "page must be a whole number from 1, got %q.", rag.Clip(v.Get("page"), 40))
	}
	return int(n), nil
}

// partOf is the part of a text of length code points that is asked for: a page, or with page 0 the whole. The spans must lie in it.
func partOf(length int, pages []rag.PageSpan, page int, spans []rag.Span) (rag.Span, error) {
	part := rag.Span{End: length}
	if page > 0 {
		if len(pages) == 0 {
			return part, rag.FieldErrorf("/page", "The document has no pages; leave page out.")
		}
		i := slices.IndexFunc(pages, func(p rag.PageSpan) bool { return p.Number == page }) // the first: files in one file may have the same
		if i < 0 {
			last := slices.MaxFunc(pages, func(a, b rag.PageSpan) int { return a.Number - b.Number })
			return part, rag.FieldErrorf("/page", "The document has no text on page %d; the last page with text is %d.", page, last.Number)
		}
		part = pages[i].Span
	}
	for _, s := range spans {
		switch {
		case s.End > length:
			return part, rag.FieldErrorf("/highlight", "The span %d-%d lies outside of the text, which has %d characters.", s.Start, s.End, length)
		case !part.Contains(s):
			return part, rag.FieldErrorf("/highlight", "The span %d-%d lies outside of page %d, which is %d-%d.", s.Start, s.End, page, part.Start, part.End)
		}
	}
	return part, nil
}

// contentHTML shows a text to people. It loads nothing, runs nothing and escapes everything.
var contentHTML = template.Must(template.New("content").Parse(`<!doctype html>
<html lang="{{.Language}}"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{.Title}}</title>
<style>body{max-width:46rem;margin:2rem auto;padding:0 1rem;font:16px/1.6 system-ui,sans-serif}pre{white-space:pre-wrap;overflow-wrap:anywhere;font:inherit}mark{background:#ffe58a}</style>
<h1>{{.Title}}</h1>{{if .Page}}<p>Page {{.Page}}</p>{{end}}
<pre>{{range .Pieces}}{{if .ID}}<mark id="{{.ID}}">{{.Text}}</mark>{{else}}{{.Text}}{{end}}{{end}}</pre>
</html>
`))

type piece struct{ ID, Text string }

// pieces cuts part at the spans' ends; what lies in a span has an ID, h1 at the first.
func pieces(index *text.Index, part rag.Span, spans []rag.Span) []piece {
	cuts := make([]int, 0, 2*len(spans)+2)
	cuts = append(cuts, part.Start, part.End)
	for _, s := range spans {
		cuts = append(cuts, s.Start, s.End)
	}
	slices.Sort(cuts)
	cuts = slices.Compact(cuts)
	var out []piece
	marks := 0
	for i := 0; i+1 < len(cuts); i++ {
		at := rag.Span{Start: cuts[i], End: cuts[i+1]}
		p := piece{Text: index.Slice(at)}
		if slices.ContainsFunc(spans, func(s rag.Span) bool { return s.Contains(at) }) {
			marks++
			p.ID = fmt.Sprintf("h%d", marks)
		}
		out = append(out, p)
	}
	return out
}

func contentPageOf(w http.ResponseWriter, d rag.Document, index *text.Index, part rag.Span, page int, spans []rag.Span) error {
	title := d.Title
	if title == "" {
		title = d.ExternalID
	}
	var b strings.Builder
	err := contentHTML.Execute(&b, map[string]any{"Language": d.Language, "Title": title, "Page": page, "Pieces": pieces(index, part, spans)})
	if err != nil {
		return fmt.Errorf("write the page of a text: %w", err)
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	_, _ = io.WriteString(w, b.String()) // the client is gone when this fails
	return nil
}
