-- +goose Up
-- Whose chunk a removal is of: the removal is carried out under that document's lock.
ALTER TABLE removals ADD COLUMN document_id TEXT NOT NULL DEFAULT '';

CREATE TABLE api_keys (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  prefix TEXT NOT NULL,
  hash TEXT NOT NULL UNIQUE,
  scope TEXT NOT NULL,
  collections TEXT NOT NULL,
  per_minute INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  last_used_at INTEGER NOT NULL,
  revoked_at INTEGER NOT NULL
) STRICT;

-- +goose Down
DROP TABLE api_keys;
ALTER TABLE removals DROP COLUMN document_id;
