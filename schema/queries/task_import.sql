-- One chunk of an import: tasks, the labels that came with them, their first assignments, their events, the counters, and the
-- import's own row. $2-$8: one element a task; head is the place of its head label in $9-$20, which have one element a label. An
-- external_id the project knows already is skipped, with its labels. Labels lie in pack $21 already (I6).
-- users: server
WITH item AS MATERIALIZED (
    SELECT i.*, nextval('task_id_seq') AS id
    FROM unnest($2::text[], $3::text[], $4::text[], $5::int[], $6::int[], $7::int[], $8::text[]) WITH ORDINALITY
        AS i(data, meta, external_id, priority, labels, head, skills, ord)
),
label AS MATERIALIZED (
    SELECT l.*, (ARRAY(SELECT id FROM item ORDER BY ord))[l.item] AS task, nextval('label_version_id_seq') AS id,
           coalesce((SELECT u.id FROM app_user u WHERE u.email = l.email), l.member) AS author
    FROM unnest($9::int[], $10::text[], $11::int[], $12::bigint[], $13::text[], $14::text[], $15::float8[], $16::float8[],
                $17::bigint[], $18::int[], $19::bytea[], $20::int[]) WITH ORDINALITY
        AS l(item, kind, seq, member, email, model, score, lead_time, pack_off, bytes, sha256, regions, ord)
),
-- Two inserts, as a row that might conflict costs more than one that cannot.
plain AS (
    INSERT INTO task (tenant_id, id, project_id, state, overlap, data, meta, priority, label_seq, head_label, skills)
    OVERRIDING SYSTEM VALUE
    SELECT current_setting('app.tenant')::bigint, i.id, $1::bigint, $24::text, $25::int, i.data::json, i.meta::json, i.priority, i.labels,
           CASE WHEN i.head IS NOT NULL THEN (ARRAY(SELECT id FROM label ORDER BY ord))[i.head] END, i.skills::text[]
    FROM item i WHERE i.external_id IS NULL
    RETURNING tenant_id, id, project_id, state, priority, head_label, skills
),
named AS (
    INSERT INTO task (tenant_id, id, project_id, state, overlap, data, meta, external_id, priority, label_seq, head_label, skills)
    OVERRIDING SYSTEM VALUE
    SELECT current_setting('app.tenant')::bigint, i.id, $1::bigint, $24::text, $25::int, i.data::json, i.meta::json, i.external_id, i.priority,
           i.labels, CASE WHEN i.head IS NOT NULL THEN (ARRAY(SELECT id FROM label ORDER BY ord))[i.head] END, i.skills::text[]
    FROM item i WHERE i.external_id IS NOT NULL
    ON CONFLICT (tenant_id, project_id, external_id) WHERE external_id IS NOT NULL DO NOTHING
    RETURNING tenant_id, id, project_id, state, priority, head_label, skills
),
made AS MATERIALIZED (
    SELECT m.* FROM (SELECT * FROM plain UNION ALL SELECT * FROM named) m ORDER BY m.id
),
-- What comes at the end of the queue, as it does mostly, every walk meets anyhow: only what somebody's cursor is past counts as opened.
farthest AS MATERIALIZED (SELECT max(c.rank) AS rank FROM claim_cursor c WHERE c.project_id = $1 AND c.stage = $24),
opened AS (
    INSERT INTO assignment (tenant_id, project_id, task_id, stage, slot, rank, skills, opened)
    SELECT m.tenant_id, m.project_id, m.id, m.state, s.slot, -m.priority, CASE WHEN m.state <> 'prelabel' THEN m.skills END,
           CASE WHEN -m.priority < (SELECT rank FROM farthest) THEN pg_current_xact_id() END
    FROM made m CROSS JOIN LATERAL generate_series(1, $26::int) AS s(slot) ORDER BY m.id, s.slot
),
packed AS (
    INSERT INTO pack (tenant_id, id, bytes, documents)
    SELECT current_setting('app.tenant')::bigint, $21::uuid, $22::bigint, $23::int WHERE $21 IS NOT NULL
),
versions AS (
    INSERT INTO label_version (tenant_id, id, project_id, task_id, author, pack_off, seq, bytes, regions, label_config_version, stage,
                               kind, lead_time, score, model, sha256, pack)
    SELECT current_setting('app.tenant')::bigint, l.id, $1::bigint, l.task,
           (SELECT m.user_id FROM project_member m WHERE m.project_id = $1::bigint AND m.user_id = l.author),
           l.pack_off, l.seq, l.bytes, l.regions, $28::int, CASE l.kind WHEN 'prelabel' THEN 'prelabel' ELSE 'annotate' END,
           l.kind, l.lead_time, l.score, l.model, l.sha256, $21::uuid
    FROM label l WHERE l.task = ANY (ARRAY(SELECT id FROM made))
    RETURNING kind
),
logged AS (
    INSERT INTO event (tenant_id, project_id, task_id, task_version, actor, label_id, action, from_state, to_state)
    SELECT m.tenant_id, m.project_id, m.id, 1, $27::bigint, m.head_label, 'import', 'none', m.state FROM made m
),
total AS MATERIALIZED (
    SELECT (SELECT count(*) FROM item) AS items, count(*) AS created, min(id) AS first, max(id) AS last, max(state::text) AS state,
           (SELECT count(*) FROM versions) AS labels, (SELECT count(*) FROM versions WHERE kind = 'import') AS imports
    FROM made
),
counted AS (
    INSERT INTO counter (tenant_id, project_id, name, delta)
    SELECT current_setting('app.tenant')::bigint, $1::bigint, n.name, n.delta
    FROM total t CROSS JOIN LATERAL (VALUES ('task.' || t.state, t.created), ('action.import', t.created), ('label.import', t.imports),
                                           ('label.prelabel', t.labels - t.imports)) AS n(name, delta)
    WHERE n.delta > 0
),
used AS (
    INSERT INTO usage (tenant_id, name, delta)
    SELECT current_setting('app.tenant')::bigint, 'tasks', created FROM total WHERE created > 0
),
told AS (
    UPDATE import i
    SET state = 'running', created = i.created + s.created, skipped = i.skipped + s.items - s.created, labels = i.labels + s.labels,
        seen = $30::bigint, failed = $31::bigint, bytes = $32::bigint, updated_at = now(),
        lease_until = now() + interval '1 minute', error = NULL, ended_at = NULL
    FROM total s WHERE i.id = $29::bigint
)
SELECT created, first, last, labels FROM total
