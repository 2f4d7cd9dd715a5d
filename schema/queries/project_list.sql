-- A page of the projects a user belongs to; an administrator ($3) sees all of the tenant's. $5: those archived instead of those in use.
-- users: server
SELECT p.id, p.name, coalesce(m.role, 'manager'), p.paused
FROM project p LEFT JOIN project_member m ON m.project_id = p.id AND m.user_id = $2::bigint
WHERE p.id > $1::bigint AND ($3::bool OR m.user_id IS NOT NULL) AND (p.archived_at IS NOT NULL) = $5::bool
ORDER BY p.id LIMIT $4::int
