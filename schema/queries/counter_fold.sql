-- Folds old counter deltas into one row a name; base plus deltas stays exact, as both happen in one transaction.
-- users: upkeep
WITH old AS MATERIALIZED (
    SELECT ctid AS at FROM counter WHERE id <= (SELECT max(id) - $1::bigint FROM counter) LIMIT 50000 FOR UPDATE SKIP LOCKED
),
dropped AS (
    DELETE FROM counter c USING old o WHERE c.ctid = o.at RETURNING c.tenant_id, c.project_id, c.name, c.delta
)
INSERT INTO counter (tenant_id, project_id, name, delta)
SELECT tenant_id, project_id, name, sum(delta) FROM dropped GROUP BY tenant_id, project_id, name
HAVING sum(delta) <> 0
RETURNING id
