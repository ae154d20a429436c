package sqlite

import (
	"context"
	"database/sql"

	"footnote/internal/catalog/stored"
	"footnote/internal/rag"
)

// keepChanges begins the logs of collections that have none. Their first number is above all before, so that no index from before passes for one that the log can bring up to date.
func (s *Store) keepChanges(ctx context.Context) error {
	return s.tx(ctx, func(tx *sql.Tx) error {
		for _, query := range []string{
			`INSERT INTO change_logs (collection_id, kept_after) SELECT id, -1 FROM collections WHERE id NOT IN (SELECT collection_id FROM change_logs)`,
			`INSERT INTO changes (collection_id, document_id) SELECT collection_id, '' FROM change_logs WHERE kept_after = -1`,
			`UPDATE change_logs SET kept_after = (SELECT k.seq FROM changes k WHERE k.collection_id = change_logs.collection_id AND k.document_id = '') WHERE kept_after = -1`,
			`DELETE FROM changes WHERE document_id = ''`,
		} {
			if _, err := tx.ExecContext(ctx, query); err != nil {
				return err
			}
		}
		return nil
	})
}

// forgetChanges ends all logs: what happens from now on is not noted, so they must not look whole later.
func (s *Store) forgetChanges(ctx context.Context) error {
	return s.tx(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM change_logs`)
		return err
	})
}

// noteChange notes that what an index must hold of the document changes with this transaction; nothing where the collection has no log.
func noteChange(ctx context.Context, tx *sql.Tx, collection rag.CollectionID, document rag.DocumentID) error {
	_, err := tx.ExecContext(ctx, `INSERT OR REPLACE INTO changes (collection_id, document_id) SELECT collection_id, ? FROM change_logs WHERE collection_id = ?`, document, collection)
	return err
}

// ChangeSeq is the number of the collection's last change. NotFound when the collection is gone, or its changes are not kept.
func (s *Store) ChangeSeq(ctx context.Context, collection rag.CollectionID) (int64, error) {
	return one(ctx, s.read, func(row stored.Row) (seq int64, err error) { err = row.Scan(&seq); return seq, err }, rag.CollectionGone(),
		`SELECT max(l.kept_after, coalesce((SELECT max(k.seq) FROM changes k WHERE k.collection_id = l.collection_id), 0)) FROM change_logs l WHERE l.collection_id = ?`, collection)
}

// ChangedDocuments calls f with the documents of which an index that is up to date with change after may hold something else than it should by now. Of whole false nothing is known:
// the log does not reach back so far, or has not come so far, because it is the log of another history.
func (s *Store) ChangedDocuments(ctx context.Context, collection rag.CollectionID, after int64, f func(rag.DocumentID) error) (whole bool, err error) {
	last, err := s.ChangeSeq(ctx, collection)
	if err != nil || after > last {
		if rag.CodeOf(err) == rag.NotFound {
			err = nil
		}
		return false, err
	}
	keptAfter, err := one(ctx, s.read, func(row stored.Row) (seq int64, err error) { err = row.Scan(&seq); return seq, err }, rag.CollectionGone(),
		`SELECT kept_after FROM change_logs WHERE collection_id = ?`, collection)
	if err != nil || after < keptAfter {
		return false, err
	}
	return true, each(ctx, s.read, func(rows *sql.Rows) error {
		var id rag.DocumentID
		if err := rows.Scan(&id); err != nil {
			return err
		}
		return f(id)
	}, `SELECT document_id FROM changes WHERE collection_id = ? AND seq > ? ORDER BY seq`, collection, after)
}

// PruneChanges forgets the changes up to a number: the index has them in files.
func (s *Store) PruneChanges(ctx context.Context, collection rag.CollectionID, upTo int64) error {
	return s.tx(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM changes WHERE collection_id = ? AND seq <= ?`, collection, upTo); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `UPDATE change_logs SET kept_after = ? WHERE collection_id = ? AND kept_after < ?`, upTo, collection, upTo)
		return err
	})
}

// EachChunkOf is EachChunk of one document.
func (s *Store) EachChunkOf(ctx context.Context, document rag.DocumentID, f func(rag.StoredChunk) error) error {
	return each(ctx, s.read, storedChunks(f), `SELECT `+chunkColumns+`, d.active_version, d.title, d.metadata, k.embedding FROM documents d JOIN chunks k ON k.document_id = d.id
	    WHERE d.id = ? ORDER BY k.ordinal`, document)
}

// EachOtherOf is EachOther of one document.
func (s *Store) EachOtherOf(ctx context.Context, collection rag.CollectionID, document rag.DocumentID, f func(rag.StoredChunk) error) error {
	return each(ctx, s.read, storedChunks(f), `SELECT `+chunkColumns+`, d.active_version, d.title, d.metadata, o.embedding FROM documents d JOIN chunks k ON k.document_id = d.id
	    JOIN other_vectors o ON o.collection_id = d.collection_id AND o.chunk_id = k.chunk_id WHERE d.id = ? AND d.collection_id = ? ORDER BY k.ordinal`, document, collection)
}

func storedChunks(f func(rag.StoredChunk) error) func(*sql.Rows) error {
	return func(rows *sql.Rows) error {
		c, err := stored.StoredChunk(rows)
		if err != nil {
			return err
		}
		return f(c)
	}
}
