-- One row a contact; its journal in `chunks`.
CREATE TABLE contacts (
  id          TEXT PRIMARY KEY,
  tenant      TEXT NOT NULL,
  flow        TEXT NOT NULL,
  hash        TEXT NOT NULL,
  channel     TEXT NOT NULL,
  caller      TEXT NOT NULL,
  called      TEXT NOT NULL,
  sip_call_id TEXT,
  started_at  INTEGER NOT NULL,
  ended_at    INTEGER,
  reason      TEXT,
  recording   TEXT
) STRICT;
CREATE INDEX contacts_started ON contacts (started_at);
CREATE INDEX contacts_sip ON contacts (sip_call_id);

-- What one commit holds of one contact: journal entries in order, one JSON object a line.
CREATE TABLE chunks (
  contact TEXT NOT NULL,
  seq     INTEGER NOT NULL, -- number of the first entry
  body    TEXT NOT NULL,
  PRIMARY KEY (contact, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE kv (
  tenant     TEXT NOT NULL,
  plugin     TEXT NOT NULL,
  key        TEXT NOT NULL,
  value      BLOB NOT NULL,
  expires_at INTEGER,
  PRIMARY KEY (tenant, plugin, key)
) STRICT, WITHOUT ROWID;
