-- Media of all tenants, behind those with hash $2 (hex) of tenant $1: their objects are copied.
-- users: upkeep
SELECT tenant_id, encode(sha256, 'hex'), bytes FROM asset
WHERE (tenant_id, sha256) > ($1::bigint, decode($2::text, 'hex'))
ORDER BY tenant_id, sha256 LIMIT 500
