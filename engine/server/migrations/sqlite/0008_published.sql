-- What tenants publish. Files by their SHA-256, each kept once.
CREATE TABLE blobs (
  sha256 TEXT PRIMARY KEY,
  bytes  BLOB NOT NULL
) STRICT;

-- A plugin's version is never overwritten.
CREATE TABLE plugin_versions (
  tenant    TEXT NOT NULL,
  number    INTEGER NOT NULL,
  name      TEXT NOT NULL,
  version   TEXT NOT NULL,
  sha256    TEXT NOT NULL REFERENCES blobs (sha256),
  size      INTEGER NOT NULL, -- bytes
  imports   TEXT NOT NULL,    -- JSON list of capabilities
  publisher TEXT,             -- whose signature it carries
  pushed_at INTEGER NOT NULL,
  pushed_by TEXT NOT NULL,
  PRIMARY KEY (tenant, name, version),
  UNIQUE (tenant, number)
) STRICT, WITHOUT ROWID;

-- A revision is a project's folder as it was pushed, or one with another plugin in it.
CREATE TABLE revisions (
  tenant    TEXT NOT NULL,
  number    INTEGER NOT NULL,
  content   TEXT NOT NULL,    -- as in contacts
  manifest  TEXT NOT NULL,    -- JSON: path to SHA-256, and what its plugins may touch
  note      TEXT NOT NULL,
  pushed_at INTEGER NOT NULL,
  pushed_by TEXT NOT NULL,
  PRIMARY KEY (tenant, number)
) STRICT, WITHOUT ROWID;

-- Which revision is live: the row with the highest number. A roll-back is a row more.
CREATE TABLE releases (
  tenant      TEXT NOT NULL,
  number      INTEGER NOT NULL,
  live        INTEGER NOT NULL,
  candidate   INTEGER,
  percent     INTEGER NOT NULL, -- of callers that the candidate gets
  released_at INTEGER NOT NULL,
  released_by TEXT NOT NULL,
  PRIMARY KEY (tenant, number)
) STRICT, WITHOUT ROWID;
