-- Calls whose line dropped, and whose callers may come back.
CREATE TABLE drops (
  contact  TEXT PRIMARY KEY,
  binding  TEXT NOT NULL, -- the route's number, as routes.yaml has it
  until_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
