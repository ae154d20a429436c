-- +goose Up
-- SQLite notes here which documents changed, for an index in files; with Postgres there is none.
SELECT 1;

-- +goose Down
SELECT 1;
