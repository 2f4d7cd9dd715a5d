-- A project with its current label config: what the server keeps as the project's snapshot.
-- users: server
SELECT p.id, p.name, p.workflow, p.salt, p.paused, p.version, p.label_config_version, c.xml, to_json(p.created_at), p.archived_at IS NOT NULL
FROM project p JOIN label_config c ON c.project_id = p.id AND c.version = p.label_config_version
WHERE p.id = $1::bigint
