-- +goose Up
-- How far the span bears the claim out, and who tied the two together. What was stored before came from markers; its support is not known.
ALTER TABLE citations ADD COLUMN support REAL NOT NULL DEFAULT 0;
ALTER TABLE citations ADD COLUMN attribution TEXT NOT NULL DEFAULT 'marker';

-- +goose Down
ALTER TABLE citations DROP COLUMN attribution;
ALTER TABLE citations DROP COLUMN support;
