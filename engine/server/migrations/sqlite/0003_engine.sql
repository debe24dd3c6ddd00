-- Which engine a contact runs in, where several share a store. In a file there is one engine, and this stays NULL.
ALTER TABLE contacts ADD COLUMN engine TEXT;
CREATE INDEX contacts_open ON contacts (started_at) WHERE ended_at IS NULL;
