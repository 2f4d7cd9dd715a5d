-- Reserves work of a stage for a person, one slot a task: of the tasks in $4, or, where that is NULL, of the first $5 of the queue that
-- the person may have. $6: also what others hold; their lease ends. $9: the roles that may do this stage. An assignment that changed
-- hands meanwhile is left alone. One row: whether the person can have work here, whether the batch was full, the tasks.
-- users: server
WITH person AS MATERIALIZED (
    SELECT m.skills FROM project_member m WHERE m.project_id = $1::bigint AND m.user_id = $3::bigint AND m.role = ANY ($9::text[])
),
found AS MATERIALIZED (
    SELECT a.id, a.task_id, a.slot, a.version, a.state, a.reserved_for, a.holder
    FROM person p CROSS JOIN unnest($4::bigint[]) AS t(id)
    JOIN assignment a ON a.task_id = t.id AND a.stage = $2::text
    WHERE a.project_id = $1 AND (a.state = 'open' OR ($6::bool AND a.state = 'leased' AND a.holder <> $3))
      AND NOT $3 = ANY (a.excluded) AND (a.skills IS NULL OR a.skills <@ p.skills)
    UNION ALL
    SELECT q.* FROM person p CROSS JOIN LATERAL (
        SELECT a.id, a.task_id, a.slot, a.version, a.state, a.reserved_for, a.holder
        FROM assignment a
        WHERE a.project_id = $1 AND a.stage = $2 AND a.state = 'open' AND a.reserved_for IS NULL
          AND NOT $3 = ANY (a.excluded) AND (a.skills IS NULL OR a.skills <@ p.skills)
          AND NOT EXISTS (
              SELECT FROM assignment o WHERE o.task_id = a.task_id AND o.stage = $2
                AND ((o.state = 'open' AND o.reserved_for = $3) OR (o.state IN ('leased', 'submitted', 'skipped') AND o.holder = $3)))
        ORDER BY a.rank, a.id LIMIT $5::int) q
    WHERE $4 IS NULL
),
picked AS MATERIALIZED ( -- the slot that takes least from others
    SELECT DISTINCT ON (f.task_id) f.id, f.task_id, f.version, f.state, f.holder FROM found f
    WHERE NOT EXISTS (
        SELECT FROM assignment o WHERE o.task_id = f.task_id AND o.stage = $2
          AND ((o.state = 'open' AND o.reserved_for = $3) OR (o.state IN ('leased', 'submitted', 'skipped') AND o.holder = $3 AND o.id <> f.id)))
    ORDER BY f.task_id, f.state = 'leased', f.reserved_for IS NOT NULL, f.slot
),
reserved AS (
    UPDATE assignment a
    SET state = 'open', version = a.version + 1, holder = NULL, lease_expires_at = NULL, reserved_for = $3,
        reserved_until = now() + make_interval(secs => $7::int)
    FROM picked p
    WHERE a.id = p.id AND a.version = p.version AND a.state = p.state
    RETURNING a.tenant_id, a.id, a.task_id, a.version, p.state AS was, p.holder AS whose
),
logged AS (
    INSERT INTO event (tenant_id, project_id, task_id, task_version, actor, assignment_id, assignment_version,
                       action, from_state, to_state, detail)
    SELECT r.tenant_id, $1, r.task_id, t.version, $8::bigint, r.id, r.version - e.ago, e.action, t.state, t.state,
           json_build_object('user', e.who)
    FROM reserved r JOIN task t ON t.id = r.task_id
    CROSS JOIN LATERAL (VALUES (1, 'unassign', r.whose), (0, 'assign', $3)) AS e(ago, action, who)
    WHERE e.ago = 0 OR r.was = 'leased'
    ORDER BY r.id, e.ago DESC
)
SELECT (SELECT count(*) FROM person), (SELECT count(*) FROM found) >= $5 AND $4 IS NULL, count(*),
       coalesce(json_agg(task_id ORDER BY task_id), '[]')
FROM reserved
