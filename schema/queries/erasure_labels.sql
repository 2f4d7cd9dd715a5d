-- The versions that an order is about, in steps of $4 behind version $3: all of a task; of a person, on a walk through all of the
-- tenant's, those that came too late, or all of theirs. Answers where the step ended (NULL: that was all), which are to be erased, and
-- how many are left because a protected release holds them.
-- users: upkeep
WITH o AS MATERIALIZED (
    SELECT * FROM erasure WHERE tenant_id = $1::bigint AND id = $2::bigint
),
page AS MATERIALIZED (
    (SELECT l.id, l.pack, l.author, l.kind FROM o JOIN label_version l ON l.tenant_id = $1 AND l.task_id = o.task_id
     WHERE l.id > $3::bigint ORDER BY l.id LIMIT $4::int)
    UNION ALL
    (SELECT l.id, l.pack, l.author, l.kind FROM label_version l
     WHERE l.tenant_id = $1 AND l.id > $3 AND (SELECT user_id FROM o) IS NOT NULL ORDER BY l.id LIMIT $4)
),
theirs AS MATERIALIZED (
    SELECT p.id, o.user_id IS NOT NULL AND NOT o.force AND EXISTS (
               SELECT FROM release_item i JOIN release r ON r.tenant_id = $1 AND r.id = i.release_id
               WHERE i.tenant_id = $1 AND i.label_id = p.id AND r.protected AND r.state = 'ready') AS held
    FROM page p CROSS JOIN o
    WHERE p.pack <> '00000000-0000-0000-0000-000000000000'
      AND (o.task_id IS NOT NULL OR (p.author = o.user_id AND (o.labels OR p.kind = 'late')))
)
SELECT CASE WHEN (SELECT count(*) FROM page) = $4 THEN (SELECT max(id) FROM page) END,
       coalesce((SELECT array_agg(id ORDER BY id) FROM theirs WHERE NOT held), '{}'), (SELECT count(*) FROM theirs WHERE held),
       (SELECT dry_run FROM o)
