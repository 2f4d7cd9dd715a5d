-- The project, task, version, state and holder of an assignment.
-- users: server
SELECT project_id, task_id, stage, state, version, coalesce(holder, 0), to_json(lease_expires_at)
FROM assignment WHERE id = $1::bigint
