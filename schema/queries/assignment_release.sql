-- Gives a leased assignment back on purpose: open again, version and holder kept.
-- users: server
WITH freed AS (
    UPDATE assignment a SET state = 'open', lease_expires_at = NULL
    WHERE a.id = $1::bigint AND a.version = $2::bigint AND a.holder = $3::bigint AND a.state = 'leased'
    RETURNING a.tenant_id, a.project_id, a.task_id, a.id, a.version, a.stage
),
logged AS (
    INSERT INTO event (tenant_id, project_id, task_id, task_version, actor, assignment_id, assignment_version,
                       action, from_state, to_state)
    SELECT f.tenant_id, f.project_id, f.task_id, t.version, $3, f.id, f.version, 'release', t.state, t.state
    FROM freed f JOIN task t ON t.id = f.task_id
)
SELECT id, version, project_id, stage FROM freed
