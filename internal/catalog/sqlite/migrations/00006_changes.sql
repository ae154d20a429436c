-- +goose Up
-- Which documents changed what an index in files must hold, so that a start brings it up to date without reading everything. A collection has a log, which knows every change after
-- kept_after, or none: then nothing is noted of it.
CREATE TABLE change_logs (
  collection_id TEXT PRIMARY KEY REFERENCES collections(id) ON DELETE CASCADE,
  kept_after INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- A document stands here once, with its last change. AUTOINCREMENT: a number never comes again.
CREATE TABLE changes (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  collection_id TEXT NOT NULL REFERENCES change_logs(collection_id) ON DELETE CASCADE,
  document_id TEXT NOT NULL,
  UNIQUE (collection_id, document_id)
) STRICT;
CREATE INDEX changes_by_collection ON changes(collection_id);

-- +goose Down
DROP TABLE changes;
DROP TABLE change_logs;
