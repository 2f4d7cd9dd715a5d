WITH pick AS MATERIALIZED (
    SELECT id FROM assignment
    WHERE project_id = 1 AND stage = $1::text AND state = 'open' AND reserved_for IS NULL AND NOT $2::bigint = ANY (excluded)
    ORDER BY rank, id LIMIT 1 FOR UPDATE SKIP LOCKED
), granted AS (
    UPDATE assignment a SET state = 'leased', holder = $2, version = a.version + 1, lease_s = 3600,
        lease_expires_at = now() + interval '3600 s'
    FROM pick p WHERE a.id = p.id AND a.state = 'open'
    RETURNING a.tenant_id, a.project_id, a.id, a.task_id, a.version, a.slot, a.lease_expires_at
), logged AS (
    INSERT INTO event (tenant_id, project_id, task_id, task_version, actor, assignment_id, assignment_version, action, from_state, to_state)
    SELECT g.tenant_id, g.project_id, g.task_id, t.version, $2, g.id, g.version, 'claim', t.state, t.state
    FROM granted g JOIN task t ON t.id = g.task_id
)
SELECT g.id, g.version, g.slot, g.lease_expires_at, t.id, t.data, t.meta, t.state, t.version, v.pack, v.pack_off, v.bytes, v.sha256
FROM granted g JOIN task t ON t.id = g.task_id LEFT JOIN label_version v ON v.id = t.head_label
