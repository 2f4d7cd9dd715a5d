-- Changes a project's settings under its version; NULL leaves a setting as it is. Answers like project_get.
-- users: server
WITH changed AS (
    UPDATE project
    SET name = coalesce($3::text, name), workflow = coalesce($4::json, workflow), paused = coalesce($5::bool, paused),
        version = version + 1
    WHERE id = $1::bigint AND version = $2::bigint
    RETURNING id, name, workflow, salt, paused, version, label_config_version, created_at, archived_at
)
SELECT p.id, p.name, p.workflow, p.salt, p.paused, p.version, p.label_config_version, c.xml, to_json(p.created_at), p.archived_at IS NOT NULL
FROM changed p JOIN label_config c ON c.project_id = p.id AND c.version = p.label_config_version
