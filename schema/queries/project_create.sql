-- A new project with its first label config; its creator becomes its manager.
-- users: server
WITH made AS (
    INSERT INTO project (tenant_id, name, workflow, salt, created_by)
    VALUES (current_setting('app.tenant')::bigint, $1::text, $2::json, $3::bigint, $4::bigint)
    RETURNING tenant_id, id
),
configured AS (
    INSERT INTO label_config (tenant_id, project_id, version, xml, created_by)
    SELECT tenant_id, id, 1, $5::text, $4 FROM made
)
INSERT INTO project_member (tenant_id, project_id, user_id, role, added_by)
SELECT tenant_id, id, $4, 'manager', $4 FROM made
RETURNING project_id
