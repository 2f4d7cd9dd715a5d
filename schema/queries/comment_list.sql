-- A task's comments, oldest first.
-- users: server
SELECT id, parent, author, region, text, resolved, resolved_by, to_json(resolved_at), to_json(created_at)
FROM comment WHERE task_id = $1::bigint AND id > $2::bigint ORDER BY id LIMIT $3::int
