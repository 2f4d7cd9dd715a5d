-- One version of a project's label config.
-- users: server
SELECT version, created_by, to_json(created_at), xml FROM label_config WHERE project_id = $1::bigint AND version = $2::int
