-- An API token under the id drawn by token_admin_next.
-- users: cli
INSERT INTO api_token (tenant_id, id, user_id, name, sha256) OVERRIDING SYSTEM VALUE
VALUES (current_setting('app.tenant')::bigint, $1::bigint, $2::bigint, $3::text, $4::bytea)
RETURNING id
