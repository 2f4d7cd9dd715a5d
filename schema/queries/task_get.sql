-- A task with its assignments, as one JSON answer.
-- users: server
SELECT t.version, t.project_id, json_build_object('id', t.id, 'project', t.project_id, 'state', t.state, 'version', t.version, 'data', t.data,
    'meta', t.meta, 'external_id', t.external_id, 'priority', t.priority, 'skills', coalesce(array_to_json(t.skills), '[]'), 'overlap', t.overlap,
    'rework_count', t.rework_count, 'head_label', t.head_label, 'created_at', t.created_at, 'erasure', t.erasure,
    'assignments', coalesce((SELECT json_agg(json_build_object('id', a.id, 'stage', a.stage, 'slot', a.slot, 'state', a.state,
        'version', a.version, 'holder', a.holder, 'lease_expires_at', a.lease_expires_at) ORDER BY a.id)
        FROM assignment a WHERE a.task_id = t.id), '[]'::json))
FROM task t WHERE t.id = $1::bigint
