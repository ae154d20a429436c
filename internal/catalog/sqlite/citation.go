package sqlite

import (
	"context"
	"database/sql"

	"footnote/internal/catalog/stored"
	"footnote/internal/rag"
)

// SaveCitations stores citations, so that their permalinks resolve.
func (s *Store) SaveCitations(ctx context.Context, citations []rag.Citation) error {
	if len(citations) == 0 {
		return nil
	}
	const insert = `INSERT INTO citations (id, marker, answer_start, answer_end, collection, document_id, external_id, title, version, chunk_id, source_start, source_end,
	    quote, page, heading_path, verified, verdict, support, attribution, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
	return s.tx(ctx, func(tx *sql.Tx) error {
		for _, c := range citations {
			if _, err := tx.ExecContext(ctx, insert, c.ID, c.Marker, c.AnswerSpan.Start, c.AnswerSpan.End, c.Collection, c.Document.ID, c.Document.ExternalID,
				c.Document.Title, c.Document.Version, c.ChunkID, c.SourceSpan.Start, c.SourceSpan.End, c.Quote, c.Page, stored.Strings(c.HeadingPath),
				c.Verified, c.Verdict, c.Support, c.Attribution, stored.Micros(s.now())); err != nil {
				return err
			}
		}
		return nil
	})
}

// Citation finds a stored citation; NotFound when there is none.
func (s *Store) Citation(ctx context.Context, id rag.CitationID) (rag.Citation, error) {
	return one(ctx, s.read, stored.Citation, rag.CitationMissing(), `SELECT `+stored.CitationColumns+` FROM citations WHERE id = ?`, id)
}
