-- Whose each is, so that tenants take turns at being told of.
ALTER TABLE deliveries ADD COLUMN tenant TEXT NOT NULL DEFAULT '';
UPDATE deliveries SET tenant = COALESCE(
  (SELECT c.tenant FROM events e JOIN contacts c ON c.id = e.contact WHERE e.id = deliveries.event), '');
DROP INDEX deliveries_due;
CREATE INDEX deliveries_due ON deliveries (engine, hook, dead, tenant, due);
