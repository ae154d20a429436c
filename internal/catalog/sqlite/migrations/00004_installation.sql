-- +goose Up
-- Which installation this is: what shares a server with others is named after it.
CREATE TABLE installation (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  id TEXT NOT NULL
) STRICT;

-- +goose Down
DROP TABLE installation;
