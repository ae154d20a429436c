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
		Page: chunk.Page, HeadingPath: chunk.HeadingPath, Verdict: a.Verdict, Support: a.Support, Attribution: by, Passage: p.Number,
	}
	if p.Hit.Document.ID == "" { // a passage that the caller gave: its text is all there is
		c.ID, c.Verified = "", c.Quote != "" && chunk.Span.Contains(c.SourceSpan)
	} else {
		stored, err := w.stored(p.Hit.Document)
		if err != nil {
			return c, err
		}
		c.Verified = verify(c, w.answer.Passages, stored)
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

// stored reads the text of a document; it is empty when the version that was found is no longer the active one.
func (w *writer) stored(d rag.Document) (string, error) {
	if s, ok := w.texts[d.ID]; ok {
		return s, nil
	}
	now, err := w.o.Catalog.DocumentByID(w.ctx, d.ID)
	if err == nil && now.Version == d.Version {
		var s string
		if s, err = w.o.Catalog.Text(w.ctx, d.ID); err == nil {
			w.texts[d.ID] = s
			return s, nil
		}
	}
	if err != nil && rag.CodeOf(err) != rag.NotFound {
		return "", err
	}
	w.texts[d.ID] = ""
	return "", nil
}
