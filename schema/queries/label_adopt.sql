-- Makes a version of a task's label its head once more, or a merge of it ($8 on), as a new version under the task's version, and
-- opens a review. The version that it comes from stays as it is.
-- users: server
WITH source AS MATERIALIZED (
    SELECT l.*, t.head_label, t.state, nextval('label_version_id_seq') AS new_id
    FROM label_version l JOIN task t ON t.id = l.task_id
    WHERE l.id = $1::bigint AND t.version = $2::bigint AND t.state = $3::text
    FOR UPDATE OF t
),
moved AS (
    UPDATE task t
    SET state = 'review', version = t.version + 1, updated_at = now(), label_seq = t.label_seq + 1, head_label = s.new_id,
        hands = $6::text::bigint[]
    FROM source s WHERE t.id = s.task_id
    RETURNING t.tenant_id, t.project_id, t.id, t.version, t.priority, t.skills, t.label_seq
),
packed AS (
    INSERT INTO pack (tenant_id, id, bytes, documents)
    SELECT tenant_id, $8::uuid, $9::int, 1 FROM moved WHERE $8 IS NOT NULL
    ON CONFLICT DO NOTHING
),
adopted AS (
    INSERT INTO label_version (tenant_id, id, project_id, task_id, parent, author, pack_off, seq, bytes, regions,
                               label_config_version, stage, kind, lead_time, score, model, sha256, pack, merged_from)
    SELECT m.tenant_id, s.new_id, m.project_id, m.id, s.head_label, s.author, CASE WHEN $8 IS NULL THEN s.pack_off ELSE 0 END,
           m.label_seq, coalesce($9, s.bytes), coalesce($11::int, s.regions), coalesce($12::int, s.label_config_version), s.stage,
           $7::text, NULL, s.score, s.model, coalesce($10::bytea, s.sha256), coalesce($8, s.pack),
           CASE WHEN $8 IS NOT NULL THEN ARRAY[s.head_label, s.id] END
    FROM moved m CROSS JOIN source s
    RETURNING id, sha256
),
cancelled AS (
    UPDATE assignment a SET state = 'cancelled', lease_expires_at = NULL, reserved_for = NULL, reserved_until = NULL
    FROM moved m WHERE a.task_id = m.id AND a.stage <> 'review' AND a.state IN ('open', 'leased')
    RETURNING a.id
),
opened AS (
    INSERT INTO assignment (tenant_id, project_id, task_id, stage, slot, rank, excluded, skills)
    SELECT tenant_id, project_id, id, 'review', 1, -priority, $5::text::bigint[], skills FROM moved
    ON CONFLICT (tenant_id, task_id, stage, slot) DO UPDATE
    SET state = 'open', version = assignment.version + 1, holder = NULL, lease_expires_at = NULL, rank = excluded.rank, reserved_for = NULL,
        reserved_until = NULL, excluded = excluded.excluded, skills = excluded.skills
    RETURNING id
),
settled AS (
    INSERT INTO late_settled (tenant_id, label_id, how, result, actor)
    SELECT m.tenant_id, s.id, CASE WHEN $8 IS NULL THEN 'adopted' ELSE 'merged' END, s.new_id, $4::bigint
    FROM moved m CROSS JOIN source s WHERE s.kind = 'late'
    ON CONFLICT DO NOTHING
),
logged AS ( -- numbered when the rows of the work are held: task_move
    INSERT INTO event (tenant_id, project_id, task_id, task_version, actor, label_id, action, from_state, to_state, detail)
    SELECT m.tenant_id, m.project_id, m.id, m.version, $4, s.new_id, 'adopt', $3, 'review',
           json_build_object('how', $7, 'source', s.id)
    FROM moved m CROSS JOIN source s
    WHERE (SELECT count(*) FROM cancelled) + (SELECT count(*) FROM opened) >= 0
),
counted AS (
    INSERT INTO counter (tenant_id, project_id, name, delta)
    SELECT m.tenant_id, m.project_id, n.name, sum(n.delta)
    FROM moved m CROSS JOIN LATERAL
        (VALUES ('task.' || $3, -1), ('task.review', 1), ('action.adopt', 1), ('label.' || $7, 1)) AS n(name, delta)
    GROUP BY m.tenant_id, m.project_id, n.name HAVING sum(n.delta) <> 0
)
SELECT m.id, 'review', m.version, s.new_id, m.label_seq, a.sha256
FROM moved m CROSS JOIN source s CROSS JOIN adopted a
