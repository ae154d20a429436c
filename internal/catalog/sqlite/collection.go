package sqlite

import (
	"context"
	"database/sql"
	"errors"

	"footnote/internal/catalog/stored"
	"footnote/internal/rag"
)

const collectionColumns = `c.id, c.name, c.description, c.model, c.fingerprint, c.dimensions, c.target_tokens, c.overlap_tokens, c.created_at, c.updated_at,
  CASE c.index_id WHEN '' THEN c.id ELSE c.index_id END`

const collectionCounts = `,
  (SELECT count(*) FROM documents d WHERE d.collection_id = c.id AND d.active_version > 0),
  (SELECT coalesce(sum(d.chunks), 0) FROM documents d WHERE d.collection_id = c.id AND d.active_version > 0)`

type scanner interface{ Scan(dest ...any) error }

func scanCollection(row scanner, more ...func(*rag.Collection) []any) (rag.Collection, error) {
	var c rag.Collection
	var created, updated int64
	into := []any{&c.ID, &c.Name, &c.Description, &c.Embedding.Model, &c.Embedding.Fingerprint, &c.Embedding.Dimensions,
		&c.Chunking.TargetTokens, &c.Chunking.OverlapTokens, &created, &updated, &c.IndexID}
	for _, m := range more {
		into = append(into, m(&c)...)
	}
	err := row.Scan(into...)
	c.CreatedAt, c.UpdatedAt = stored.Time(created), stored.Time(updated)
	return c, err
}

// counts scans what collectionCounts selects.
func counts(c *rag.Collection) []any { return []any{&c.Documents, &c.Chunks} }

// CreateCollection stores c, with an id and times of its own where it has none. Conflict when the name is taken.
func (s *Store) CreateCollection(ctx context.Context, c rag.Collection) (rag.Collection, error) {
	if c.ID == "" {
		c.ID = rag.NewCollectionID()
	}
	c.IndexID = c.ID
	now := stored.Micros(s.now())
	c.CreatedAt, c.UpdatedAt = stored.Time(now), stored.Time(now)
	const insert = `INSERT INTO collections (id, name, description, model, fingerprint, dimensions, target_tokens, overlap_tokens, created_at, updated_at)
	  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (name) DO NOTHING`
	err := s.tx(ctx, func(tx *sql.Tx) error {
		r, err := tx.ExecContext(ctx, insert, c.ID, c.Name, c.Description, c.Embedding.Model, c.Embedding.Fingerprint, c.Embedding.Dimensions,
			c.Chunking.TargetTokens, c.Chunking.OverlapTokens, now, now)
		if err != nil {
			return err
		}
		if n, err := r.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, rag.Errorf(rag.Conflict, "A collection named %q exists already.", c.Name))
		}
		return nil
	})
	return c, err
}

// Collection finds a collection by name, without its counts; NotFound when there is none.
func (s *Store) Collection(ctx context.Context, name string) (rag.Collection, error) {
	c, err := scanCollection(s.read.QueryRowContext(ctx, `SELECT `+collectionColumns+` FROM collections c WHERE c.name = ?`, name))
	if errors.Is(err, sql.ErrNoRows) {
		return c, rag.CollectionMissing(name)
	}
	return c, translate(err)
}

// DescribeCollection finds a collection by name, with its counts; NotFound when there is none. Counting takes time in a large collection.
func (s *Store) DescribeCollection(ctx context.Context, name string) (rag.Collection, error) {
	c, err := scanCollection(s.read.QueryRowContext(ctx, `SELECT `+collectionColumns+collectionCounts+` FROM collections c WHERE c.name = ?`, name), counts)
	if errors.Is(err, sql.ErrNoRows) {
		return c, rag.CollectionMissing(name)
	}
	return c, translate(err)
}

// CollectionByID finds a collection by id, without its counts; NotFound when there is none.
func (s *Store) CollectionByID(ctx context.Context, id rag.CollectionID) (rag.Collection, error) {
	c, err := scanCollection(s.read.QueryRowContext(ctx, `SELECT `+collectionColumns+` FROM collections c WHERE c.id = ?`, id))
	if errors.Is(err, sql.ErrNoRows) {
		return c, rag.CollectionGone()
	}
	return c, translate(err)
}

// Collections lists up to limit collections by name, those after the given one, with their counts; hidden ones (rag.HiddenName) are left out.
func (s *Store) Collections(ctx context.Context, after string, limit int) ([]rag.Collection, error) {
	var out []rag.Collection
	err := each(ctx, s.read, func(rows *sql.Rows) error {
		c, err := scanCollection(rows, counts)
		out = append(out, c)
		return err
	}, `SELECT `+collectionColumns+collectionCounts+` FROM collections c WHERE c.name > ? AND c.name < '~' ORDER BY c.name LIMIT ?`, after, limit)
	return out, err
}

// UpdateCollection sets the description.
func (s *Store) UpdateCollection(ctx context.Context, name, description string) (rag.Collection, error) {
	err := s.tx(ctx, func(tx *sql.Tx) error {
		r, err := tx.ExecContext(ctx, `UPDATE collections SET description = ?, updated_at = ? WHERE name = ?`, description, stored.Micros(s.now()), name)
		if err != nil {
			return err
		}
		if n, err := r.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, rag.CollectionMissing(name))
		}
		return nil
	})
	if err != nil {
		return rag.Collection{}, err
	}
	return s.DescribeCollection(ctx, name)
}

// RenameCollection gives a collection another name. Conflict when the name is taken, NotFound when the collection is gone.
func (s *Store) RenameCollection(ctx context.Context, id rag.CollectionID, name string) error {
	return s.tx(ctx, func(tx *sql.Tx) error {
		r, err := tx.ExecContext(ctx, `UPDATE OR IGNORE collections SET name = ?, updated_at = ? WHERE id = ?`, name, stored.Micros(s.now()), id)
		if err != nil {
			return err
		}
		if n, err := r.RowsAffected(); err != nil || n == 1 {
			return err
		}
		var there bool
		if err := tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM collections WHERE id = ?)`, id).Scan(&there); err != nil {
			return err
		}
		if !there {
			return rag.CollectionGone()
		}
		return rag.Errorf(rag.Conflict, "A collection named %q exists already.", name)
	})
}

// DeleteCollection removes a collection with all that it holds, jobs included, and returns what it was.
func (s *Store) DeleteCollection(ctx context.Context, name string) (rag.Collection, error) {
	var c rag.Collection
	err := s.tx(ctx, func(tx *sql.Tx) (err error) {
		c, err = scanCollection(tx.QueryRowContext(ctx, `SELECT `+collectionColumns+` FROM collections c WHERE c.name = ?`, name))
		if errors.Is(err, sql.ErrNoRows) {
			return rag.CollectionMissing(name)
		}
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `DELETE FROM collections WHERE id = ?`, c.ID)
		return err
	})
	return c, err
}
