-- A new API token of a user; only its hash is kept. The id is drawn first: the token's text, and so its hash, contains it.
-- users: server
INSERT INTO api_token (tenant_id, id, user_id, name, sha256) OVERRIDING SYSTEM VALUE
SELECT current_setting('app.tenant')::bigint, $1::bigint, $2::bigint, $3::text, $4::bytea
RETURNING id
