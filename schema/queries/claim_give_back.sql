-- Opens assignments again that were leased by a claim and are not shown: version and holder stay. $4: those whose label cannot be
-- read are put aside, reserved for nobody for $5 seconds; a manager may end that. One row: how many anybody may take now.
-- users: server
WITH freed AS (
    UPDATE assignment a
    SET state = 'open', lease_expires_at = NULL, reserved_for = CASE WHEN g.aside THEN 0 END,
        reserved_until = CASE WHEN g.aside THEN now() + make_interval(secs => $5::int) END
    FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bool[]) AS g(id, version, holder, aside)
    WHERE a.id = g.id AND a.version = g.version AND a.holder = g.holder AND a.state = 'leased'
    RETURNING a.tenant_id, a.project_id, a.task_id, a.id, a.version, a.holder, g.aside
),
logged AS (
    INSERT INTO event (tenant_id, project_id, task_id, task_version, actor, assignment_id, assignment_version,
                       action, from_state, to_state, detail)
    SELECT f.tenant_id, f.project_id, f.task_id, t.version, f.holder, f.id, f.version, 'release', t.state, t.state,
           CASE WHEN f.aside THEN '{"aside":true}'::json END
    FROM freed f JOIN task t ON t.id = f.task_id
)
SELECT count(*) FILTER (WHERE NOT aside) FROM freed
