package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"footnote/internal/catalog/stored"
	"footnote/internal/rag"
)

// SaveCitations stores citations, so that their permalinks resolve.
func (s *Store) SaveCitations(ctx context.Context, citations []rag.Citation) error {
	if len(citations) == 0 {
		return nil
	}
	const insert = `INSERT INTO citations (id, marker, answer_start, answer_end, collection, document_id, external_id, title, version, chunk_id, source_start, source_end,
	    quote, page, heading_path, verified, verdict, support, attribution, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20) ON CONFLICT (id) DO NOTHING`
	return s.repeat(ctx, func(tx pgx.Tx) error {
		batch := &pgx.Batch{}
		for _, c := range citations {
			batch.Queue(insert, c.ID, c.Marker, c.AnswerSpan.Start, c.AnswerSpan.End, c.Collection, c.Document.ID, c.Document.ExternalID,
				c.Document.Title, c.Document.Version, c.ChunkID, c.SourceSpan.Start, c.SourceSpan.End, c.Quote, c.Page, stored.Strings(c.HeadingPath),
				c.Verified, c.Verdict, c.Support, c.Attribution, stored.Micros(s.now()))
		}
		return tx.SendBatch(ctx, batch).Close()
	})
}

// Citation finds a stored citation; NotFound when there is none.
func (s *Store) Citation(ctx context.Context, id rag.CitationID) (rag.Citation, error) {
	return one(ctx, s, stored.Citation, rag.CitationMissing(), `SELECT `+stored.CitationColumns+` FROM citations WHERE id = $1`, id)
}
