-- A project's imports, newest first. $2: only those before this id; 0 = from the newest on.
-- users: server
SELECT id, state, errors, created_by, seen, created, skipped, failed, labels, bytes, error,
       to_json(started_at), to_json(updated_at), to_json(ended_at)
FROM import
WHERE project_id = $1::bigint AND id < CASE WHEN $2::bigint = 0 THEN 9223372036854775807 ELSE $2 END
ORDER BY id DESC
LIMIT $3::int
