-- +goose Up
-- What a job's documents could not be read of, and whether they were as before. How far each stage of a job has come, as JSON.
ALTER TABLE job_documents ADD COLUMN warnings TEXT NOT NULL DEFAULT '[]';
ALTER TABLE job_documents ADD COLUMN unchanged INTEGER NOT NULL DEFAULT 0;
ALTER TABLE jobs ADD COLUMN stages TEXT NOT NULL DEFAULT '{}';
-- Of the active version: its pages (number, start and end of each, as JSON), its warnings, and a hash of what it was made of. Versions from before have none of them.
ALTER TABLE texts ADD COLUMN pages TEXT NOT NULL DEFAULT '[]';
ALTER TABLE texts ADD COLUMN warnings TEXT NOT NULL DEFAULT '[]';
ALTER TABLE texts ADD COLUMN recipe TEXT NOT NULL DEFAULT '';
-- A document under another name is found by its bytes.
CREATE INDEX documents_sha256 ON documents(collection_id, sha256);

-- +goose Down
DROP INDEX documents_sha256;
ALTER TABLE texts DROP COLUMN recipe;
ALTER TABLE texts DROP COLUMN warnings;
ALTER TABLE texts DROP COLUMN pages;
ALTER TABLE jobs DROP COLUMN stages;
ALTER TABLE job_documents DROP COLUMN unchanged;
ALTER TABLE job_documents DROP COLUMN warnings;
