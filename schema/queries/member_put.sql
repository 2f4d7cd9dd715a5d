-- Gives a user of the tenant a role in a project, or another one.
-- users: server
INSERT INTO project_member (tenant_id, project_id, user_id, role, added_by)
SELECT u.tenant_id, $1::bigint, u.id, $3::text, $4::bigint FROM app_user u WHERE u.id = $2::bigint AND NOT u.disabled
ON CONFLICT (tenant_id, project_id, user_id) DO UPDATE SET role = excluded.role, added_by = excluded.added_by
RETURNING user_id, role
