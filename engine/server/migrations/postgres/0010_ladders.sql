-- The SIP messages of contacts, some of one call in a row, compressed as in `frames`.
CREATE TABLE ladders (
  contact TEXT COLLATE "C" NOT NULL,
  leg     BIGINT NOT NULL, -- 0: the caller's call; from 2^31 on further ones of the caller; else the effect of the transfer that placed it
  seq     BIGINT NOT NULL, -- number of the row within its leg
  body    BYTEA NOT NULL, -- a byte that says the form, and a zstd frame of lines
  PRIMARY KEY (contact, leg, seq)
);
