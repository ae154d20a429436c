-- +goose Up
-- Which text a vector embeds: the first 16 bytes of the SHA-256 of title, headings and passage. Other chunks with that text find the vector by it.
-- NULL: stored before there was this column; it is filled when the document is next taken in. Shorter than 16 bytes: the vector came with an import, and serves its own chunk only.
ALTER TABLE chunks ADD COLUMN text_hash bytea;
-- A document that no job has made was imported.
UPDATE chunks SET text_hash = '\x00' WHERE document_id IN (SELECT id FROM documents d WHERE NOT EXISTS (SELECT 1 FROM job_documents j WHERE j.document_id = d.id AND j.version = 1));
CREATE INDEX chunks_text_hash ON chunks(text_hash) WHERE text_hash IS NOT NULL;

-- +goose Down
DROP INDEX chunks_text_hash;
ALTER TABLE chunks DROP COLUMN text_hash;
