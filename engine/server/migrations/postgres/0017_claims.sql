-- Which engine carries the request out: what it left in progress is settled when it starts again.
ALTER TABLE idempotency ADD COLUMN engine TEXT;
