-- Keeps labels that came too late: versions of kind `late`, which change neither the task's state nor its version (I1). The same
-- label from the same person twice in a batch is one version.
-- users: server
WITH sent AS MATERIALIZED (
    SELECT * FROM unnest($1::int[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::text[], $7::bigint[], $8::int[],
                $9::bytea[], $10::int[], $11::float8[], $12::int[], $16::text[])
        AS v(ord, assignment, version, actor, task, stage, pack_off, bytes, sha256, regions, lead_time, config, pack)
),
req AS MATERIALIZED (
    SELECT v.*, row_number() OVER (PARTITION BY v.task ORDER BY v.ord) AS nth, count(*) OVER (PARTITION BY v.task) AS of_task
    FROM (SELECT DISTINCT ON (assignment, version, actor, sha256) * FROM sent ORDER BY assignment, version, actor, sha256, ord) v
),
bumped AS (
    UPDATE task t SET label_seq = t.label_seq + r.of_task::int
    FROM (SELECT DISTINCT task, of_task FROM req) r WHERE t.id = r.task
    RETURNING t.tenant_id, t.project_id, t.id, t.version, t.state, t.label_seq, t.head_label
),
packed AS (
    INSERT INTO pack (tenant_id, id, bytes, documents)
    SELECT current_setting('app.tenant')::bigint, $13::uuid, $14::bigint, $15::int WHERE $13 IS NOT NULL
    ON CONFLICT DO NOTHING
),
kept AS (
    INSERT INTO label_version (tenant_id, project_id, task_id, parent, author, assignment_id, assignment_version, pack_off,
                               seq, bytes, regions, label_config_version, stage, kind, lead_time, sha256, pack)
    SELECT b.tenant_id, b.project_id, b.id, b.head_label, r.actor, r.assignment, r.version, r.pack_off,
           b.label_seq - r.of_task + r.nth, r.bytes, r.regions, r.config, r.stage, 'late', r.lead_time, r.sha256, r.pack::uuid
    FROM req r JOIN bumped b ON b.id = r.task
    RETURNING tenant_id, project_id, task_id, id, seq, author, assignment_id, assignment_version, sha256
),
logged AS (
    INSERT INTO event (tenant_id, project_id, task_id, task_version, actor, assignment_id, assignment_version, label_id,
                       action, from_state, to_state)
    SELECT k.tenant_id, k.project_id, k.task_id, b.version, k.author, k.assignment_id, k.assignment_version, k.id,
           'late', b.state, b.state
    FROM kept k JOIN bumped b ON b.id = k.task_id
    ORDER BY k.id
),
counted AS (
    INSERT INTO counter (tenant_id, project_id, name, delta)
    SELECT tenant_id, project_id, 'label.late', count(*) FROM kept GROUP BY tenant_id, project_id
    UNION ALL
    SELECT tenant_id, project_id, 'action.late', count(*) FROM kept GROUP BY tenant_id, project_id
)
SELECT s.ord, k.id, k.seq
FROM kept k JOIN sent s ON s.assignment = k.assignment_id AND s.version = k.assignment_version AND s.actor = k.author
    AND s.sha256 = k.sha256
