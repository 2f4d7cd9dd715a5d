-- The documents of packs of a tenant, those of a task together.
-- users: upkeep
SELECT id, pack, pack_off, bytes, sha256
FROM label_version WHERE tenant_id = $1::bigint AND pack = ANY ($2::text[]::uuid[])
ORDER BY project_id, task_id, seq
