package sqlite

import (
	"context"
	"database/sql"
	"errors"

	"footnote/internal/catalog/stored"
	"footnote/internal/rag"
)

// Installation is the name that this catalog's installation has, and keeps, from its first use on.
func (s *Store) Installation(ctx context.Context) (id string, err error) {
	err = s.tx(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `INSERT INTO installation (one, id) VALUES (1, ?) ON CONFLICT DO NOTHING`, rag.NewInstallationID()); err != nil {
			return err
		}
		return tx.QueryRowContext(ctx, `SELECT id FROM installation`).Scan(&id)
	})
	return id, err
}

// CreateCollection stores c, with an id and times of its own where it has none. Conflict when the name is taken.
func (s *Store) CreateCollection(ctx context.Context, c rag.Collection) (rag.Collection, error) {
	if c.ID == "" {
		c.ID = rag.NewCollectionID()
	}
	c.IndexID = c.ID
	now := stored.Micros(s.now())
	c.CreatedAt, c.UpdatedAt = stored.Time(now), stored.Time(now)
	const insert = `INSERT INTO collections (id, name, description, model, fingerprint, dimensions, target_tokens, overlap_tokens, created_at, updated_at, prompt_system, prompt_user, prompt_version)
	  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (name) DO NOTHING`
	err := s.tx(ctx, func(tx *sql.Tx) error {
		r, err := tx.ExecContext(ctx, insert, c.ID, c.Name, c.Description, c.Embedding.Model, c.Embedding.Fingerprint, c.Embedding.Dimensions,
			c.Chunking.TargetTokens, c.Chunking.OverlapTokens, now, now, c.Prompt.System, c.Prompt.User, c.Prompt.Version)
		if err != nil {
			return err
		}
		if n, err := r.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, rag.Errorf(rag.Conflict, "A collection named %q exists already.", c.Name))
		}
		if s.changes == KeepChanges {
			_, err = tx.ExecContext(ctx, `INSERT INTO change_logs (collection_id, kept_after) VALUES (?, 0)`, c.ID)
		}
		return err
	})
	return c, err
}

// Collection finds a collection by name, without its counts; NotFound when there is none.
func (s *Store) Collection(ctx context.Context, name string) (rag.Collection, error) {
	return one(ctx, s.read, stored.Collection, rag.CollectionMissing(name), `SELECT `+stored.CollectionColumns+` FROM collections c WHERE c.name = ?`, name)
}

// DescribeCollection finds a collection by name, with its counts; NotFound when there is none. Counting takes time in a large collection.
func (s *Store) DescribeCollection(ctx context.Context, name string) (rag.Collection, error) {
	return one(ctx, s.read, stored.CountedCollection, rag.CollectionMissing(name), `SELECT `+stored.CollectionColumns+stored.CollectionCounts+` FROM collections c WHERE c.name = ?`, name)
}

// CollectionByID finds a collection by id, without its counts; NotFound when there is none.
func (s *Store) CollectionByID(ctx context.Context, id rag.CollectionID) (rag.Collection, error) {
	return one(ctx, s.read, stored.Collection, rag.CollectionGone(), `SELECT `+stored.CollectionColumns+` FROM collections c WHERE c.id = ?`, id)
}

// Collections lists up to limit collections by name, those after the given one, with their counts; hidden ones (rag.HiddenName) are left out.
func (s *Store) Collections(ctx context.Context, after string, limit int) ([]rag.Collection, error) {
	return list(ctx, s.read, stored.CountedCollection, `SELECT `+stored.CollectionColumns+stored.CollectionCounts+` FROM collections c WHERE c.name > ? AND c.name < '~' ORDER BY c.name LIMIT ?`, after, limit)
}

// HiddenCollections lists the collections that are in the making (rag.HiddenName), without their counts.
func (s *Store) HiddenCollections(ctx context.Context) ([]rag.Collection, error) {
	return list(ctx, s.read, stored.Collection, `SELECT `+stored.CollectionColumns+` FROM collections c WHERE c.name >= '~' ORDER BY c.name`)
}

// UpdateCollection changes what the patch names. The version of the prompt rises when its text becomes another. NotFound when there is none of that name.
func (s *Store) UpdateCollection(ctx context.Context, name string, patch rag.CollectionPatch) (rag.Collection, error) {
	const update = `UPDATE collections SET description = coalesce(?1, description), updated_at = ?2,
	  prompt_version = prompt_version + (CASE WHEN prompt_system <> coalesce(?3, prompt_system) OR prompt_user <> coalesce(?4, prompt_user) THEN 1 ELSE 0 END),
	  prompt_system = coalesce(?3, prompt_system), prompt_user = coalesce(?4, prompt_user)
	  WHERE name = ?5`
	var system, user *string
	if patch.Prompt != nil {
		system, user = &patch.Prompt.System, &patch.Prompt.User
	}
	err := s.tx(ctx, func(tx *sql.Tx) error {
		r, err := tx.ExecContext(ctx, update, patch.Description, stored.Micros(s.now()), system, user, name)
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

// DeleteCollection removes a collection with all that it holds, jobs included, and returns what it was. NotFound when there is none of that name.
func (s *Store) DeleteCollection(ctx context.Context, name string) (rag.Collection, error) {
	var c rag.Collection
	err := s.tx(ctx, func(tx *sql.Tx) (err error) {
		c, err = stored.Collection(tx.QueryRowContext(ctx, `SELECT `+stored.CollectionColumns+` FROM collections c WHERE c.name = ?`, name))
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
