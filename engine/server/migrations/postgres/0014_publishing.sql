-- A roll-back says which release it brings back, so that the next one goes on backwards from there.
ALTER TABLE releases ADD COLUMN restores BIGINT;
-- Those of before are known by the audit log; each brought back the newest one before it that had the revision to itself.
UPDATE releases SET restores =
  (SELECT MAX(e.number) FROM releases e
   WHERE e.tenant = releases.tenant AND e.number < releases.number AND e.live = releases.live AND e.candidate IS NULL)
  WHERE candidate IS NULL AND tenant || '/' || number IN
    (SELECT object FROM audit WHERE action = 'release.rollback' AND outcome = 'done');

-- The signature itself, so that it can be held against the publisher's key of today. Those of before were not kept.
ALTER TABLE plugin_versions ADD COLUMN signature BYTEA; -- Ed25519, 64 bytes
