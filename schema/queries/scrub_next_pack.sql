-- The next pack to hash again, behind pack $2 of tenant $1.
-- users: upkeep
SELECT tenant_id, id FROM pack
WHERE (tenant_id, id) > ($1::bigint, $2::text::uuid) AND dead_at IS NULL
ORDER BY tenant_id, id LIMIT 1
