-- Changes a project's settings under its version; NULL leaves a setting as it is.
-- users: server
UPDATE project
SET name = coalesce($3::text, name), workflow = coalesce($4::json, workflow), paused = coalesce($5::bool, paused),
    version = version + 1
WHERE id = $1::bigint AND version = $2::bigint
RETURNING version
