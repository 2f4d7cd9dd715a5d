-- Gives a user of the tenant a role in a project, or another one. Skills ($5), the pause ($6) and the person's own cap of live leases
-- ($7, 0: the project's) stay as they are where NULL.
-- users: server
INSERT INTO project_member AS m (tenant_id, project_id, user_id, role, added_by, skills, paused, max_leases)
SELECT u.tenant_id, $1::bigint, u.id, $3::text, $4::bigint, coalesce($5::text::text[], '{}'), coalesce($6::bool, false), nullif($7::int, 0)
FROM app_user u WHERE u.id = $2::bigint AND NOT u.disabled
ON CONFLICT (tenant_id, project_id, user_id) DO UPDATE
SET role = excluded.role, added_by = excluded.added_by, skills = coalesce($5::text::text[], m.skills),
    paused = coalesce($6, m.paused), max_leases = CASE WHEN $7 IS NULL THEN m.max_leases ELSE nullif($7, 0) END
RETURNING user_id, role, array_to_json(skills), paused, max_leases
