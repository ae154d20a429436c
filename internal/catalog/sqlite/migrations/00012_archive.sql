-- +goose Up
-- The archive that a document came in, by its external id; empty: it came by itself. What a job does with a document: take it in (empty), remove it, skip or refuse it.
ALTER TABLE documents ADD COLUMN archive TEXT NOT NULL DEFAULT '';
ALTER TABLE job_documents ADD COLUMN archive TEXT NOT NULL DEFAULT '';
ALTER TABLE job_documents ADD COLUMN action TEXT NOT NULL DEFAULT '';
CREATE INDEX documents_archive ON documents(collection_id, archive) WHERE archive <> '';

-- +goose Down
DROP INDEX documents_archive;
ALTER TABLE job_documents DROP COLUMN action;
ALTER TABLE job_documents DROP COLUMN archive;
ALTER TABLE documents DROP COLUMN archive;
