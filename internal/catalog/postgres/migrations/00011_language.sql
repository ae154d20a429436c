-- +goose Up
-- Which languages a collection has, without looking at each of its documents.
CREATE INDEX documents_language ON documents(collection_id, language);

-- +goose Down
DROP INDEX documents_language;
