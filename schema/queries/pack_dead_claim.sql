-- Takes dead packs whose grace period is over, $1 seconds, for removal: they are marked, and a pack so marked is removed whatever
-- stops who took it. A pack that is referred to nevertheless is none of them: it lives again. Nobody references a pack that it has
-- not seen alive, and who saw it alive has ended (dead_xid).
-- users: upkeep
WITH due AS MATERIALIZED (
    SELECT p.tenant_id, p.id FROM pack p
    WHERE p.dead_at <= now() - make_interval(secs => $1::int) AND p.dead_xid < pg_snapshot_xmin(pg_current_snapshot())
    ORDER BY p.dead_at LIMIT $2::int FOR UPDATE SKIP LOCKED
),
looked AS MATERIALIZED (
    SELECT d.*, EXISTS (SELECT FROM label_version l WHERE l.tenant_id = d.tenant_id AND l.pack = d.id) AS used FROM due d
),
marked AS (
    UPDATE pack p SET dead_at = CASE WHEN k.used THEN NULL ELSE '-infinity'::timestamptz END,
                      dead_xid = CASE WHEN k.used THEN NULL ELSE p.dead_xid END
    FROM looked k WHERE p.tenant_id = k.tenant_id AND p.id = k.id
)
SELECT tenant_id, id FROM looked WHERE NOT used
