-- Calls whose line dropped, and whose callers may come back.
CREATE TABLE drops (
  contact  TEXT COLLATE "C" PRIMARY KEY,
  binding  TEXT NOT NULL, -- the route's number, as routes.yaml has it
  until_at BIGINT NOT NULL
);
