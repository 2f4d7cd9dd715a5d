-- A new project with the settings and the label config of another; $5: it is to get that one's tasks, too (task_copy). Its maker
-- becomes its manager; nobody else comes over. Answers like project_get.
-- users: server
WITH made AS (
    INSERT INTO project (tenant_id, name, workflow, salt, created_by, copy_of, copy_after)
    SELECT tenant_id, $2::text, workflow, $3::bigint, $4::bigint, id, CASE WHEN $5::bool THEN 0 END FROM project WHERE id = $1::bigint
    RETURNING tenant_id, id, name, workflow, salt, paused, version, label_config_version, created_at
),
config AS MATERIALIZED (
    SELECT c.xml FROM project p JOIN label_config c ON c.project_id = p.id AND c.version = p.label_config_version WHERE p.id = $1
),
configured AS (
    INSERT INTO label_config (tenant_id, project_id, version, xml, created_by)
    SELECT m.tenant_id, m.id, 1, c.xml, $4 FROM made m CROSS JOIN config c
),
joined AS (
    INSERT INTO project_member (tenant_id, project_id, user_id, role, added_by)
    SELECT tenant_id, id, $4, 'manager', $4 FROM made
)
SELECT m.id, m.name, m.workflow, m.salt, m.paused, m.version, m.label_config_version, c.xml, to_json(m.created_at), false
FROM made m CROSS JOIN config c
