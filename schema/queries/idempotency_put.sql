-- Keeps an answer under its key, in the transaction of what it answers. A key that exists already fails, and so undoes, the write.
-- users: server
INSERT INTO idempotency_key (tenant_id, user_id, key, request, status, answer)
VALUES (current_setting('app.tenant')::bigint, $1::bigint, $2::text, $3::bytea, $4::int, $5::text)
