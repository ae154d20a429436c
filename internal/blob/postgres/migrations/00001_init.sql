-- +goose Up
CREATE TABLE blobs (
  sha256 text COLLATE "C" PRIMARY KEY,
  bytes bigint NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);

-- Parts of a megabyte: a blob is written and read without being held in memory whole.
CREATE TABLE blob_parts (
  sha256 text COLLATE "C" NOT NULL,
  n integer NOT NULL,
  data bytea NOT NULL,
  PRIMARY KEY (sha256, n)
);
ALTER TABLE blob_parts ALTER COLUMN data SET STORAGE EXTERNAL;

-- +goose Down
DROP TABLE blob_parts;
DROP TABLE blobs;
