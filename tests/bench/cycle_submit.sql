WITH a AS (
    UPDATE assignment SET state = 'submitted', lease_expires_at = NULL
    WHERE id = $1::bigint AND state = 'leased'
    RETURNING tenant_id, project_id, task_id, id, version, holder
), v AS (
    INSERT INTO label_version (tenant_id, project_id, task_id, author, assignment_id, assignment_version, pack_off, seq, bytes, regions,
                               label_config_version, stage, kind, lead_time, sha256, pack)
    SELECT tenant_id, project_id, task_id, holder, id, version, 0, 1, $3::int, 1, 1, 'annotate', 'submission', 3.5,
           decode($2::text, 'hex'), gen_random_uuid()
    FROM a RETURNING id, task_id
), t AS (
    UPDATE task SET state = 'review', version = task.version + 1, label_seq = 1, head_label = v.id, updated_at = now()
    FROM v WHERE task.id = v.task_id RETURNING task.id, task.version
), o AS (
    INSERT INTO assignment (tenant_id, project_id, task_id, stage, excluded)
    SELECT tenant_id, project_id, task_id, 'review', ARRAY[holder] FROM a
), e AS (
    INSERT INTO event (tenant_id, project_id, task_id, task_version, actor, assignment_id, assignment_version, label_id, action, from_state, to_state)
    SELECT a.tenant_id, a.project_id, a.task_id, t.version, a.holder, a.id, a.version, v.id, 'submit', 'annotate', 'review' FROM a, v, t
), c AS (
    INSERT INTO counter (tenant_id, project_id, name, delta)
    SELECT a.tenant_id, a.project_id, n.name, n.delta
    FROM a, (VALUES ('task.annotate', -1), ('task.review', 1), ('action.submit', 1), ('label.submission', 1)) AS n(name, delta)
)
SELECT version FROM t
