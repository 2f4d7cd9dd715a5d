-- Takes work of a stage away from who holds it ($4; NULL: from anyone): of the tasks in $3, where a reservation ends, too; or, where
-- that is NULL, of $5 leases. The version grows, so that what the holder hands in later is late. One row as queue_assign's.
-- users: server
WITH picked AS MATERIALIZED (
    SELECT a.id, a.version, a.state, coalesce(a.reserved_for, a.holder) AS whose
    FROM unnest($3::bigint[]) AS t(id) JOIN assignment a ON a.task_id = t.id AND a.stage = $2::text
    WHERE a.project_id = $1::bigint
      AND ((a.state = 'leased' AND a.holder = coalesce($4::bigint, a.holder))
           OR (a.state = 'open' AND a.reserved_for = coalesce($4, a.reserved_for)))
    UNION ALL
    SELECT q.* FROM (
        SELECT a.id, a.version, a.state, a.holder FROM assignment a
        WHERE a.project_id = $1 AND a.stage = $2 AND a.state = 'leased' AND a.holder = coalesce($4, a.holder)
        ORDER BY a.holder LIMIT $5::int) q
    WHERE $3 IS NULL
),
freed AS (
    UPDATE assignment a
    SET state = 'open', version = a.version + CASE WHEN p.state = 'leased' THEN 1 ELSE 0 END, lease_expires_at = NULL,
        holder = CASE WHEN p.state = 'leased' THEN NULL ELSE a.holder END, reserved_for = NULL, reserved_until = NULL
    FROM picked p
    WHERE a.id = p.id AND a.version = p.version AND a.state = p.state
    RETURNING a.tenant_id, a.id, a.task_id, p.version, p.whose
),
logged AS (
    INSERT INTO event (tenant_id, project_id, task_id, task_version, actor, assignment_id, assignment_version,
                       action, from_state, to_state, detail)
    SELECT f.tenant_id, $1, f.task_id, t.version, $6::bigint, f.id, f.version, 'unassign', t.state, t.state,
           json_build_object('user', f.whose)
    FROM freed f JOIN task t ON t.id = f.task_id
)
SELECT 1, (SELECT count(*) FROM picked) >= $5 AND $3 IS NULL, count(*), coalesce(json_agg(task_id ORDER BY task_id), '[]')
FROM freed
