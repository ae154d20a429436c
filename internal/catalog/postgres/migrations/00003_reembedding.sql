-- +goose Up
ALTER TABLE collections ADD COLUMN index_id text COLLATE "C" NOT NULL DEFAULT ''; -- empty: the collection's own id

CREATE TABLE reembeddings (
  collection_id text COLLATE "C" PRIMARY KEY REFERENCES collections(id) ON DELETE CASCADE,
  model text NOT NULL,
  fingerprint text NOT NULL,
  dimensions integer NOT NULL,
  index_id text NOT NULL,
  state text NOT NULL,
  plan text NOT NULL,
  gate text NOT NULL,
  error text NOT NULL,
  started_at bigint NOT NULL,
  updated_at bigint NOT NULL
);

-- The vectors of the model that is not in use.
CREATE TABLE other_vectors (
  collection_id text COLLATE "C" NOT NULL REFERENCES collections(id) ON DELETE CASCADE,
  chunk_id uuid NOT NULL,
  embedding bytea NOT NULL,
  PRIMARY KEY (collection_id, chunk_id)
);
ALTER TABLE other_vectors ALTER COLUMN embedding SET STORAGE EXTERNAL;

-- +goose Down
DROP TABLE other_vectors;
DROP TABLE reembeddings;
ALTER TABLE collections DROP COLUMN index_id;
