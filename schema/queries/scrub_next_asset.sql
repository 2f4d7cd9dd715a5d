-- The next media to hash again, behind those with hash $2 (hex) of tenant $1.
-- users: upkeep
SELECT tenant_id, sha256, bytes FROM asset
WHERE (tenant_id, sha256) > ($1::bigint, decode($2::text, 'hex'))
ORDER BY tenant_id, sha256 LIMIT 1
