-- A user's role in a project; no row: none, or the user is disabled.
-- users: server
SELECT m.role FROM project_member m JOIN app_user u ON u.id = m.user_id
WHERE m.project_id = $1::bigint AND m.user_id = $2::bigint AND NOT u.disabled
