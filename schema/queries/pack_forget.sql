-- Forgets packs that were taken for removal and whose objects are gone.
-- users: upkeep
WITH gone AS (
    DELETE FROM pack p USING unnest($1::bigint[], $2::text[]) AS g(tenant, id)
    WHERE p.tenant_id = g.tenant AND p.id = g.id::uuid AND p.dead_at = '-infinity'
    RETURNING 1
)
SELECT count(*) FROM gone
