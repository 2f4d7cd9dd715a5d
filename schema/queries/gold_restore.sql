-- Of one person who was paused for gold work, the next $2 submissions: those whose review nobody has begun go back to annotate, for
-- somebody else; where others still label the task, their slot alone opens again, as if they had skipped it. A row: how many were looked at; no row: nobody is left to restore.
-- users: server
WITH who AS MATERIALIZED (
    SELECT user_id, after FROM gold_person WHERE project_id = $1::bigint AND restoring ORDER BY user_id LIMIT 1 FOR UPDATE SKIP LOCKED
),
work AS MATERIALIZED (
    SELECT a.id AS slot, a.task_id, a.holder
    FROM who w JOIN assignment a ON a.holder = w.user_id AND a.task_id > w.after
    WHERE a.project_id = $1 AND a.stage = 'annotate' AND a.state = 'submitted'
    ORDER BY a.task_id LIMIT $2::int
),
ready AS MATERIALIZED (
    SELECT w.slot, w.holder, t.tenant_id, t.project_id, t.id, r.id AS review, r.version AS review_version
    FROM work w JOIN task t ON t.id = w.task_id JOIN assignment r ON r.task_id = t.id
    WHERE t.state = 'review' AND r.stage = 'review' AND r.state = 'open'
    ORDER BY t.id FOR UPDATE OF t, r
),
labelling AS MATERIALIZED (
    SELECT a.id AS slot, a.version AS slot_version, w.holder, t.tenant_id, t.project_id, t.id
    FROM work w JOIN task t ON t.id = w.task_id JOIN assignment a ON a.id = w.slot
    WHERE t.state = 'annotate' AND NOT t.gold AND a.state = 'submitted'
    ORDER BY t.id FOR UPDATE OF t, a
),
touched AS ( -- its version guards whoever is about to hand in the last slot
    UPDATE task t SET version = t.version + 1, updated_at = now() FROM labelling l WHERE t.id = l.id
    RETURNING l.*, t.version
),
moved AS (
    UPDATE task t SET state = 'annotate', version = t.version + 1, updated_at = now(), rework_count = (t.rework_count + 1)::smallint
    FROM ready r WHERE t.id = r.id
    RETURNING r.*, t.version
),
closed AS (
    UPDATE assignment a SET state = 'cancelled', version = a.version + 1, reserved_for = NULL, reserved_until = NULL
    FROM ready r WHERE a.id = r.review
),
opened AS (
    UPDATE assignment a
    SET state = 'open', version = a.version + 1, holder = NULL, excluded = a.excluded || r.holder, reserved_for = NULL,
        reserved_until = NULL
    FROM (SELECT slot, holder FROM ready UNION ALL SELECT slot, holder FROM labelling) r WHERE a.id = r.slot
),
logged AS (
    INSERT INTO event (tenant_id, project_id, task_id, task_version, assignment_id, assignment_version, action, from_state, to_state, detail)
    SELECT tenant_id, project_id, id, version, review, review_version, 'reject', 'review', 'annotate', '{"gold":true}'::json FROM moved
    UNION ALL
    SELECT tenant_id, project_id, id, version, slot, slot_version, 'skip', 'annotate', 'annotate', '{"gold":true}'::json FROM touched
),
counted AS (
    INSERT INTO counter (tenant_id, project_id, name, delta)
    SELECT m.tenant_id, m.project_id, n.name, sum(n.delta)
    FROM moved m CROSS JOIN (VALUES ('task.review', -1), ('task.annotate', 1), ('action.reject', 1)) AS n(name, delta)
    GROUP BY m.tenant_id, m.project_id, n.name
    UNION ALL
    SELECT tenant_id, project_id, 'action.skip', count(*) FROM touched GROUP BY tenant_id, project_id
),
stood AS (
    UPDATE gold_person p SET after = coalesce((SELECT max(task_id) FROM work), p.after), restoring = EXISTS (SELECT FROM work)
    FROM who w WHERE p.project_id = $1 AND p.user_id = w.user_id
)
SELECT (SELECT count(*) FROM work) FROM who
