-- SIP's names of the further calls of a contact: the caller was cut off and called again. The first call's is in `contacts`.
CREATE TABLE call_ids (
  contact TEXT NOT NULL,
  call_id TEXT NOT NULL,
  PRIMARY KEY (contact, call_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX call_ids_of ON call_ids (call_id);

INSERT OR IGNORE INTO call_ids
  SELECT r.contact, d.value ->> '$.sip_call_id' FROM records r, json_each(r.body, '$.drops') d
  WHERE d.value ->> '$.sip_call_id' IS NOT NULL;
