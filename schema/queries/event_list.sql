-- The history of a task: a page of its events.
-- users: server
SELECT seq, to_json(at), action, from_state, to_state, task_version, actor, assignment_id, label_id, detail
FROM event WHERE task_id = $1::bigint AND seq > $2::bigint ORDER BY seq LIMIT $3::int
