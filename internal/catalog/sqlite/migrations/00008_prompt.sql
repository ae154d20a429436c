-- +goose Up
-- How a collection has a language model asked. Empty parts are the default's; the version counts the changes.
ALTER TABLE collections ADD COLUMN prompt_system TEXT NOT NULL DEFAULT '';
ALTER TABLE collections ADD COLUMN prompt_user TEXT NOT NULL DEFAULT '';
ALTER TABLE collections ADD COLUMN prompt_version INTEGER NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE collections DROP COLUMN prompt_version;
ALTER TABLE collections DROP COLUMN prompt_user;
ALTER TABLE collections DROP COLUMN prompt_system;
