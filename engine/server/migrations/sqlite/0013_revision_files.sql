-- Which files each revision is made of, so that one which no revision needs any more can go. Kept true by triggers: a
-- revision comes in by a push, by a restored backup, and goes by itself.
CREATE TABLE revision_files (
  tenant TEXT NOT NULL,
  number INTEGER NOT NULL,
  sha256 TEXT NOT NULL REFERENCES blobs (sha256),
  PRIMARY KEY (tenant, number, sha256)
) STRICT, WITHOUT ROWID;
CREATE INDEX revision_files_of ON revision_files (sha256);

INSERT INTO revision_files
  SELECT DISTINCT r.tenant, r.number, f.value FROM revisions r, json_each(r.manifest, '$.files') f
  WHERE f.value IN (SELECT sha256 FROM blobs);

CREATE TRIGGER revision_came AFTER INSERT ON revisions BEGIN
  INSERT INTO revision_files SELECT DISTINCT new.tenant, new.number, f.value FROM json_each(new.manifest, '$.files') f;
END;
CREATE TRIGGER revision_went AFTER DELETE ON revisions BEGIN
  DELETE FROM revision_files WHERE tenant = old.tenant AND number = old.number;
END;

-- A version's row stays when its component goes: what it was is never given to other bytes.
CREATE TABLE versions (
  tenant    TEXT NOT NULL,
  number    INTEGER NOT NULL,
  name      TEXT NOT NULL,
  version   TEXT NOT NULL,
  sha256    TEXT NOT NULL,
  size      INTEGER NOT NULL, -- bytes
  imports   TEXT NOT NULL,    -- JSON list of capabilities
  publisher TEXT,             -- whose signature it carries
  pushed_at INTEGER NOT NULL,
  pushed_by TEXT NOT NULL,
  PRIMARY KEY (tenant, name, version),
  UNIQUE (tenant, number)
) STRICT, WITHOUT ROWID;
INSERT INTO versions SELECT tenant, number, name, version, sha256, size, imports, publisher, pushed_at, pushed_by FROM plugin_versions;
DROP TABLE plugin_versions;
ALTER TABLE versions RENAME TO plugin_versions;
