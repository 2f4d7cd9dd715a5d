-- I4: the first answer to a write that carried an Idempotency-Key, written in the transaction of the write. Kept 24 h (upkeep).
CREATE TABLE idempotency_key (
    tenant_id  bigint NOT NULL,
    user_id    bigint NOT NULL,
    key        text NOT NULL CHECK (length(key) BETWEEN 1 AND 200),
    request    bytea NOT NULL CHECK (length(request) = 32), -- SHA-256 of method, path and body
    status     smallint NOT NULL,
    answer     text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, user_id, key)
);
CREATE INDEX idempotency_key_age ON idempotency_key (created_at);
ALTER TABLE idempotency_key ENABLE ROW LEVEL SECURITY;
ALTER TABLE idempotency_key FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_only ON idempotency_key USING (tenant_id = current_setting('app.tenant')::bigint)
    WITH CHECK (tenant_id = current_setting('app.tenant')::bigint);
GRANT SELECT, INSERT ON idempotency_key TO annotate_api;
GRANT SELECT, DELETE, UPDATE ON idempotency_key TO annotate_worker;
