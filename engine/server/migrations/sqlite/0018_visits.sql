-- A contact that is removed takes the key with it by which its visitor began it.
CREATE INDEX idempotency_visits ON idempotency (body) WHERE who = 'visitors';
