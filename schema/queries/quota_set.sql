-- Sets a quota of the tenant.
-- users: cli
INSERT INTO quota (tenant_id, name, most) VALUES (current_setting('app.tenant')::bigint, $1::text, $2::bigint)
ON CONFLICT (tenant_id, name) DO UPDATE SET most = excluded.most
