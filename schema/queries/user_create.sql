-- A new user of the tenant. $3 is the password's yescrypt hash or NULL.
-- users: server
INSERT INTO app_user (tenant_id, email, name, password, admin)
VALUES (current_setting('app.tenant')::bigint, lower($1::text), $2::text, $3::text, $4::bool)
RETURNING id, email
