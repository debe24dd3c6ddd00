-- What is kept of a contact that is over: one row, written in the commit of its end.
CREATE TABLE records (
  contact    TEXT PRIMARY KEY,
  tenant     TEXT NOT NULL,
  flow       TEXT NOT NULL,
  started_at INTEGER NOT NULL,
  ended_at   INTEGER NOT NULL,
  caller     TEXT NOT NULL,
  called     TEXT NOT NULL,
  failed     INTEGER NOT NULL, -- 1: it ended by a fault, or a step of it failed
  path       TEXT NOT NULL,    -- SHA-256 of the way it went
  journal    INTEGER NOT NULL DEFAULT 1, -- 0: retention has removed it
  sound      INTEGER NOT NULL DEFAULT 1, -- 0: retention has removed its recordings
  body       TEXT NOT NULL     -- the record as JSON
) STRICT;
CREATE INDEX records_ended ON records (ended_at, contact);
CREATE INDEX records_path ON records (tenant, path, ended_at);
CREATE INDEX records_swept ON records (tenant, ended_at);
CREATE INDEX records_caller ON records (caller);
CREATE INDEX records_called ON records (called);
CREATE INDEX contacts_ended ON contacts (ended_at);
CREATE INDEX contacts_caller ON contacts (caller);
CREATE INDEX contacts_called ON contacts (called);

-- What happened, in order, for whoever wants to be told: written in the commit of what happened.
CREATE TABLE events (
  id      INTEGER PRIMARY KEY AUTOINCREMENT,
  at      INTEGER NOT NULL,
  kind    TEXT NOT NULL,
  contact TEXT NOT NULL,
  engine  TEXT
) STRICT;
CREATE UNIQUE INDEX events_once ON events (contact, kind);

-- How far each webhook has been told.
CREATE TABLE hooks (
  hook   TEXT NOT NULL,
  engine TEXT NOT NULL,
  seen   INTEGER NOT NULL,
  PRIMARY KEY (hook, engine)
) STRICT, WITHOUT ROWID;

-- What a webhook is still to be told, and what was given up.
CREATE TABLE deliveries (
  hook     TEXT NOT NULL,
  event    INTEGER NOT NULL,
  engine   TEXT NOT NULL,
  since    INTEGER NOT NULL,
  due      INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  dead     INTEGER NOT NULL,
  error    TEXT,
  PRIMARY KEY (hook, event)
) STRICT, WITHOUT ROWID;
CREATE INDEX deliveries_due ON deliveries (engine, hook, dead, due);

-- That a number was forgotten, without the number.
CREATE TABLE forgotten (
  id         TEXT PRIMARY KEY,
  at         INTEGER NOT NULL,
  number     TEXT NOT NULL, -- HMAC-SHA256 with the key of the data folder
  tenant     TEXT NOT NULL,
  finished   INTEGER NOT NULL,
  contacts   INTEGER NOT NULL,
  recordings INTEGER NOT NULL
) STRICT;
