-- +goose Up
-- What a chunk needs to be understood and does not hold: its table's head, its list's lead-in. Chunks that were stored before have none.
ALTER TABLE chunks ADD COLUMN context TEXT NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE chunks DROP COLUMN context;
