-- +goose Up
-- Times are microseconds since 1970, UTC; 0 is no time. Names and ids compare by byte, as they do in SQLite.
CREATE TABLE collections (
  id text COLLATE "C" PRIMARY KEY,
  name text COLLATE "C" NOT NULL UNIQUE,
  description text NOT NULL,
  model text NOT NULL,
  fingerprint text NOT NULL,
  dimensions integer NOT NULL,
  target_tokens integer NOT NULL,
  overlap_tokens integer NOT NULL,
  created_at bigint NOT NULL,
  updated_at bigint NOT NULL
);

-- A document's row stands from its first submission on; active_version is 0 until a version is published.
CREATE TABLE documents (
  id text COLLATE "C" PRIMARY KEY,
  collection_id text COLLATE "C" NOT NULL REFERENCES collections(id) ON DELETE CASCADE,
  external_id text COLLATE "C" NOT NULL,
  last_version integer NOT NULL,
  active_version integer NOT NULL,
  title text NOT NULL,
  source_uri text NOT NULL,
  media_type text NOT NULL,
  sha256 text NOT NULL,
  language text NOT NULL,
  metadata text NOT NULL,
  characters integer NOT NULL,
  chunks integer NOT NULL,
  created_at bigint NOT NULL,
  updated_at bigint NOT NULL,
  UNIQUE (collection_id, external_id)
);

-- The normalised text of the active version: what spans index.
CREATE TABLE texts (
  document_id text COLLATE "C" PRIMARY KEY REFERENCES documents(id) ON DELETE CASCADE,
  text text NOT NULL
);

-- Chunks of active versions. Vectors are float32, little-endian; they do not compress, so trying to is spared.
CREATE TABLE chunks (
  document_id text COLLATE "C" NOT NULL REFERENCES documents(id) ON DELETE CASCADE,
  ordinal integer NOT NULL,
  chunk_id uuid NOT NULL UNIQUE,
  span_start integer NOT NULL,
  span_end integer NOT NULL,
  heading_path text NOT NULL,
  page integer NOT NULL,
  text text NOT NULL,
  embedding bytea NOT NULL,
  PRIMARY KEY (document_id, ordinal)
);
ALTER TABLE chunks ALTER COLUMN embedding SET STORAGE EXTERNAL;

CREATE TABLE removals (
  collection_id text COLLATE "C" NOT NULL REFERENCES collections(id) ON DELETE CASCADE,
  chunk_id uuid NOT NULL,
  PRIMARY KEY (collection_id, chunk_id)
);

CREATE TABLE jobs (
  seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  id text COLLATE "C" NOT NULL UNIQUE,
  collection_id text COLLATE "C" NOT NULL REFERENCES collections(id) ON DELETE CASCADE,
  status text NOT NULL,
  stage text NOT NULL,
  done integer NOT NULL,
  total integer NOT NULL,
  attempts integer NOT NULL,
  error_code text NOT NULL,
  error_message text NOT NULL,
  token bigint NOT NULL,
  worker text NOT NULL,
  lease_expires bigint NOT NULL,
  created_at bigint NOT NULL,
  started_at bigint NOT NULL,
  updated_at bigint NOT NULL,
  finished_at bigint NOT NULL
);
CREATE INDEX jobs_open ON jobs(seq) WHERE status IN ('queued', 'running');
CREATE INDEX jobs_collection ON jobs(collection_id);

CREATE TABLE job_documents (
  job_id text COLLATE "C" NOT NULL REFERENCES jobs(id) ON DELETE CASCADE,
  n integer NOT NULL,
  document_id text COLLATE "C" NOT NULL,
  external_id text COLLATE "C" NOT NULL,
  version integer NOT NULL,
  published boolean NOT NULL,
  error_code text NOT NULL,
  error_message text NOT NULL,
  title text NOT NULL,
  source_uri text NOT NULL,
  filename text NOT NULL,
  media_type text NOT NULL,
  sha256 text NOT NULL,
  bytes bigint NOT NULL,
  metadata text NOT NULL,
  PRIMARY KEY (job_id, n)
);

CREATE TABLE citations (
  id text COLLATE "C" PRIMARY KEY,
  marker integer NOT NULL,
  answer_start integer NOT NULL,
  answer_end integer NOT NULL,
  collection text NOT NULL,
  document_id text NOT NULL,
  external_id text NOT NULL,
  title text NOT NULL,
  version integer NOT NULL,
  chunk_id text NOT NULL,
  source_start integer NOT NULL,
  source_end integer NOT NULL,
  quote text NOT NULL,
  page integer NOT NULL,
  heading_path text NOT NULL,
  verified boolean NOT NULL,
  verdict text NOT NULL,
  created_at bigint NOT NULL
);

CREATE TABLE idempotency (
  key text COLLATE "C" PRIMARY KEY,
  body_hash text NOT NULL,
  status integer NOT NULL,
  header text NOT NULL,
  body bytea NOT NULL,
  created_at bigint NOT NULL
);

-- +goose Down
DROP TABLE idempotency;
DROP TABLE citations;
DROP TABLE job_documents;
DROP TABLE jobs;
DROP TABLE removals;
DROP TABLE chunks;
DROP TABLE texts;
DROP TABLE documents;
DROP TABLE collections;
