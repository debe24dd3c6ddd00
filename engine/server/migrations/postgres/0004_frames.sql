-- What one commit holds of one contact's journal, compressed. What lies in `chunks` was written before, and is read as ever.
CREATE TABLE frames (
  contact TEXT COLLATE "C" NOT NULL,
  seq     BIGINT NOT NULL, -- number of the first entry
  body    BYTEA NOT NULL, -- a byte that says the form, and a zstd frame
  PRIMARY KEY (contact, seq)
);

-- Who may talk in a chat: whoever has the token that hashes to this.
CREATE TABLE chats (
  contact TEXT COLLATE "C" PRIMARY KEY,
  token   BYTEA NOT NULL -- SHA-256
);
