-- When a comment's thread was resolved or opened again, and by whom, oldest first.
-- users: server
SELECT id, resolved, actor, to_json(at)
FROM comment_change WHERE task_id = $1::bigint AND comment_id = $2::bigint AND id > $3::bigint ORDER BY id LIMIT $4::int
