-- Takes a user out of a project.
-- users: server
DELETE FROM project_member WHERE project_id = $1::bigint AND user_id = $2::bigint RETURNING user_id
