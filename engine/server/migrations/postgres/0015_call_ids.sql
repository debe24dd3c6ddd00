-- SIP's names of the further calls of a contact: the caller was cut off and called again. The first call's is in `contacts`.
CREATE TABLE call_ids (
  contact TEXT COLLATE "C" NOT NULL,
  call_id TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (contact, call_id)
);
CREATE INDEX call_ids_of ON call_ids (call_id);

INSERT INTO call_ids
  SELECT r.contact, d ->> 'sip_call_id' FROM records r, json_array_elements(r.body::json -> 'drops') d
  WHERE d ->> 'sip_call_id' IS NOT NULL ON CONFLICT DO NOTHING;
