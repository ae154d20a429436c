-- +goose Up
-- Whose chunk a removal is of: the removal is carried out under that document's lock.
ALTER TABLE removals ADD COLUMN document_id text COLLATE "C" NOT NULL DEFAULT '';

CREATE TABLE api_keys (
  seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  id text COLLATE "C" NOT NULL UNIQUE,
  name text NOT NULL,
  prefix text NOT NULL,
  hash text COLLATE "C" NOT NULL UNIQUE,
  scope text NOT NULL,
  collections text NOT NULL,
  per_minute integer NOT NULL,
  created_at bigint NOT NULL,
  expires_at bigint NOT NULL,
  last_used_at bigint NOT NULL,
  revoked_at bigint NOT NULL
);

-- +goose Down
DROP TABLE api_keys;
ALTER TABLE removals DROP COLUMN document_id;
