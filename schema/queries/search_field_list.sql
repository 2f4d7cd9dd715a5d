-- The data paths that a project can be searched by.
-- users: server
SELECT path, state, to_json(created_at) FROM search_field WHERE project_id = $1::bigint ORDER BY path
