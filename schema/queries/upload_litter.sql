-- Parts of uploads that are complete or given up: tenant, and name of the blob below it.
-- users: upkeep
SELECT p.tenant_id, p.upload_id || '/' || p.n || '.' || encode(p.sha256, 'hex')
FROM upload u JOIN upload_part p ON p.tenant_id = u.tenant_id AND p.upload_id = u.id
WHERE u.removing OR u.asset IS NOT NULL LIMIT $1::int
