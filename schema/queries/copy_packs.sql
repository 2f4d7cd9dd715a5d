-- The packs that labels may lie in, of all tenants, behind pack $2 of tenant $1: their objects are copied.
-- users: upkeep
SELECT tenant_id, id FROM pack
WHERE (tenant_id, id) > ($1::bigint, $2::text::uuid)
  AND (dead_at IS NULL OR EXISTS (SELECT FROM label_version l WHERE l.tenant_id = pack.tenant_id AND l.pack = pack.id))
ORDER BY tenant_id, id LIMIT 500
