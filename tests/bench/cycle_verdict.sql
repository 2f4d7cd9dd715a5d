-- $2, $3: what is said of it and at which stage; $4: the task's next state; $5: the stage that opens, or NULL.
WITH a AS (
    UPDATE assignment SET state = 'submitted', lease_expires_at = NULL
    WHERE id = $1::bigint AND state = 'leased'
    RETURNING tenant_id, project_id, task_id, id, version, holder, excluded
), t AS (
    UPDATE task SET state = $4::text, version = task.version + 1, updated_at = now()
    FROM a WHERE task.id = a.task_id AND task.state = $3::text
    RETURNING task.id, task.version, task.head_label
), o AS (
    INSERT INTO assignment (tenant_id, project_id, task_id, stage, excluded)
    SELECT tenant_id, project_id, task_id, $5::text, excluded || holder FROM a WHERE $5 IS NOT NULL
), r AS (
    INSERT INTO review (tenant_id, task_id, assignment_id, reviewer, stage, verdict, label_id)
    SELECT a.tenant_id, a.task_id, a.id, a.holder, $3, $2::text, t.head_label FROM a, t
), e AS (
    INSERT INTO event (tenant_id, project_id, task_id, task_version, actor, assignment_id, assignment_version, action, from_state, to_state)
    SELECT a.tenant_id, a.project_id, a.task_id, t.version, a.holder, a.id, a.version, $2, $3, $4 FROM a, t
), c AS (
    INSERT INTO counter (tenant_id, project_id, name, delta)
    SELECT a.tenant_id, a.project_id, n.name, n.delta
    FROM a, (VALUES ('task.' || $3, -1), ('task.' || $4, 1), ('action.' || $2, 1)) AS n(name, delta)
)
SELECT version FROM t
