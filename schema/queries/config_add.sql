-- Gives a project a new label config under the project's version. Answers like project_get.
-- users: server
WITH changed AS (
    UPDATE project SET label_config_version = label_config_version + 1, version = version + 1
    WHERE id = $1::bigint AND version = $2::bigint
    RETURNING tenant_id, id, name, workflow, salt, paused, version, label_config_version, created_at, archived_at
),
configured AS (
    INSERT INTO label_config (tenant_id, project_id, version, xml, created_by)
    SELECT tenant_id, id, label_config_version, $3::text, $4::bigint FROM changed
)
SELECT id, name, workflow, salt, paused, version, label_config_version, $3, to_json(created_at), archived_at IS NOT NULL FROM changed
