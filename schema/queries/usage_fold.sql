-- Folds old deltas of what tenants use into the oldest one of each name; the sum stays exact, as both happen in one transaction. An
-- UPDATE, as nothing is used anew: quota_hold looks at inserts.
-- users: upkeep
WITH old AS MATERIALIZED (
    SELECT ctid AS at, tenant_id, name, id, delta FROM usage
    WHERE id <= (SELECT max(id) - $1::bigint FROM usage) LIMIT 50000 FOR UPDATE SKIP LOCKED
),
part AS MATERIALIZED (
    SELECT at, id = min(id) OVER same AS first, sum(delta) OVER same AS sum, count(*) OVER same AS rows
    FROM old WINDOW same AS (PARTITION BY tenant_id, name)
),
dropped AS (
    DELETE FROM usage u USING part p WHERE u.ctid = p.at AND NOT p.first
)
UPDATE usage u SET delta = p.sum FROM part p WHERE u.ctid = p.at AND p.first AND p.rows > 1
RETURNING u.id
