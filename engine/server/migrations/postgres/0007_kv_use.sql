-- How much each plugin of each tenant keeps, so that its limits cost no look at every key.
CREATE TABLE kv_use (
  tenant TEXT COLLATE "C" NOT NULL,
  plugin TEXT COLLATE "C" NOT NULL,
  keys   BIGINT NOT NULL,
  bytes  BIGINT NOT NULL, -- of keys and values
  PRIMARY KEY (tenant, plugin)
);

INSERT INTO kv_use (tenant, plugin, keys, bytes)
SELECT tenant, plugin, COUNT(*), SUM(octet_length(key) + octet_length(value)) FROM kv GROUP BY tenant, plugin;

-- A statement at a time: a thousand keys that go at once are one change of one row.
CREATE FUNCTION kv_made() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO kv_use (tenant, plugin, keys, bytes)
  SELECT tenant, plugin, COUNT(*), SUM(octet_length(key) + octet_length(value)) FROM made GROUP BY tenant, plugin
  ON CONFLICT (tenant, plugin) DO UPDATE
  SET keys = kv_use.keys + excluded.keys, bytes = kv_use.bytes + excluded.bytes;
  RETURN NULL;
END $$;
CREATE TRIGGER kv_made AFTER INSERT ON kv REFERENCING NEW TABLE AS made
FOR EACH STATEMENT EXECUTE FUNCTION kv_made();

CREATE FUNCTION kv_gone() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE kv_use SET keys = kv_use.keys - less.keys, bytes = kv_use.bytes - less.bytes
  FROM (SELECT tenant, plugin, COUNT(*) AS keys, SUM(octet_length(key) + octet_length(value)) AS bytes
        FROM gone GROUP BY tenant, plugin) AS less
  WHERE kv_use.tenant = less.tenant AND kv_use.plugin = less.plugin;
  RETURN NULL;
END $$;
CREATE TRIGGER kv_gone AFTER DELETE ON kv REFERENCING OLD TABLE AS gone
FOR EACH STATEMENT EXECUTE FUNCTION kv_gone();

CREATE FUNCTION kv_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE kv_use SET bytes = kv_use.bytes + more.bytes
  FROM (SELECT tenant, plugin, SUM(bytes) AS bytes
        FROM (SELECT tenant, plugin, octet_length(value) AS bytes FROM made
              UNION ALL SELECT tenant, plugin, -octet_length(value) FROM gone) AS both_sides
        GROUP BY tenant, plugin) AS more
  WHERE kv_use.tenant = more.tenant AND kv_use.plugin = more.plugin;
  RETURN NULL;
END $$;
CREATE TRIGGER kv_changed AFTER UPDATE ON kv REFERENCING OLD TABLE AS gone NEW TABLE AS made
FOR EACH STATEMENT EXECUTE FUNCTION kv_changed();
