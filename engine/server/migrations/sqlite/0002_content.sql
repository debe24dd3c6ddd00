-- What a contact walked through: SHA-256 over all flows and plugins of the project as it was.
ALTER TABLE contacts ADD COLUMN content TEXT;
