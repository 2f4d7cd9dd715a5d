-- A living invite by id, with the user of its address, if the tenant has one.
-- users: server
SELECT i.sha256, u.id, u.password, u.disabled, i.email
FROM invite i LEFT JOIN app_user u ON u.email = i.email
WHERE i.id = $1::bigint AND i.accepted_at IS NULL AND i.revoked_at IS NULL AND i.expires_at > now()
