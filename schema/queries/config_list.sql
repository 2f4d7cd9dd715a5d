-- A page of a project's label configs, without their text.
-- users: server
SELECT version, created_by, to_json(created_at) FROM label_config
WHERE project_id = $1::bigint AND version > $2::int ORDER BY version LIMIT $3::int
