-- Keys that end by themselves, so that those that have are found without a look at every key.
CREATE INDEX kv_expiring ON kv (tenant, expires_at) WHERE expires_at IS NOT NULL;
