-- Orders the erasure of a task's content, under its version. Unless it is a dry run the task is archived for good, its data go at once, and
-- upkeep takes the rest. Not while a protected release holds one of its labels, unless by force ($6). Answers the order (NULL: none was
-- made), the release in the way, and whether the task is at that version.
-- users: server
WITH t AS MATERIALIZED (
    SELECT k.tenant_id, k.project_id, k.id, k.data, k.gold FROM task k
    WHERE k.id = $1::bigint AND k.version = $2::bigint AND k.state = $3::text FOR UPDATE
),
held AS MATERIALIZED (
    SELECT r.name FROM t
    JOIN label_version l ON l.task_id = t.id
    JOIN release_item i ON i.label_id = l.id
    JOIN release r ON r.id = i.release_id
    WHERE r.protected AND r.state = 'ready' LIMIT 1
),
ordered AS (
    INSERT INTO erasure AS e (tenant_id, project_id, task_id, reason, force, dry_run, created_by)
    SELECT t.tenant_id, t.project_id, t.id, $5::text, $6::bool, $7::bool, $4::bigint FROM t WHERE $6 OR NOT EXISTS (SELECT FROM held)
    RETURNING e.tenant_id, e.id, e.task_id, erasure_json(e) AS json
),
named AS (
    INSERT INTO erasure_media (tenant_id, erasure_id, sha256)
    SELECT DISTINCT o.tenant_id, o.id, decode(m.part[1], 'hex')
    FROM ordered o CROSS JOIN t CROSS JOIN LATERAL regexp_matches(t.data::text, '/v1/assets/([0-9a-f]{64})', 'g') AS m(part)
),
moved AS (
    UPDATE task k
    SET state = 'archived', archived_from = coalesce(k.archived_from, k.state), version = k.version + 1, updated_at = now(),
        data = '{}', meta = NULL, head_label = NULL, erasure = o.id
    FROM ordered o WHERE k.id = o.task_id AND NOT $7
    RETURNING k.tenant_id, k.project_id, k.id, k.version, k.gold, k.erasure
),
cancelled AS (
    UPDATE assignment a SET state = 'cancelled', lease_expires_at = NULL, reserved_for = NULL, reserved_until = NULL
    FROM moved m WHERE a.task_id = m.id AND a.state IN ('open', 'leased')
    RETURNING a.id
),
logged AS ( -- numbered when the rows of the work are held: task_move
    INSERT INTO event (tenant_id, project_id, task_id, task_version, actor, action, from_state, to_state, detail)
    SELECT tenant_id, project_id, id, version, $4, 'erase', $3, 'archived', json_build_object('erasure', erasure, 'reason', $5) FROM moved
    WHERE (SELECT count(*) FROM cancelled) >= 0
),
counted AS ( -- gold is no progress
    INSERT INTO counter (tenant_id, project_id, name, delta)
    SELECT m.tenant_id, m.project_id, n.name, n.delta
    FROM moved m CROSS JOIN LATERAL (VALUES (NOT m.gold, 'task.' || $3, -1), (NOT m.gold, 'task.archived', 1), (true, 'action.erase', 1))
        AS n(counts, name, delta)
    WHERE n.counts
)
SELECT (SELECT json FROM ordered), (SELECT name FROM held), EXISTS (SELECT FROM t)
