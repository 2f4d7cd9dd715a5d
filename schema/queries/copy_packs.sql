-- The packs that labels may lie in, of all tenants, behind pack $2 of tenant $1: their objects are copied.
-- users: upkeep
SELECT tenant_id, id, bytes FROM pack
WHERE (tenant_id, id) > ($1::bigint, $2::text::uuid)
ORDER BY tenant_id, id LIMIT 500
