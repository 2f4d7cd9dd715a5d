-- A release.
-- users: server
SELECT id, project_id, name, state, items, root, splits, to_json(created_at), error, split, salt, format FROM release WHERE id = $1::bigint
