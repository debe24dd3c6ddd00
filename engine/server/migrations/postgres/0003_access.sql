-- Who may use the API, and what was changed through it.

-- API tokens. A revoked one stays as a row: that one was ever made closes the engine to whoever has none.
CREATE TABLE tokens (
  id         TEXT COLLATE "C" PRIMARY KEY,
  hash       BYTEA NOT NULL, -- SHA-256 of the secret
  name       TEXT NOT NULL,
  role       TEXT NOT NULL,
  tenant     TEXT NOT NULL, -- * is every one
  made_at    BIGINT NOT NULL,
  made_by    TEXT NOT NULL,
  expires_at BIGINT,
  used_at    BIGINT, -- to the hour
  revoked_at BIGINT
);

-- People who sign in with a password.
CREATE TABLE users (
  name     TEXT COLLATE "C" PRIMARY KEY,
  password TEXT NOT NULL, -- argon2id, PHC string
  role     TEXT NOT NULL,
  tenant   TEXT NOT NULL,
  made_at  BIGINT NOT NULL,
  made_by  TEXT NOT NULL
);

CREATE TABLE sessions (
  hash       BYTEA PRIMARY KEY, -- SHA-256 of the cookie
  user_name  TEXT NOT NULL,
  expires_at BIGINT NOT NULL
);
CREATE INDEX sessions_user ON sessions (user_name);

CREATE TABLE audit (
  id      TEXT COLLATE "C" PRIMARY KEY, -- begins with the time
  at      BIGINT NOT NULL,
  who     TEXT NOT NULL,
  role    TEXT NOT NULL,
  tenant  TEXT NOT NULL,
  action  TEXT NOT NULL,
  object  TEXT NOT NULL,
  detail  TEXT NOT NULL, -- JSON
  outcome TEXT NOT NULL
);
CREATE INDEX audit_tenant ON audit (tenant, id);

-- Answers to requests with an Idempotency-Key, for a day.
CREATE TABLE idempotency (
  who          TEXT COLLATE "C" NOT NULL,
  key          TEXT COLLATE "C" NOT NULL,
  request      BYTEA NOT NULL, -- SHA-256 of method, path and body
  at           BIGINT NOT NULL,
  status       BIGINT, -- none while it is in progress
  content_type TEXT,
  location     TEXT,
  body         BYTEA,
  PRIMARY KEY (who, key)
);
CREATE INDEX idempotency_at ON idempotency (at);
