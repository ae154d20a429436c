package postgres

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"footnote/internal/catalog/stored"
	"footnote/internal/rag"
)

// Installation is the name that this catalog's installation has, and keeps, from its first use on.
func (s *Store) Installation(ctx context.Context) (id string, err error) {
	err = s.repeat(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `INSERT INTO installation (one, id) VALUES (1, $1) ON CONFLICT DO NOTHING`, rag.NewInstallationID()); err != nil {
			return err
		}
		return tx.QueryRow(ctx, `SELECT id FROM installation`).Scan(&id)
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
	  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9, $10, $11, $12) ON CONFLICT (name) DO NOTHING`
	err := s.tx(ctx, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, insert, c.ID, c.Name, c.Description, c.Embedding.Model, c.Embedding.Fingerprint, c.Embedding.Dimensions,
			c.Chunking.TargetTokens, c.Chunking.OverlapTokens, now, c.Prompt.System, c.Prompt.User, c.Prompt.Version)
		if err == nil && tag.RowsAffected() == 0 {
			return rag.Errorf(rag.Conflict, "A collection named %q exists already.", c.Name)
		}
		return err
	})
	return c, err
}

// Collection finds a collection by name, without its counts; NotFound when there is none.
func (s *Store) Collection(ctx context.Context, name string) (rag.Collection, error) {
	return one(ctx, s, stored.Collection, rag.CollectionMissing(name), `SELECT `+stored.CollectionColumns+` FROM collections c WHERE c.name = $1`, name)
}

// DescribeCollection finds a collection by name, with its counts; NotFound when there is none. Counting takes time in a large collection.
func (s *Store) DescribeCollection(ctx context.Context, name string) (rag.Collection, error) {
	return one(ctx, s, stored.CountedCollection, rag.CollectionMissing(name), `SELECT `+stored.CollectionColumns+stored.CollectionCounts+` FROM collections c WHERE c.name = $1`, name)
}

// CollectionByID finds a collection by id, without its counts; NotFound when there is none.
func (s *Store) CollectionByID(ctx context.Context, id rag.CollectionID) (rag.Collection, error) {
	return one(ctx, s, stored.Collection, rag.CollectionGone(), `SELECT `+stored.CollectionColumns+` FROM collections c WHERE c.id = $1`, id)
}

// Collections lists up to limit collections by name, those after the given one, with their counts; hidden ones (rag.HiddenName) are left out.
func (s *Store) Collections(ctx context.Context, after string, limit int) ([]rag.Collection, error) {
	return list(ctx, s, stored.CountedCollection,
		`SELECT `+stored.CollectionColumns+stored.CollectionCounts+` FROM collections c WHERE c.name > $1 AND c.name < '~' ORDER BY c.name LIMIT $2`, after, limit)
}

// HiddenCollections lists the collections that are in the making (rag.HiddenName), without their counts.
func (s *Store) HiddenCollections(ctx context.Context) ([]rag.Collection, error) {
	return list(ctx, s, stored.Collection, `SELECT `+stored.CollectionColumns+` FROM collections c WHERE c.name >= '~' ORDER BY c.name`)
}

// UpdateCollection changes what the patch names. The version of the prompt rises when its text becomes another. NotFound when there is none of that name.
func (s *Store) UpdateCollection(ctx context.Context, name string, patch rag.CollectionPatch) (rag.Collection, error) {
	const update = `UPDATE collections SET description = coalesce($1::text, description), updated_at = $2,
	  prompt_version = prompt_version + (CASE WHEN prompt_system <> coalesce($3::text, prompt_system) OR prompt_user <> coalesce($4::text, prompt_user) THEN 1 ELSE 0 END),
	  prompt_system = coalesce($3::text, prompt_system), prompt_user = coalesce($4::text, prompt_user)
	  WHERE name = $5`
	var system, user *string
	if patch.Prompt != nil {
		system, user = &patch.Prompt.System, &patch.Prompt.User
	}
	err := s.tx(ctx, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, update, patch.Description, stored.Micros(s.now()), system, user, name)
		if err == nil && tag.RowsAffected() == 0 {
			return rag.CollectionMissing(name)
		}
		return err
	})
	if err != nil {
		return rag.Collection{}, err
	}
	return s.DescribeCollection(ctx, name)
}

// RenameCollection gives a collection another name. Conflict when the name is taken, NotFound when the collection is gone.
func (s *Store) RenameCollection(ctx context.Context, id rag.CollectionID, name string) error {
	return s.tx(ctx, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `UPDATE collections SET name = $1, updated_at = $2 WHERE id = $3`, name, stored.Micros(s.now()), id)
		var e *pgconn.PgError
		switch {
		case errors.As(err, &e) && e.Code == "23505": // unique_violation
			return rag.Errorf(rag.Conflict, "A collection named %q exists already.", name)
		case err == nil && tag.RowsAffected() == 0:
			return rag.CollectionGone()
		}
		return err
	})
}

// DeleteCollection removes a collection with all that it holds, jobs included, and returns what it was. NotFound when there is none of that name.
func (s *Store) DeleteCollection(ctx context.Context, name string) (rag.Collection, error) {
	var c rag.Collection
	err := s.tx(ctx, func(tx pgx.Tx) (err error) {
		c, err = stored.Collection(tx.QueryRow(ctx, `SELECT `+stored.CollectionColumns+` FROM collections c WHERE c.name = $1 FOR UPDATE`, name))
		if errors.Is(err, pgx.ErrNoRows) {
			return rag.CollectionMissing(name)
		}
		if err != nil {
			return err
		}
		if _, err = tx.Exec(ctx, `DELETE FROM collections WHERE id = $1`, c.ID); err != nil {
			return err
		}
		return notify(ctx, tx)
	})
	return c, err
}
