-- A new project with its first label config; its creator becomes its manager. Answers like project_get.
-- users: server
WITH made AS (
    INSERT INTO project (tenant_id, name, workflow, salt, created_by)
    VALUES (current_setting('app.tenant')::bigint, $1::text, $2::json, $3::bigint, $4::bigint)
    RETURNING tenant_id, id, name, workflow, salt, paused, version, label_config_version, created_at
),
configured AS (
    INSERT INTO label_config (tenant_id, project_id, version, xml, created_by)
    SELECT tenant_id, id, 1, $5::text, $4 FROM made
),
joined AS (
    INSERT INTO project_member (tenant_id, project_id, user_id, role, added_by)
    SELECT tenant_id, id, $4, 'manager', $4 FROM made
)
SELECT id, name, workflow, salt, paused, version, label_config_version, $5, to_json(created_at), false FROM made
