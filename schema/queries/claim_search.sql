-- Work for one claimer whom the head of the queue did not suit: a walk from the claimer's cursor ($6 true) or from the head,
-- past what is not for them. Answers like claim_take, with ord = 1.
-- users: server
WITH start AS MATERIALIZED (
    SELECT c.rank, c.id FROM claim_cursor c
    WHERE $6::bool AND c.project_id = $1::bigint AND c.user_id = $3::bigint AND c.stage = $2::text
    UNION ALL
    SELECT -2147483648, 0
    LIMIT 1
),
person AS MATERIALIZED (
    SELECT coalesce((SELECT m.skills FROM project_member m WHERE m.project_id = $1 AND m.user_id = $3), '{}') AS skills
),
chosen AS MATERIALIZED (
    SELECT w.* FROM start s CROSS JOIN person p CROSS JOIN LATERAL (
        SELECT a.id, a.rank FROM assignment a
        WHERE a.project_id = $1 AND a.stage = $2 AND a.state = 'open' AND a.reserved_for IS NULL
          AND (a.rank, a.id) > (s.rank, s.id)
          AND NOT $3 = ANY (a.excluded)
          AND (a.skills IS NULL OR a.skills <@ p.skills)
          AND ($2 <> 'annotate' OR NOT EXISTS (
                SELECT FROM assignment o WHERE o.holder = $3 AND o.task_id = a.task_id AND o.stage = 'annotate'
                  AND o.state IN ('leased', 'submitted', 'skipped') AND o.id <> a.id))
        ORDER BY a.rank, a.id LIMIT 256
        FOR UPDATE SKIP LOCKED) w
    LIMIT $4::int
),
-- Two slots of one task may both be found: one person takes one of them.
single AS MATERIALIZED (
    SELECT DISTINCT ON (a.task_id) c.id, c.rank FROM chosen c JOIN assignment a ON a.id = c.id ORDER BY a.task_id, c.rank, c.id
),
granted AS (
    UPDATE assignment a
    SET state = 'leased', holder = $3, version = a.version + 1, lease_s = $5::int,
        lease_expires_at = now() + make_interval(secs => $5)
    FROM single c
    WHERE a.id = c.id AND a.state = 'open'
    RETURNING a.tenant_id, a.id, a.task_id, a.version, a.slot, a.lease_expires_at
),
logged AS (
    INSERT INTO event (tenant_id, project_id, task_id, task_version, actor, assignment_id, assignment_version,
                       action, from_state, to_state)
    SELECT g.tenant_id, $1, g.task_id, t.version, $3, g.id, g.version, 'claim', t.state, t.state
    FROM granted g JOIN task t ON t.id = g.task_id
),
remembered AS (
    INSERT INTO claim_cursor (tenant_id, project_id, user_id, stage, rank, id)
    SELECT current_setting('app.tenant')::bigint, $1, $3, $2, c.rank, c.id FROM chosen c ORDER BY c.rank DESC, c.id DESC LIMIT 1
    ON CONFLICT (tenant_id, project_id, user_id, stage) DO UPDATE SET rank = excluded.rank, id = excluded.id
)
SELECT 1, g.id, g.version, g.slot, to_json(g.lease_expires_at), t.id, t.data, t.meta, t.state, t.version,
       t.head_label, t.rework_count, t.label_seq, false, 0
FROM granted g JOIN task t ON t.id = g.task_id
ORDER BY g.id
