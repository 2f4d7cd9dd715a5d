-- A new user; no row when the address is taken, in this tenant or another.
-- users: cli
INSERT INTO app_user (tenant_id, email, name, password, admin)
VALUES (current_setting('app.tenant')::bigint, lower($1::text), $2::text, $3::text, $4::boolean)
ON CONFLICT (email) DO NOTHING
RETURNING id
