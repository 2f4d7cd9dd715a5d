-- One page of the tenant's API tokens, by id, with their users.
-- users: cli
SELECT t.id, u.email, t.name, to_char(t.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
    t.revoked_at IS NOT NULL
FROM api_token t JOIN app_user u ON u.tenant_id = t.tenant_id AND u.id = t.user_id
WHERE t.id > $1::bigint ORDER BY t.id LIMIT 1000
