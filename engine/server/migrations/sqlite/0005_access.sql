-- Who may use the API, and what was changed through it.

-- API tokens. A revoked one stays as a row: that one was ever made closes the engine to whoever has none.
CREATE TABLE tokens (
  id         TEXT PRIMARY KEY,
  hash       BLOB NOT NULL, -- SHA-256 of the secret
  name       TEXT NOT NULL,
  role       TEXT NOT NULL,
  tenant     TEXT NOT NULL, -- * is every one
  made_at    INTEGER NOT NULL,
  made_by    TEXT NOT NULL,
  expires_at INTEGER,
  used_at    INTEGER, -- to the hour
  revoked_at INTEGER
) STRICT;

-- People who sign in with a password.
CREATE TABLE users (
  name     TEXT PRIMARY KEY,
  password TEXT NOT NULL, -- argon2id, PHC string
  role     TEXT NOT NULL,
  tenant   TEXT NOT NULL,
  made_at  INTEGER NOT NULL,
  made_by  TEXT NOT NULL
) STRICT;

CREATE TABLE sessions (
  hash       BLOB PRIMARY KEY, -- SHA-256 of the cookie
  user_name  TEXT NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_user ON sessions (user_name);

CREATE TABLE audit (
  id      TEXT PRIMARY KEY, -- begins with the time
  at      INTEGER NOT NULL,
  who     TEXT NOT NULL,
  role    TEXT NOT NULL,
  tenant  TEXT NOT NULL,
  action  TEXT NOT NULL,
  object  TEXT NOT NULL,
  detail  TEXT NOT NULL, -- JSON
  outcome TEXT NOT NULL
) STRICT;
CREATE INDEX audit_tenant ON audit (tenant, id);

-- Answers to requests with an Idempotency-Key, for a day.
CREATE TABLE idempotency (
  who          TEXT NOT NULL,
  key          TEXT NOT NULL,
  request      BLOB NOT NULL, -- SHA-256 of method, path and body
  at           INTEGER NOT NULL,
  status       INTEGER, -- none while it is in progress
  content_type TEXT,
  location     TEXT,
  body         BLOB,
  PRIMARY KEY (who, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_at ON idempotency (at);
