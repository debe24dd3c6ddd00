-- What is kept of a contact that is over: one row, written in the commit of its end.
CREATE TABLE records (
  contact    TEXT COLLATE "C" PRIMARY KEY,
  tenant     TEXT NOT NULL,
  flow       TEXT NOT NULL,
  started_at BIGINT NOT NULL,
  ended_at   BIGINT NOT NULL,
  caller     TEXT NOT NULL,
  called     TEXT NOT NULL,
  failed     BIGINT NOT NULL, -- 1: it ended by a fault, or a step of it failed
  path       TEXT NOT NULL,    -- SHA-256 of the way it went
  journal    BIGINT NOT NULL DEFAULT 1, -- 0: retention has removed it
  sound      BIGINT NOT NULL DEFAULT 1, -- 0: retention has removed its recordings
  body       TEXT NOT NULL     -- the record as JSON
);
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
  id      BIGSERIAL PRIMARY KEY,
  at      BIGINT NOT NULL,
  kind    TEXT NOT NULL,
  contact TEXT NOT NULL,
  engine  TEXT
);
CREATE UNIQUE INDEX events_once ON events (contact, kind);

-- How far each webhook has been told.
CREATE TABLE hooks (
  hook   TEXT COLLATE "C" NOT NULL,
  engine TEXT NOT NULL,
  seen   BIGINT NOT NULL,
  PRIMARY KEY (hook, engine)
);

-- What a webhook is still to be told, and what was given up.
CREATE TABLE deliveries (
  hook     TEXT COLLATE "C" NOT NULL,
  event    BIGINT NOT NULL,
  engine   TEXT NOT NULL,
  since    BIGINT NOT NULL,
  due      BIGINT NOT NULL,
  attempts BIGINT NOT NULL,
  dead     BIGINT NOT NULL,
  error    TEXT,
  PRIMARY KEY (hook, event)
);
CREATE INDEX deliveries_due ON deliveries (engine, hook, dead, due);

-- That a number was forgotten, without the number.
CREATE TABLE forgotten (
  id         TEXT PRIMARY KEY,
  at         BIGINT NOT NULL,
  number     TEXT NOT NULL, -- HMAC-SHA256 with the key of the data folder
  tenant     TEXT NOT NULL,
  finished   BIGINT NOT NULL,
  contacts   BIGINT NOT NULL,
  recordings BIGINT NOT NULL
);
