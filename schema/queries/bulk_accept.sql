-- A manager's verdict on many tasks, each under its version. It takes the assignment over, as a claim and a verdict in one: whoever
-- leases it finds it at a higher version. A task that has moved on is not in the answer.
-- users: server
WITH ready AS MATERIALIZED (
    SELECT r.*, t.tenant_id, t.project_id, t.head_label, a.version + 1 AS slot_version
    FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::text[])
        AS r(task, version, from_state, action, to_state, assignment, excluded)
    JOIN task t ON t.id = r.task
    JOIN assignment a ON a.id = r.assignment
    WHERE t.version = r.version AND t.state = r.from_state AND a.state IN ('open', 'leased')
    ORDER BY t.id
    FOR UPDATE OF t, a
),
moved AS (
    UPDATE task t SET state = r.to_state, version = t.version + 1, updated_at = now()
    FROM ready r WHERE t.id = r.task
    RETURNING r.*, t.version AS now_version, t.priority, t.skills
),
taken AS (
    UPDATE assignment a
    SET state = 'submitted', holder = $8::bigint, version = r.slot_version, lease_expires_at = NULL, reserved_for = NULL,
        reserved_until = NULL
    FROM ready r WHERE a.id = r.assignment
),
opened AS (
    INSERT INTO assignment (tenant_id, project_id, task_id, stage, slot, rank, excluded, skills)
    SELECT tenant_id, project_id, task, 'qa', 1, -priority, excluded::bigint[], skills FROM moved WHERE to_state = 'qa'
    ON CONFLICT (tenant_id, task_id, stage, slot) DO UPDATE
    SET state = 'open', version = assignment.version + 1, holder = NULL, lease_expires_at = NULL, rank = excluded.rank,
        reserved_for = NULL, reserved_until = NULL, excluded = excluded.excluded, skills = excluded.skills
),
logged AS (
    INSERT INTO event (tenant_id, project_id, task_id, task_version, actor, assignment_id, assignment_version,
                       action, from_state, to_state, detail)
    SELECT tenant_id, project_id, task, now_version, $8, assignment, slot_version, action, from_state, to_state, '{"bulk":true}'
    FROM moved
),
reviewed AS (
    INSERT INTO review (tenant_id, task_id, assignment_id, reviewer, stage, verdict, label_id)
    SELECT tenant_id, task, assignment, $8, from_state, action, head_label FROM moved
),
counted AS (
    INSERT INTO counter (tenant_id, project_id, name, delta)
    SELECT m.tenant_id, m.project_id, n.name, sum(n.delta)
    FROM moved m CROSS JOIN LATERAL
        (VALUES ('task.' || m.from_state, -1), ('task.' || m.to_state, 1), ('action.' || m.action, 1)) AS n(name, delta)
    GROUP BY m.tenant_id, m.project_id, n.name HAVING sum(n.delta) <> 0
)
SELECT task, to_state, now_version FROM moved ORDER BY task
