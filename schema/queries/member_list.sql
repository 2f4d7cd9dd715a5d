-- A page of a project's members.
-- users: server
SELECT m.user_id, u.email, u.name, m.role, array_to_json(m.skills), m.paused, m.max_leases FROM project_member m JOIN app_user u ON u.id = m.user_id
WHERE m.project_id = $1::bigint AND m.user_id > $2::bigint ORDER BY m.user_id LIMIT $3::int
