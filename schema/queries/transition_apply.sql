-- Applies a batch of decisions of core/workflow.c: each is guarded by the task's version and the assignment's version and holder,
-- and a row that fails its guard is simply not in the answer. At most one decision a task in a batch.
-- Labels ($13 on) belong to decisions by ord: none, the submission, or submission and merge.
-- users: server
WITH req AS MATERIALIZED (
    SELECT * FROM unnest($1::int[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[],
                         $7::text[], $8::text[], $9::text[], $10::text[], $11::bool[], $12::text[])
        AS r(ord, assignment, version, actor, task, task_version, from_state, action, to_state, slot_state, exclude_actor, stage)
),
work AS MATERIALIZED (
    SELECT * FROM unnest($1::int[], $13::text[], $14::int[], $15::bigint[], $16::text[], $17::int[], $18::int[], $19::text[], $41::bool[])
        AS w(ord, open_stage, open_slots, reserved_for, excluded, rework_add, skip_add, detail, cancel_rest)
),
locked AS MATERIALIZED (
    SELECT r.ord, t.tenant_id, t.project_id
    FROM req r JOIN task t ON t.id = r.task JOIN assignment a ON a.id = r.assignment
    WHERE t.version = r.task_version AND t.state = r.from_state
      AND a.version = r.version AND a.holder = r.actor AND a.state IN ('leased', 'open')
    ORDER BY t.id
    FOR UPDATE OF t, a
),
ready AS MATERIALIZED (
    SELECT l.tenant_id, l.project_id, r.*, w.open_stage, w.open_slots, w.reserved_for, w.excluded, w.rework_add, w.skip_add, w.detail,
           w.cancel_rest
    FROM locked l JOIN req r USING (ord) JOIN work w USING (ord)
),
label AS MATERIALIZED (
    SELECT v.*, nextval('label_version_id_seq') AS id, row_number() OVER (PARTITION BY v.ord ORDER BY v.nth DESC) - 1 AS behind
    FROM unnest($20::int[], $21::int[], $22::text[], $23::bigint[], $24::text[], $25::bigint[], $26::int[], $27::bytea[],
                $28::int[], $29::float8[], $30::float8[], $31::text[], $32::int[], $33::bool[])
        AS v(ord, nth, kind, parent, pack, pack_off, bytes, sha256, regions, lead_time, score, model, config, is_head)
    WHERE EXISTS (SELECT FROM locked l WHERE l.ord = v.ord)
),
moved AS (
    UPDATE task t
    SET state = r.to_state, version = t.version + 1, updated_at = now(),
        label_seq = t.label_seq + (SELECT count(*) FROM label l WHERE l.ord = r.ord)::int,
        head_label = coalesce((SELECT l.id FROM label l WHERE l.ord = r.ord AND l.is_head), t.head_label),
        rework_count = (t.rework_count + r.rework_add)::smallint, skip_count = (t.skip_count + r.skip_add)::smallint
    FROM ready r
    WHERE t.id = r.task
    RETURNING r.ord, t.id, t.version, t.state, t.label_seq, t.priority, t.head_label
),
slots AS (
    UPDATE assignment a
    SET state = r.slot_state, lease_expires_at = NULL,
        version = a.version + CASE WHEN r.slot_state = 'open' THEN 1 ELSE 0 END,
        excluded = CASE WHEN r.exclude_actor THEN a.excluded || r.actor ELSE a.excluded END
    FROM ready r
    WHERE a.id = r.assignment
),
cancelled AS (
    UPDATE assignment a SET state = 'cancelled', lease_expires_at = NULL, reserved_for = NULL, reserved_until = NULL
    FROM ready r
    WHERE r.cancel_rest AND a.task_id = r.task AND a.id <> r.assignment AND a.state IN ('open', 'leased')
),
packed AS (
    INSERT INTO pack (tenant_id, id, bytes, documents)
    SELECT current_setting('app.tenant')::bigint, $34::uuid, $35::bigint, $36::int WHERE $34 IS NOT NULL
    ON CONFLICT DO NOTHING
),
versions AS (
    INSERT INTO label_version (tenant_id, id, project_id, task_id, parent, author, assignment_id, assignment_version, pack_off,
                               seq, bytes, regions, label_config_version, stage, kind, lead_time, score, model, sha256, pack)
    SELECT r.tenant_id, l.id, r.project_id, r.task,
           CASE WHEN l.nth > 1 THEN (SELECT f.id FROM label f WHERE f.ord = l.ord AND f.nth = 1) ELSE l.parent END,
           CASE WHEN l.model IS NULL THEN r.actor END, r.assignment, r.version, l.pack_off,
           m.label_seq - l.behind, l.bytes, l.regions, l.config, r.stage, l.kind, l.lead_time, l.score, l.model, l.sha256, l.pack::uuid
    FROM label l JOIN ready r USING (ord) JOIN moved m USING (ord)
),
opened AS (
    INSERT INTO assignment (tenant_id, project_id, task_id, stage, slot, rank, reserved_for, reserved_until, excluded)
    SELECT r.tenant_id, r.project_id, r.task, r.open_stage, g.slot, -m.priority, r.reserved_for,
           CASE WHEN r.reserved_for IS NOT NULL THEN now() + make_interval(secs => $37::int) END, r.excluded::bigint[]
    FROM ready r JOIN moved m USING (ord) CROSS JOIN LATERAL generate_series(1, r.open_slots) AS g(slot)
    WHERE r.open_stage IS NOT NULL
    ON CONFLICT (tenant_id, task_id, stage, slot) DO UPDATE
    SET state = 'open', version = assignment.version + 1, lease_expires_at = NULL, rank = excluded.rank,
        reserved_for = excluded.reserved_for, reserved_until = excluded.reserved_until, excluded = excluded.excluded
),
logged AS (
    INSERT INTO event (tenant_id, project_id, task_id, task_version, actor, assignment_id, assignment_version, label_id,
                       action, from_state, to_state, detail)
    SELECT r.tenant_id, r.project_id, r.task, m.version, r.actor, r.assignment, r.version,
           (SELECT l.id FROM label l WHERE l.ord = r.ord AND l.nth = 1), r.action, r.from_state, r.to_state, r.detail::json
    FROM ready r JOIN moved m USING (ord)
    ORDER BY r.ord
),
reviewed AS (
    INSERT INTO review (tenant_id, task_id, assignment_id, reviewer, stage, verdict, label_id, fix_label)
    SELECT r.tenant_id, r.task, r.assignment, r.actor, r.stage, r.action, l.parent, l.id
    FROM ready r LEFT JOIN label l ON l.ord = r.ord AND l.nth = 1
    WHERE r.stage IN ('review', 'qa')
),
commented AS (
    INSERT INTO comment (tenant_id, task_id, author, region, text)
    SELECT r.tenant_id, r.task, r.actor, c.region, c.text
    FROM unnest($38::int[], $39::text[], $40::text[]) AS c(ord, region, text) JOIN ready r USING (ord)
),
cleared AS (
    DELETE FROM draft d USING ready r WHERE d.assignment_id = r.assignment AND d.user_id = r.actor
),
counted AS (
    INSERT INTO counter (tenant_id, project_id, name, delta)
    SELECT c.tenant_id, c.project_id, c.name, sum(c.delta)
    FROM (SELECT tenant_id, project_id, 'task.' || from_state AS name, -1 AS delta FROM ready
          UNION ALL SELECT tenant_id, project_id, 'task.' || to_state, 1 FROM ready
          UNION ALL SELECT tenant_id, project_id, 'action.' || action, 1 FROM ready
          UNION ALL SELECT r.tenant_id, r.project_id, 'label.' || l.kind, 1 FROM label l JOIN ready r USING (ord)) c
    GROUP BY c.tenant_id, c.project_id, c.name
    HAVING sum(c.delta) <> 0
)
SELECT m.ord, m.id, m.version, m.state, l.id, m.label_seq - l.behind
FROM moved m LEFT JOIN label l ON l.ord = m.ord AND l.nth = 1
ORDER BY m.ord
