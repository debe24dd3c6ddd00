-- The same tables as in SQLite; what is compared byte by byte there is compared so here (COLLATE "C").

-- One row a contact; its journal in `chunks`.
CREATE TABLE contacts (
  id          TEXT COLLATE "C" PRIMARY KEY,
  tenant      TEXT NOT NULL,
  flow        TEXT NOT NULL,
  hash        TEXT NOT NULL,
  channel     TEXT NOT NULL,
  caller      TEXT NOT NULL,
  called      TEXT NOT NULL,
  sip_call_id TEXT,
  started_at  BIGINT NOT NULL,
  ended_at    BIGINT,
  reason      TEXT,
  recording   TEXT,
  content     TEXT,
  engine      TEXT
);
CREATE INDEX contacts_started ON contacts (started_at);
CREATE INDEX contacts_sip ON contacts (sip_call_id);
CREATE INDEX contacts_open ON contacts (started_at) WHERE ended_at IS NULL;

-- What one commit holds of one contact: journal entries in order, one JSON object a line.
CREATE TABLE chunks (
  contact TEXT COLLATE "C" NOT NULL,
  seq     BIGINT NOT NULL, -- number of the first entry
  body    TEXT NOT NULL,
  PRIMARY KEY (contact, seq)
);

CREATE TABLE kv (
  tenant     TEXT COLLATE "C" NOT NULL,
  plugin     TEXT COLLATE "C" NOT NULL,
  key        TEXT COLLATE "C" NOT NULL,
  value      BYTEA NOT NULL,
  expires_at BIGINT,
  PRIMARY KEY (tenant, plugin, key)
);
