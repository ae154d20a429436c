-- +goose Up
ALTER TABLE collections ADD COLUMN index_id TEXT NOT NULL DEFAULT ''; -- empty: the collection's own id

CREATE TABLE reembeddings (
  collection_id TEXT PRIMARY KEY REFERENCES collections(id) ON DELETE CASCADE,
  model TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  dimensions INTEGER NOT NULL,
  index_id TEXT NOT NULL,
  state TEXT NOT NULL,
  plan TEXT NOT NULL,
  gate TEXT NOT NULL,
  error TEXT NOT NULL,
  started_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;

-- The vectors of the model that is not in use.
CREATE TABLE other_vectors (
  collection_id TEXT NOT NULL REFERENCES collections(id) ON DELETE CASCADE,
  chunk_id TEXT NOT NULL,
  embedding BLOB NOT NULL,
  PRIMARY KEY (collection_id, chunk_id)
) STRICT, WITHOUT ROWID;

-- +goose Down
DROP TABLE other_vectors;
DROP TABLE reembeddings;
ALTER TABLE collections DROP COLUMN index_id;
