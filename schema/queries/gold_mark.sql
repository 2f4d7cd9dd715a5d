-- Makes a task gold, when nobody has worked on it: its open slots are closed, and it no longer counts as work. Answers whether there is
-- such a task, and whether it was fit.
-- users: server
WITH found AS MATERIALIZED (
    SELECT t.tenant_id, t.project_id, t.id, t.state, t.head_label, t.rework_count, t.gold
    FROM task t WHERE t.id = $2::bigint AND t.project_id = $1::bigint FOR UPDATE
),
slots AS MATERIALIZED (
    SELECT a.id, a.state FROM found f JOIN assignment a ON a.task_id = f.id AND a.stage = 'annotate' FOR UPDATE OF a
),
fit AS MATERIALIZED (
    SELECT * FROM found
    WHERE state = 'annotate' AND head_label IS NULL AND rework_count = 0 AND NOT gold
      AND NOT EXISTS (SELECT FROM slots WHERE state <> 'open')
),
marked AS (
    UPDATE task t SET gold = true, updated_at = now() FROM fit f WHERE t.id = f.id
),
closed AS (
    UPDATE assignment a SET state = 'cancelled', version = a.version + 1, reserved_for = NULL, reserved_until = NULL
    FROM slots s CROSS JOIN fit f WHERE a.id = s.id
),
kept AS (
    INSERT INTO gold (tenant_id, project_id, task_id, expected, created_by)
    SELECT tenant_id, project_id, id, $3::text, $4::bigint FROM fit
),
counted AS (
    INSERT INTO counter (tenant_id, project_id, name, delta) SELECT tenant_id, project_id, 'task.annotate', -1 FROM fit
)
SELECT EXISTS (SELECT FROM found), EXISTS (SELECT FROM fit)
