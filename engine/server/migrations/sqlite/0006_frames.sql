-- What one commit holds of one contact's journal, compressed. What lies in `chunks` was written before, and is read as ever.
CREATE TABLE frames (
  contact TEXT NOT NULL,
  seq     INTEGER NOT NULL, -- number of the first entry
  body    BLOB NOT NULL, -- a byte that says the form, and a zstd frame
  PRIMARY KEY (contact, seq)
) STRICT, WITHOUT ROWID;

-- Who may talk in a chat: whoever has the token that hashes to this.
CREATE TABLE chats (
  contact TEXT PRIMARY KEY,
  token   BLOB NOT NULL -- SHA-256
) STRICT, WITHOUT ROWID;
