-- Opens assignments whose lease has run out, a bounded batch. Version and holder stay, so late work still matches while nobody else
-- has claimed. Never needed for correctness: the compare in each write is.
-- users: upkeep
WITH gone AS MATERIALIZED (
    SELECT tenant_id, id FROM assignment
    WHERE state = 'leased' AND lease_expires_at < now()
    LIMIT $1::int FOR UPDATE SKIP LOCKED
),
freed AS (
    UPDATE assignment a SET state = 'open', lease_expires_at = NULL, expiries = least(a.expiries + 1, 32767)::smallint
    FROM gone g WHERE a.tenant_id = g.tenant_id AND a.id = g.id
    RETURNING a.tenant_id, a.project_id, a.task_id, a.id, a.version, a.holder, a.stage
),
logged AS (
    INSERT INTO event (tenant_id, project_id, task_id, task_version, actor, assignment_id, assignment_version,
                       action, from_state, to_state)
    SELECT f.tenant_id, f.project_id, f.task_id, t.version, f.holder, f.id, f.version, 'expire', t.state, t.state
    FROM freed f JOIN task t ON t.tenant_id = f.tenant_id AND t.id = f.task_id
)
SELECT count(*), (
    -- to the servers, for who waits (annotate-server/wake.c)
    SELECT count(pg_notify('annotate_open', format('0 %s %s %s', w.stage, w.tenant_id, w.project_id)))
    FROM (SELECT DISTINCT stage, tenant_id, project_id FROM freed) w)
FROM freed
