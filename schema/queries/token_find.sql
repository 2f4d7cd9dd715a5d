-- The living API token of an id, with its user.
-- users: server
SELECT k.sha256, u.id, u.admin FROM api_token k JOIN app_user u ON u.tenant_id = k.tenant_id AND u.id = k.user_id
WHERE k.id = $1::bigint AND k.revoked_at IS NULL AND NOT u.disabled
