-- Which files each revision is made of, so that one which no revision needs any more can go. Kept true by triggers: a
-- revision comes in by a push, by a restored backup, and goes by itself.
CREATE TABLE revision_files (
  tenant TEXT COLLATE "C" NOT NULL,
  number BIGINT NOT NULL,
  sha256 TEXT COLLATE "C" NOT NULL REFERENCES blobs (sha256),
  PRIMARY KEY (tenant, number, sha256)
);
CREATE INDEX revision_files_of ON revision_files (sha256);

INSERT INTO revision_files
  SELECT DISTINCT r.tenant, r.number, f.value FROM revisions r, json_each_text(r.manifest::json -> 'files') f
  WHERE f.value IN (SELECT sha256 FROM blobs);

CREATE FUNCTION revision_came() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  INSERT INTO revision_files SELECT DISTINCT new.tenant, new.number, f.value FROM json_each_text(new.manifest::json -> 'files') f;
  RETURN NULL;
END $$;
CREATE FUNCTION revision_went() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  DELETE FROM revision_files WHERE tenant = old.tenant AND number = old.number;
  RETURN NULL;
END $$;
CREATE TRIGGER revision_came AFTER INSERT ON revisions FOR EACH ROW EXECUTE FUNCTION revision_came();
CREATE TRIGGER revision_went AFTER DELETE ON revisions FOR EACH ROW EXECUTE FUNCTION revision_went();

-- A version's row stays when its component goes: what it was is never given to other bytes.
ALTER TABLE plugin_versions DROP CONSTRAINT plugin_versions_sha256_fkey;
