-- Secrets of tenants, sealed by a key that is not here.
CREATE TABLE vault (
  tenant TEXT NOT NULL,
  name   TEXT NOT NULL,
  hosts  TEXT NOT NULL,    -- JSON list of host:port, sealed with the value
  key    TEXT NOT NULL,    -- id of the key that sealed it
  sealed BLOB NOT NULL,    -- a byte that says the form, nonce, AES-256-GCM
  set_at INTEGER NOT NULL,
  set_by TEXT NOT NULL,
  PRIMARY KEY (tenant, name)
) STRICT, WITHOUT ROWID;
