-- Takes away a part of what a deleted release held, at most $1 items, then its exports' rows without bytes, then the release itself.
-- users: export
WITH one AS MATERIALIZED (
    SELECT tenant_id, id FROM release WHERE state = 'deleting' ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED
),
part AS MATERIALIZED (
    SELECT o.tenant_id, o.id, i.task_id FROM one o CROSS JOIN LATERAL (
        SELECT k.task_id FROM release_item k WHERE k.tenant_id = o.tenant_id AND k.release_id = o.id ORDER BY k.task_id LIMIT $1::int) i
),
gone AS (
    DELETE FROM release_item i USING part p WHERE i.tenant_id = p.tenant_id AND i.release_id = p.id AND i.task_id = p.task_id
),
ended AS (
    DELETE FROM export_job j USING one o
    WHERE j.tenant_id = o.tenant_id AND j.release_id = o.id AND NOT EXISTS (SELECT FROM part) AND j.state IN ('failed', 'cancelled', 'expired')
),
dropped AS (
    DELETE FROM release r USING one o
    WHERE r.tenant_id = o.tenant_id AND r.id = o.id AND NOT EXISTS (SELECT FROM part)
      AND NOT EXISTS (SELECT FROM export_job j WHERE j.tenant_id = o.tenant_id AND j.release_id = o.id
                      AND j.state NOT IN ('failed', 'cancelled', 'expired'))
    RETURNING r.id
)
SELECT (SELECT count(*) FROM part) + (SELECT count(*) FROM dropped)
