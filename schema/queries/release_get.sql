-- A release.
-- users: server
SELECT id, project_id, name, state, items, root, splits, to_json(created_at), error, split, salt, format, filter, group_by, pin_by,
       description, licence, protected, warnings
FROM release WHERE id = $1::bigint AND state <> 'deleting'
