-- Applies a batch of decisions of core/workflow.c: each is guarded by the task's version and the assignment's version and holder,
-- and a row that fails its guard is simply not in the answer. At most one decision a task in a batch. A decision brings a label
-- (kind is not null) or none, and sometimes a merge ($33 on). Everything of a decision is in one row, so that nothing is joined but
-- by an index. The task's row is locked first and the assignment's guard is its UPDATE's own: whoever changes both locks in this order.
-- users: server
WITH ready AS MATERIALIZED (
    SELECT r.*, t.tenant_id, t.project_id, CASE WHEN r.kind IS NOT NULL THEN nextval('label_version_id_seq') END AS label_id,
           CASE WHEN r.ord = ANY ($33::int[]) THEN nextval('label_version_id_seq') END AS merge_id
    FROM unnest($1::int[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::text[], $8::text[], $9::text[],
                $10::text[], $11::bool[], $12::text[], $13::text[], $14::int[], $15::bigint[], $16::text[], $17::int[], $18::int[],
                $19::text[], $20::bool[], $21::text[], $22::bigint[], $23::text[], $24::bigint[], $25::int[], $26::bytea[],
                $27::int[], $28::float8[], $29::float8[], $30::text[], $31::int[], $32::bool[], $46::text[], $47::bytea[])
        AS r(ord, assignment, version, actor, task, task_version, from_state, action, to_state, slot_state, exclude_actor, stage,
             open_stage, open_slots, reserved_for, excluded, rework_add, skip_add, detail, cancel_rest, kind, parent, pack, pack_off,
             bytes, sha256, regions, lead_time, score, model, config, is_head, key, request)
    JOIN task t ON t.id = r.task
    WHERE t.version = r.task_version AND t.state = r.from_state
    ORDER BY t.id
    FOR UPDATE OF t
),
slots AS (
    UPDATE assignment a
    SET state = r.slot_state, lease_expires_at = NULL,
        version = a.version + CASE WHEN r.slot_state = 'open' THEN 1 ELSE 0 END,
        holder = CASE WHEN r.slot_state = 'open' THEN NULL ELSE a.holder END, -- whoever had it has not claimed the new version
        excluded = CASE WHEN r.exclude_actor THEN a.excluded || r.actor ELSE a.excluded END
    FROM ready r
    WHERE a.id = r.assignment AND a.version = r.version AND a.holder = r.actor AND a.state IN ('leased', 'open')
    RETURNING r.*
),
moved AS (
    UPDATE task t
    SET state = r.to_state, version = t.version + 1, updated_at = now(),
        label_seq = t.label_seq + num_nonnulls(r.label_id, r.merge_id),
        head_label = CASE WHEN r.is_head THEN r.label_id ELSE coalesce(r.merge_id, t.head_label) END,
        rework_count = (t.rework_count + r.rework_add)::smallint,
        priority = t.priority + CASE WHEN r.rework_add > 0 AND r.reserved_for IS NULL THEN 100 ELSE 0 END, -- escalated
        skip_count = (t.skip_count + r.skip_add)::smallint
    FROM slots r
    WHERE t.id = r.task
    RETURNING r.*, t.version AS now_version, t.priority, t.skills,
              t.label_seq - num_nonnulls(r.merge_id) AS seq
),
cancelled AS (
    UPDATE assignment a SET state = 'cancelled', lease_expires_at = NULL, reserved_for = NULL, reserved_until = NULL
    FROM moved r
    WHERE r.cancel_rest AND a.task_id = r.task AND a.id <> r.assignment AND a.state IN ('open', 'leased')
    RETURNING a.id
),
packed AS (
    INSERT INTO pack (tenant_id, id, bytes, documents)
    SELECT current_setting('app.tenant')::bigint, k.id::uuid, k.bytes, k.documents
    FROM unnest($39::text[], $40::bigint[], $41::int[]) AS k(id, bytes, documents)
    ON CONFLICT DO NOTHING
),
versions AS (
    INSERT INTO label_version (tenant_id, id, project_id, task_id, parent, author, assignment_id, assignment_version, pack_off,
                               seq, bytes, regions, label_config_version, stage, kind, lead_time, score, model, sha256, pack,
                               merged_from)
    SELECT tenant_id, label_id, project_id, task, parent, CASE WHEN model IS NULL THEN actor END, assignment, version, pack_off,
           seq, bytes, regions, config, stage, kind, lead_time, score, model, sha256, pack::uuid, NULL
    FROM moved WHERE kind IS NOT NULL
    UNION ALL
    SELECT m.tenant_id, m.merge_id, m.project_id, m.task, m.label_id, NULL, m.assignment, m.version, g.pack_off,
           m.seq + 1, g.bytes, g.regions, m.config, m.stage, 'merge', NULL, NULL, NULL, g.sha256, g.pack::uuid,
           g.merged_from::bigint[] || m.label_id
    FROM unnest($33::int[], $34::text[], $35::bigint[], $36::int[], $37::bytea[], $38::int[], $48::text[])
        AS g(ord, pack, pack_off, bytes, sha256, regions, merged_from)
    JOIN moved m USING (ord)
),
opened AS (
    INSERT INTO assignment (tenant_id, project_id, task_id, stage, slot, rank, reserved_for, reserved_until, excluded, skills)
    SELECT m.tenant_id, m.project_id, m.task, m.open_stage,
           CASE WHEN m.reserved_for IS NULL THEN g.slot -- rework: the slot of who did it (I3)
                ELSE coalesce((SELECT s.slot FROM assignment s WHERE s.holder = m.reserved_for AND s.task_id = m.task
                                 AND s.stage = 'annotate' AND s.state = 'submitted'), g.slot) END,
           -m.priority, m.reserved_for,
           CASE WHEN m.reserved_for IS NOT NULL THEN now() + make_interval(secs => $42::int) END, m.excluded::bigint[], m.skills
    FROM moved m CROSS JOIN LATERAL generate_series(1, m.open_slots) AS g(slot)
    WHERE m.open_stage IS NOT NULL
    ON CONFLICT (tenant_id, task_id, stage, slot) DO UPDATE
    SET state = 'open', version = assignment.version + 1, holder = NULL, lease_expires_at = NULL, rank = excluded.rank,
        reserved_for = excluded.reserved_for, reserved_until = excluded.reserved_until, excluded = excluded.excluded,
        skills = excluded.skills
),
logged AS ( -- numbered when the rows of the work are held: task_move
    INSERT INTO event (tenant_id, project_id, task_id, task_version, actor, assignment_id, assignment_version, label_id,
                       action, from_state, to_state, detail)
    SELECT tenant_id, project_id, task, now_version, actor, assignment, version, label_id, action, from_state, to_state, detail::json
    FROM moved
    WHERE (SELECT count(*) FROM cancelled) >= 0
),
reviewed AS (
    INSERT INTO review (tenant_id, task_id, assignment_id, reviewer, stage, verdict, label_id, fix_label)
    SELECT tenant_id, task, assignment, actor, stage, action, parent, label_id
    FROM moved WHERE stage IN ('review', 'qa')
),
inspected AS ( -- what QA looked at: once (author 0), and for each who wrote it
    INSERT INTO qa_check (tenant_id, project_id, author, inspected, defective)
    SELECT m.tenant_id, m.project_id, w.author, count(*), count(*) FILTER (WHERE m.action <> 'pass')
    FROM moved m CROSS JOIN LATERAL (
        SELECT 0 AS author
        UNION ALL SELECT l.author FROM label_version l WHERE l.id = m.parent AND l.author IS NOT NULL
        UNION ALL SELECT a.holder FROM label_version l JOIN assignment a ON a.task_id = m.task
            WHERE l.id = m.parent AND l.kind = 'merge' AND l.author IS NULL AND a.stage = 'annotate' AND a.state = 'submitted') w
    WHERE m.stage = 'qa'
    GROUP BY m.tenant_id, m.project_id, w.author
),
commented AS (
    INSERT INTO comment (tenant_id, task_id, author, region, text)
    SELECT m.tenant_id, m.task, m.actor, c.region, c.text
    FROM unnest($43::int[], $44::text[], $45::text[]) AS c(ord, region, text) JOIN moved m USING (ord)
),
cleared AS (
    DELETE FROM draft d USING moved r WHERE d.assignment_id = r.assignment AND d.user_id = r.actor
),
answered AS ( -- the bytes that the server sends (api/work.c)
    INSERT INTO idempotency_key (tenant_id, user_id, key, request, status, answer)
    SELECT tenant_id, actor, key, request, 200,
           format('{"task":{"id":%s,"state":"%s","version":%s},"label":%s}', task, to_state, now_version,
                  CASE WHEN kind IS NULL THEN 'null'
                       ELSE format('{"id":%s,"seq":%s,"sha256":"%s"}', label_id, seq, encode(sha256, 'hex')) END)
    FROM moved WHERE key IS NOT NULL
),
counted AS (
    INSERT INTO counter (tenant_id, project_id, name, delta)
    SELECT k.tenant_id, k.project_id, n.name, sum(n.delta)
    FROM (SELECT tenant_id, project_id, from_state, to_state, action, kind, count(*) AS times, count(merge_id) AS merges
          FROM moved GROUP BY tenant_id, project_id, from_state, to_state, action, kind) k
    CROSS JOIN LATERAL
        (VALUES ('task.' || k.from_state, -k.times), ('task.' || k.to_state, k.times), ('action.' || k.action, k.times),
                ('label.' || k.kind, k.times), ('label.merge', k.merges)) AS n(name, delta)
    WHERE n.name IS NOT NULL
    GROUP BY k.tenant_id, k.project_id, n.name
    HAVING sum(n.delta) <> 0
)
SELECT ord, task, now_version, to_state, label_id, seq
FROM moved
ORDER BY ord
