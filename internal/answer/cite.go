package answer

import (
	"footnote/internal/rag"
	"footnote/internal/text"
)

// cite makes the citation of a span of a passage and verifies it: the passage was supplied, the span lies inside its chunk, and the stored
// text of that document version, or the passage that was given, has the quote at the span. What fails is marked unverified, never repaired.
func (w *writer) cite(marker int, p rag.Passage, answerSpan rag.Span, a alignment, by rag.Attribution) (rag.Citation, error) {
	c, err := w.citation(marker, p, answerSpan, a, by)
	if err != nil {
		return c, err
	}
	w.answer.Citations = append(w.answer.Citations, c)
	return c, w.emit(rag.Event{Kind: rag.EventCitation, Citation: &c})
}

// citation is a citation, verified, that is not yet one of the answer's.
func (w *writer) citation(marker int, p rag.Passage, answerSpan rag.Span, a alignment, by rag.Attribution) (rag.Citation, error) {
	chunk := p.Hit.Chunk
	c := rag.Citation{
		ID: rag.NewCitationID(), Marker: marker, AnswerSpan: answerSpan, Collection: p.Hit.Collection, Document: p.Hit.Document, ChunkID: chunk.ID,
		SourceSpan: a.Source, Quote: inChunk(chunk, a.Source),
		Page:        chunk.Page, // where the pages are not known; else that of the quote, below
		HeadingPath: chunk.HeadingPath, Verdict: a.Verdict, Support: a.Support, Attribution: by, Passage: p.Number,
	}
	if p.Hit.Document.ID == "" { // a passage that the caller gave: its text is all there is
		c.ID, c.Verified = "", c.Quote != "" && chunk.Span.Contains(c.SourceSpan)
	} else {
		stored, err := w.stored(p.Hit.Document)
		if err != nil {
			return c, err
		}
		c.Verified = verify(c, w.answer.Passages, stored.text)
		if len(stored.pages) > 0 {
			c.Page = rag.PageAt(stored.pages, c.SourceSpan.Start)
		}
	}
	return c, nil
}

// verify tells whether c proves its provenance. stored is the normalised text of the document version that it names.
func verify(c rag.Citation, passages []rag.Passage, stored string) bool {
	if c.Quote == "" || c.SourceSpan.Empty() || c.SourceSpan.Start < 0 || c.SourceSpan.End > text.Len(stored) {
		return false
	}
	for _, p := range passages {
		if p.Hit.Chunk.ID == c.ChunkID && p.Hit.Chunk.Span.Contains(c.SourceSpan) {
			return text.Slice(stored, c.SourceSpan.Start, c.SourceSpan.End) == c.Quote
		}
	}
	return false
}

// source is what is stored of a document's version; nothing where that is no longer the active one.
type source struct {
	text  string
	pages []rag.PageSpan
}

// stored reads the text and the pages of a document.
func (w *writer) stored(d rag.Document) (source, error) {
	if s, ok := w.sources[d.ID]; ok {
		return s, nil
	}
	s, err := w.readSource(d)
	if err != nil && rag.CodeOf(err) != rag.NotFound {
		return source{}, err
	}
	w.sources[d.ID] = s
	return s, nil
}

// readSource reads the pages before it looks at the version. Versions only rise, and d's has been active: if it is so still, the pages are its own. A text of another version would not have the quotes.
func (w *writer) readSource(d rag.Document) (s source, err error) {
	pages, err := w.o.Catalog.Pages(w.ctx, d.ID)
	if err != nil {
		return s, err
	}
	now, err := w.o.Catalog.DocumentByID(w.ctx, d.ID)
	if err != nil || now.Version != d.Version {
		return s, err
	}
	if s.text, err = w.o.Catalog.Text(w.ctx, d.ID); err != nil {
		return source{}, err
	}
	s.pages = pages
	return s, nil
}
