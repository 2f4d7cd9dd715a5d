-- Lets anyone take rework that its first annotator did not come for.
-- users: upkeep
WITH due AS MATERIALIZED (
    SELECT tenant_id, id FROM assignment
    WHERE state = 'open' AND reserved_for IS NOT NULL AND reserved_until < now()
    LIMIT $1::int FOR UPDATE SKIP LOCKED
),
freed AS (
    UPDATE assignment a SET reserved_for = NULL, reserved_until = NULL
    FROM due d WHERE a.tenant_id = d.tenant_id AND a.id = d.id
    RETURNING a.id, a.stage, a.tenant_id, a.project_id
)
SELECT count(*), (
    -- to the servers, for who waits (annotate-server/wake.c)
    SELECT count(pg_notify('annotate_open', format('0 %s %s %s', w.stage, w.tenant_id, w.project_id)))
    FROM (SELECT DISTINCT stage, tenant_id, project_id FROM freed) w)
FROM freed
