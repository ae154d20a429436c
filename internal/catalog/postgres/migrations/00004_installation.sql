-- +goose Up
-- Which installation this is: what shares a server with others is named after it.
CREATE TABLE installation (
  one integer PRIMARY KEY CHECK (one = 1),
  id text NOT NULL
);

-- +goose Down
DROP TABLE installation;
