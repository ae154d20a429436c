-- +goose Up
CREATE TABLE collections (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  description TEXT NOT NULL,
  model TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  dimensions INTEGER NOT NULL,
  target_tokens INTEGER NOT NULL,
  overlap_tokens INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;

-- A document's row stands from its first submission on; active_version is 0 until a version is published.
CREATE TABLE documents (
  id TEXT PRIMARY KEY,
  collection_id TEXT NOT NULL REFERENCES collections(id) ON DELETE CASCADE,
  external_id TEXT NOT NULL,
  last_version INTEGER NOT NULL,
  active_version INTEGER NOT NULL,
  title TEXT NOT NULL,
  source_uri TEXT NOT NULL,
  media_type TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  language TEXT NOT NULL,
  metadata TEXT NOT NULL,
  characters INTEGER NOT NULL,
  chunks INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  UNIQUE (collection_id, external_id)
) STRICT;

-- The normalised text of the active version: what spans index.
CREATE TABLE texts (
  document_id TEXT PRIMARY KEY REFERENCES documents(id) ON DELETE CASCADE,
  text TEXT NOT NULL
) STRICT;

-- Chunks of active versions.
CREATE TABLE chunks (
  document_id TEXT NOT NULL REFERENCES documents(id) ON DELETE CASCADE,
  ordinal INTEGER NOT NULL,
  chunk_id TEXT NOT NULL UNIQUE,
  span_start INTEGER NOT NULL,
  span_end INTEGER NOT NULL,
  heading_path TEXT NOT NULL,
  page INTEGER NOT NULL,
  text TEXT NOT NULL,
  embedding BLOB NOT NULL,
  PRIMARY KEY (document_id, ordinal)
) STRICT;

CREATE TABLE removals (
  collection_id TEXT NOT NULL REFERENCES collections(id) ON DELETE CASCADE,
  chunk_id TEXT NOT NULL,
  PRIMARY KEY (collection_id, chunk_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE jobs (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  collection_id TEXT NOT NULL REFERENCES collections(id) ON DELETE CASCADE,
  status TEXT NOT NULL,
  stage TEXT NOT NULL,
  done INTEGER NOT NULL,
  total INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  error_code TEXT NOT NULL,
  error_message TEXT NOT NULL,
  token INTEGER NOT NULL,
  worker TEXT NOT NULL,
  lease_expires INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  started_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  finished_at INTEGER NOT NULL
) STRICT;
CREATE INDEX jobs_open ON jobs(seq) WHERE status IN ('queued', 'running');

CREATE TABLE job_documents (
  job_id TEXT NOT NULL REFERENCES jobs(id) ON DELETE CASCADE,
  n INTEGER NOT NULL,
  document_id TEXT NOT NULL,
  external_id TEXT NOT NULL,
  version INTEGER NOT NULL,
  published INTEGER NOT NULL,
  error_code TEXT NOT NULL,
  error_message TEXT NOT NULL,
  title TEXT NOT NULL,
  source_uri TEXT NOT NULL,
  filename TEXT NOT NULL,
  media_type TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  bytes INTEGER NOT NULL,
  metadata TEXT NOT NULL,
  PRIMARY KEY (job_id, n)
) STRICT, WITHOUT ROWID;

CREATE TABLE citations (
  id TEXT PRIMARY KEY,
  marker INTEGER NOT NULL,
  answer_start INTEGER NOT NULL,
  answer_end INTEGER NOT NULL,
  collection TEXT NOT NULL,
  document_id TEXT NOT NULL,
  external_id TEXT NOT NULL,
  title TEXT NOT NULL,
  version INTEGER NOT NULL,
  chunk_id TEXT NOT NULL,
  source_start INTEGER NOT NULL,
  source_end INTEGER NOT NULL,
  quote TEXT NOT NULL,
  page INTEGER NOT NULL,
  heading_path TEXT NOT NULL,
  verified INTEGER NOT NULL,
  verdict TEXT NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE idempotency (
  key TEXT PRIMARY KEY,
  body_hash TEXT NOT NULL,
  status INTEGER NOT NULL,
  header TEXT NOT NULL,
  body BLOB NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;

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
