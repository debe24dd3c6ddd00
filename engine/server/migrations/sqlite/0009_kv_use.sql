-- How much each plugin of each tenant keeps, so that its limits cost no look at every key.
CREATE TABLE kv_use (
  tenant TEXT NOT NULL,
  plugin TEXT NOT NULL,
  keys   INTEGER NOT NULL,
  bytes  INTEGER NOT NULL, -- of keys and values
  PRIMARY KEY (tenant, plugin)
) STRICT, WITHOUT ROWID;

INSERT INTO kv_use (tenant, plugin, keys, bytes)
SELECT tenant, plugin, COUNT(*), SUM(LENGTH(CAST(key AS BLOB)) + LENGTH(value)) FROM kv GROUP BY tenant, plugin;

CREATE TRIGGER kv_made AFTER INSERT ON kv BEGIN
  INSERT INTO kv_use (tenant, plugin, keys, bytes)
  VALUES (new.tenant, new.plugin, 1, LENGTH(CAST(new.key AS BLOB)) + LENGTH(new.value))
  ON CONFLICT (tenant, plugin) DO UPDATE SET keys = keys + 1, bytes = bytes + excluded.bytes;
END;

CREATE TRIGGER kv_changed AFTER UPDATE OF value ON kv BEGIN
  UPDATE kv_use SET bytes = bytes + LENGTH(new.value) - LENGTH(old.value)
  WHERE tenant = new.tenant AND plugin = new.plugin;
END;

CREATE TRIGGER kv_gone AFTER DELETE ON kv BEGIN
  UPDATE kv_use SET keys = keys - 1, bytes = bytes - LENGTH(CAST(old.key AS BLOB)) - LENGTH(old.value)
  WHERE tenant = old.tenant AND plugin = old.plugin;
END;
